package load;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

import com.alibaba.fastjson2.JSONObject;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;

/** A push consumer that takes a backlog from its beginning, as much of it as the job's filter keeps. */
final class Drain {
    private static final int BATCH = 32;
    private static final int KEPT_ONE_IN = 100;
    private static final double NANOS = 1e9;

    private final JSONObject job;
    private final Handshake handshake;
    private final AtomicLong seen = new AtomicLong();
    private final CountDownLatch taken = new CountDownLatch(1);
    private volatile long first;
    private volatile long last;

    Drain(JSONObject job, Handshake handshake) {
        this.job = job;
        this.handshake = handshake;
    }

    void run() throws Exception {
        long wanted = job.getLongValue("count");
        if (!"all".equals(keep())) {
            wanted /= KEPT_ONE_IN;
        }
        DefaultMQPushConsumer consumer = consumer(wanted);
        handshake.ready();
        consumer.start();
        taken.await();
        handshake.done(seen.get(), (last - first) / NANOS, new long[0]);
        consumer.shutdown();
    }

    private String keep() {
        String keep = job.getString("keep");
        return keep == null ? "all" : keep;
    }

    private DefaultMQPushConsumer consumer(long wanted) throws Exception {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(job.getString("group"));
        consumer.setNamesrvAddr(job.getString("address"));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setConsumeMessageBatchMaxSize(BATCH);
        subscribe(consumer);
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            long now = System.nanoTime();
            long before = seen.getAndAdd(messages.size());
            if (before == 0) {
                first = now;
            }
            if (before + messages.size() >= wanted) {
                last = now;
                taken.countDown();
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        return consumer;
    }

    private void subscribe(DefaultMQPushConsumer consumer) throws Exception {
        String topic = job.getString("topic");
        switch (keep()) {
            case "tag":
                consumer.subscribe(topic, "kept");
                break;
            case "sql":
                consumer.subscribe(topic, MessageSelector.bySql("n = 0"));
                break;
            default:
                consumer.subscribe(topic, "*");
        }
    }
}
