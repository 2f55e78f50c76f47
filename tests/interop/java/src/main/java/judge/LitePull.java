package judge;

import com.alibaba.fastjson2.JSONObject;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Receives messages with DefaultLitePullConsumer until it is stopped, then leaves the group with its offsets stored.
 *
 * <p>Request and events are those of {@link Consume}. Clients before 4.6 have no such consumer.
 */
final class LitePull implements Judge.Work {
    private static final int POLL_MILLIS = 100;

    private final JSONObject request;
    private final Events events;
    private volatile boolean stopped;

    LitePull(JSONObject request, Events events) {
        this.request = request;
        this.events = events;
    }

    @Override
    public void run() throws Exception {
        DefaultLitePullConsumer consumer = new DefaultLitePullConsumer(request.getString("group"));
        consumer.setNamesrvAddr(request.getString("namesrv"));
        consumer.setInstanceName(Events.instanceName());
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setHeartbeatBrokerInterval(1_000);
        consumer.setPollNameServerInterval(1_000);
        if (request.getBooleanValue("broadcasting")) {
            Consume.broadcast(consumer);
        }
        String expression = request.getString("expression");
        String condition = request.getString("condition");
        String topic = request.getString("topic");
        if (condition != null) {
            consumer.subscribe(topic, MessageSelector.bySql(condition));
        } else {
            consumer.subscribe(topic, expression == null ? "*" : expression);
        }
        consumer.start();
        try {
            events.emit("ready");
            while (!stopped) {
                for (MessageExt message : consumer.poll(POLL_MILLIS)) {
                    events.emit("message", Received.describe(message, message.getBrokerName()));
                }
            }
            consumer.commitSync();
        } finally {
            consumer.shutdown();
        }
    }

    @Override
    public void stop() {
        stopped = true;
    }
}
