package judge;

import java.util.Set;

import com.alibaba.fastjson2.JSONObject;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.impl.factory.MQClientInstance;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Reads the queues of a topic with DefaultMQPullConsumer from the group's offsets to their ends, and stores the offsets
 * it came to.
 *
 * <p>Request: {@code namesrv}, {@code group}, {@code topic}, {@code expression} (tags; {@code *} when left out), or
 * {@code condition} (SQL92),
 * {@code wait} (true: at each queue's end, wait for what comes next, once). Events: {@code waiting} before such a wait,
 * {@code message} for each message, {@code offset} for each queue's end.
 */
final class Pull implements Judge.Work {
    private static final int BATCH = 32;

    private final JSONObject request;
    private final Events events;
    private final String expression;

    Pull(JSONObject request, Events events) {
        this.request = request;
        this.events = events;
        this.expression = request.containsKey("expression") ? request.getString("expression") : "*";
    }

    @Override
    @SuppressWarnings("deprecation") // The old style of pulling is what is judged here.
    public void run() throws Exception {
        DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(request.getString("group"));
        consumer.setNamesrvAddr(request.getString("namesrv"));
        consumer.setInstanceName(Events.instanceName());
        // Tells the broker of the group and its topic with the first heartbeat.
        consumer.setRegisterTopics(Set.of(request.getString("topic")));
        consumer.start();
        try {
            Set<MessageQueue> queues = consumer.fetchSubscribeMessageQueues(request.getString("topic"));
            if (request.containsKey("condition")) {
                tellBrokers(consumer);
            }
            for (MessageQueue queue : queues) {
                drain(consumer, queue);
            }
        } finally {
            consumer.shutdown();
        }
    }

    /** The client sends a condition only to brokers whose version it knows, by their answer to its heartbeat. */
    @SuppressWarnings("deprecation")
    private void tellBrokers(DefaultMQPullConsumer consumer) {
        MQClientInstance client = consumer.getDefaultMQPullConsumerImpl().getRebalanceImpl().getmQClientFactory();
        client.updateTopicRouteInfoFromNameServer(request.getString("topic"));
        client.sendHeartbeatToAllBrokerWithLock();
    }

    @SuppressWarnings("deprecation")
    private void drain(DefaultMQPullConsumer consumer, MessageQueue queue) throws Exception {
        long stored = consumer.fetchConsumeOffset(queue, true);
        long offset = stored < 0 ? consumer.minOffset(queue) : stored;
        PullResult result = pull(consumer, queue, offset);
        while (result.getPullStatus() != PullStatus.NO_NEW_MSG) {
            offset = take(result, queue);
            result = pull(consumer, queue, offset);
        }
        if (request.getBooleanValue("wait")) {
            events.emit("waiting");
            offset = take(consumer.pullBlockIfNotFound(queue, expression, offset, BATCH), queue);
        }
        // In memory too: leaving the group writes what is remembered there, and reading the stored offset put it there.
        consumer.updateConsumeOffset(queue, offset);
        consumer.getDefaultMQPullConsumerImpl().getOffsetStore().updateConsumeOffsetToBroker(queue, offset, false);
        events.emit("offset", new JSONObject()
            .fluentPut("broker", queue.getBrokerName())
            .fluentPut("queueId", queue.getQueueId())
            .fluentPut("stored", stored)
            .fluentPut("offset", offset)
            .fluentPut("min", result.getMinOffset())
            .fluentPut("max", consumer.maxOffset(queue)));
    }

    @SuppressWarnings("deprecation")
    private PullResult pull(DefaultMQPullConsumer consumer, MessageQueue queue, long offset) throws Exception {
        String condition = request.getString("condition");
        return condition == null ? consumer.pull(queue, expression, offset, BATCH)
            : consumer.pull(queue, MessageSelector.bySql(condition), offset, BATCH);
    }

    private long take(PullResult result, MessageQueue queue) {
        if (result.getPullStatus() == PullStatus.FOUND) {
            for (MessageExt message : result.getMsgFoundList()) {
                events.emit("message", Received.describe(message, queue.getBrokerName()));
            }
        }
        return result.getNextBeginOffset();
    }
}
