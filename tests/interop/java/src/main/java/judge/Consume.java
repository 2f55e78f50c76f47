package judge;

import java.util.Base64;
import java.util.List;
import java.util.concurrent.CountDownLatch;

import com.alibaba.fastjson2.JSONObject;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageClientExt;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Receives messages with DefaultMQPushConsumer until it is stopped, then leaves the group with its offsets stored.
 *
 * <p>Request: {@code namesrv}, {@code group}, {@code topic}, {@code expression} (tags; {@code *} when left out).
 * A group without offsets starts at the first message. Events: {@code ready} once started, then {@code message} for
 * each message as its listener gets it.
 */
final class Consume implements Judge.Work {
    private final JSONObject request;
    private final Events events;
    private final CountDownLatch stopped = new CountDownLatch(1);

    Consume(JSONObject request, Events events) {
        this.request = request;
        this.events = events;
    }

    @Override
    public void run() throws Exception {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(request.getString("group"));
        consumer.setNamesrvAddr(request.getString("namesrv"));
        consumer.setInstanceName(Events.instanceName());
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        // Both default to 30 s. A consumer that starts while its own first heartbeat is under way sends the next one
        // only then, and is refused as "subscription not latest" until it has, whatever broker it talks to.
        consumer.setHeartbeatBrokerInterval(1_000);
        consumer.setPollNameServerInterval(1_000);
        consumer.setConsumeThreadMin(2);
        consumer.setConsumeThreadMax(2);
        consumer.setAwaitTerminationMillisWhenShutdown(5_000);
        String expression = request.getString("expression");
        consumer.subscribe(request.getString("topic"), expression == null ? "*" : expression);
        consumer.registerMessageListener(this::received);
        consumer.start();
        try {
            events.emit("ready");
            stopped.await();
        } finally {
            consumer.shutdown();
        }
    }

    @Override
    public void stop() {
        stopped.countDown();
    }

    private ConsumeConcurrentlyStatus received(List<MessageExt> messages, ConsumeConcurrentlyContext context) {
        for (MessageExt message : messages) {
            events.emit("message", describe(message)
                .fluentPut("broker", context.getMessageQueue().getBrokerName()));
        }
        return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    }

    private static JSONObject describe(MessageExt message) {
        return new JSONObject()
            .fluentPut("topic", message.getTopic())
            .fluentPut("queueId", message.getQueueId())
            .fluentPut("queueOffset", message.getQueueOffset())
            .fluentPut("msgId", message.getMsgId())
            .fluentPut("offsetMsgId", ((MessageClientExt) message).getOffsetMsgId())
            .fluentPut("tag", message.getTags())
            .fluentPut("keys", message.getKeys())
            .fluentPut("properties", message.getProperties())
            .fluentPut("reconsumeTimes", message.getReconsumeTimes())
            .fluentPut("bornTimestamp", message.getBornTimestamp())
            .fluentPut("storeTimestamp", message.getStoreTimestamp())
            .fluentPut("body", Base64.getEncoder().encodeToString(message.getBody()));
    }
}
