package judge;

import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import com.alibaba.fastjson2.JSONObject;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.consumer.store.OffsetStore;
import org.apache.rocketmq.client.consumer.store.ReadOffsetType;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Receives messages with DefaultMQPushConsumer until it is stopped, then leaves the group with its offsets stored.
 *
 * <p>Request: {@code namesrv}, {@code group}, {@code topic}, {@code expression} (tags; {@code *} when left out), or
 * {@code condition} (SQL92). With {@code failures} it fails so many attempts at each message, and has the broker keep it
 * for {@code delayLevel}; {@code maxAttempts} of them make a dead letter. With {@code broadcasting} it gets every message,
 * from the positions in its local file, which is {@code instance}'s if one is named. With {@code orderly} it consumes each
 * queue in order, and what fails is tried again after a moment.
 * A group without offsets starts at the first message. Events: {@code ready} once started, then {@code message} for
 * each message as its listener gets it.
 */
final class Consume implements Judge.Work {
    private static final long SETTLE_SECONDS = 5;
    private static final long SUSPEND_MILLIS = 100;

    private final JSONObject request;
    private final Events events;
    private final CountDownLatch stopped = new CountDownLatch(1);
    /** Where each queue goes on when all that the listener has seen of it is consumed. */
    private final Map<MessageQueue, Long> next = new ConcurrentHashMap<>();

    Consume(JSONObject request, Events events) {
        this.request = request;
        this.events = events;
    }

    @Override
    public void run() throws Exception {
        DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(request.getString("group"));
        consumer.setNamesrvAddr(request.getString("namesrv"));
        String instance = request.getString("instance");
        consumer.setInstanceName(instance == null ? Events.instanceName() : instance);
        if (request.getBooleanValue("broadcasting")) {
            broadcast(consumer);
        }
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        // Both default to 30 s. A consumer that starts while its own first heartbeat is under way sends the next one
        // only then, and is refused as "subscription not latest" until it has, whatever broker it talks to.
        consumer.setHeartbeatBrokerInterval(1_000);
        consumer.setPollNameServerInterval(1_000);
        consumer.setConsumeThreadMin(2);
        consumer.setConsumeThreadMax(2);
        consumer.setMaxReconsumeTimes(request.getIntValue("maxAttempts", -1));
        subscribe(consumer);
        if (request.getBooleanValue("orderly")) {
            consumer.registerMessageListener((MessageListenerOrderly) this::receivedInOrder);
        } else {
            consumer.registerMessageListener((MessageListenerConcurrently) this::received);
        }
        consumer.start();
        try {
            events.emit("ready");
            stopped.await();
            settle(consumer.getDefaultMQPushConsumerImpl().getOffsetStore());
        } finally {
            consumer.shutdown();
        }
    }

    private void subscribe(DefaultMQPushConsumer consumer) throws MQClientException {
        String expression = request.getString("expression");
        String condition = request.getString("condition");
        String topic = request.getString("topic");
        if (condition != null) {
            consumer.subscribe(topic, MessageSelector.bySql(condition));
        } else {
            consumer.subscribe(topic, expression == null ? "*" : expression);
        }
    }

    /** The model's class has moved between versions of the client. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    static void broadcast(Object consumer) throws ReflectiveOperationException {
        for (Method method : consumer.getClass().getMethods()) {
            if (method.getName().equals("setMessageModel")) {
                method.invoke(consumer, Enum.valueOf((Class) method.getParameterTypes()[0], "BROADCASTING"));
            }
        }
    }

    @Override
    public void stop() {
        stopped.countDown();
    }

    private ConsumeConcurrentlyStatus received(List<MessageExt> messages, ConsumeConcurrentlyContext context) {
        context.setDelayLevelWhenNextConsume(request.getIntValue("delayLevel", 0));
        return fails(context.getMessageQueue(), messages)
            ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    }

    private ConsumeOrderlyStatus receivedInOrder(List<MessageExt> messages, ConsumeOrderlyContext context) {
        context.setSuspendCurrentQueueTimeMillis(SUSPEND_MILLIS);
        return fails(context.getMessageQueue(), messages)
            ? ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT : ConsumeOrderlyStatus.SUCCESS;
    }

    /** Tells of the messages; whether one of them is to fail. */
    private boolean fails(MessageQueue queue, List<MessageExt> messages) {
        for (MessageExt message : messages) {
            next.merge(queue, message.getQueueOffset() + 1, Math::max);
            events.emit("message", Received.describe(message, queue.getBrokerName()));
        }
        int failures = request.getIntValue("failures", 0);
        return messages.stream().anyMatch(message -> message.getReconsumeTimes() < failures);
    }

    /** An offset moves shortly after its listener has returned: wait for it, so that what was seen is not repeated. */
    private void settle(OffsetStore offsets) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SETTLE_SECONDS);
        for (Map.Entry<MessageQueue, Long> entry : next.entrySet()) {
            while (isBehind(offsets, entry.getKey(), entry.getValue()) && System.nanoTime() < deadline) {
                TimeUnit.MILLISECONDS.sleep(5);
            }
        }
    }

    private static boolean isBehind(OffsetStore offsets, MessageQueue queue, long wanted) {
        long offset = offsets.readOffset(queue, ReadOffsetType.READ_FROM_MEMORY);
        // Negative: the queue is no longer this consumer's.
        return offset >= 0 && offset < wanted;
    }
}
