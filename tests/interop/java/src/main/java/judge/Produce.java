package judge;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

import com.alibaba.fastjson2.JSONArray;
import com.alibaba.fastjson2.JSONObject;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.selector.SelectMessageQueueByHash;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Sends messages with DefaultMQProducer.
 *
 * <p>Request: {@code namesrv}, {@code group}, {@code topic}, {@code mode} (sync, async, oneway, batch: all in one
 * request, ordered: the queue by its order key), {@code timeout} (ms) and {@code messages}, each with {@code body}
 * (base64) and, if wanted, {@code tag}, {@code keys}, {@code properties}, {@code delayLevel}, {@code orderKey}.
 * With {@code stay} the producer stays in its group until it is stopped.
 * Events: {@code sent} for each message, with its {@code index} and the client's SendResult, or {@code refused} with
 * the client's exception; {@code staying} when all are through.
 */
final class Produce implements Judge.Work {
    /** Asynchronous sends under way at once; a server may refuse more than it can take. */
    private static final int IN_FLIGHT = 32;

    private final Semaphore window = new Semaphore(IN_FLIGHT);
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final JSONObject request;
    private final Events events;

    Produce(JSONObject request, Events events) {
        this.request = request;
        this.events = events;
    }

    @Override
    public void run() throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer(request.getString("group"));
        producer.setNamesrvAddr(request.getString("namesrv"));
        producer.setInstanceName(Events.instanceName());
        // Its brokers learn of it with the first heartbeat that knows them: that takes 30 s unless told otherwise.
        producer.setHeartbeatBrokerInterval(1_000);
        producer.setSendMsgTimeout(request.getIntValue("timeout", 10_000));
        producer.start();
        try {
            if ("async".equals(request.getString("mode"))) {
                connect(producer);
            }
            sendAll(producer);
            if (request.getBooleanValue("stay")) {
                events.emit("staying");
                stopped.await();
            }
        } finally {
            producer.shutdown();
        }
    }

    @Override
    public void stop() {
        stopped.countDown();
    }

    /**
     * Asks every broker of the topic something. The first asynchronous sends of 4.4.0, all looking for a connection at
     * once, may fail or never be answered, whatever broker they go to.
     */
    private void connect(DefaultMQProducer producer) throws Exception {
        for (MessageQueue queue : producer.fetchPublishMessageQueues(request.getString("topic"))) {
            producer.maxOffset(queue);
        }
    }

    private void sendAll(DefaultMQProducer producer) throws Exception {
        if ("batch".equals(request.getString("mode"))) {
            sendBatch(producer);
        } else {
            sendOneByOne(producer);
        }
    }

    private void sendBatch(DefaultMQProducer producer) throws Exception {
        JSONArray given = request.getJSONArray("messages");
        List<Message> messages = new ArrayList<>();
        for (int i = 0; i < given.size(); i++) {
            messages.add(message(given.getJSONObject(i)));
        }
        SendResult result = producer.send(messages);
        // One result for all: both kinds of ids joined by commas, and the place of the first.
        String[] ids = result.getMsgId().split(",");
        String[] offsetIds = result.getOffsetMsgId().split(",");
        for (int i = 0; i < messages.size(); i++) {
            events.emit("sent", describe(i, result)
                .fluentPut("msgId", ids[i])
                .fluentPut("offsetMsgId", offsetIds[i])
                .fluentPut("queueOffset", result.getQueueOffset() + i));
        }
    }

    private void sendOneByOne(DefaultMQProducer producer) throws Exception {
        JSONArray messages = request.getJSONArray("messages");
        CountDownLatch answered = new CountDownLatch(messages.size());
        for (int i = 0; i < messages.size(); i++) {
            try {
                sendOne(producer, i, messages.getJSONObject(i), answered);
            } catch (Exception problem) {
                refused(i, problem);
                answered.countDown();
            }
        }
        if (!answered.await(60, TimeUnit.SECONDS)) {
            throw new IllegalStateException(answered.getCount() + " sends were never answered");
        }
    }

    private void sendOne(DefaultMQProducer producer, int index, JSONObject given, CountDownLatch answered)
        throws Exception {
        Message message = message(given);
        switch (request.getString("mode")) {
            case "sync":
                sent(index, producer.send(message));
                answered.countDown();
                break;
            case "ordered":
                sent(index, producer.send(message, new SelectMessageQueueByHash(), given.getString("orderKey")));
                answered.countDown();
                break;
            case "oneway":
                producer.sendOneway(message);
                events.emit("sent", new JSONObject().fluentPut("index", index));
                answered.countDown();
                break;
            case "async":
                sendAsync(producer, message, new Answer(index, answered));
                break;
            default:
                throw new IllegalArgumentException("mode is sync, async, oneway, batch or ordered");
        }
    }

    private void sendAsync(DefaultMQProducer producer, Message message, Answer answer) throws Exception {
        window.acquire();
        try {
            producer.send(message, answer);
        } catch (Exception problem) {
            // Refused before it was under way: nobody will call the answer.
            window.release();
            throw problem;
        }
    }

    private Message message(JSONObject given) {
        Message message = new Message(request.getString("topic"), Base64.getDecoder().decode(given.getString("body")));
        if (given.containsKey("tag")) {
            message.setTags(given.getString("tag"));
        }
        if (given.containsKey("keys")) {
            message.setKeys(given.getString("keys"));
        }
        if (given.containsKey("delayLevel")) {
            message.setDelayTimeLevel(given.getIntValue("delayLevel"));
        }
        JSONObject properties = given.getJSONObject("properties");
        if (properties != null) {
            for (Map.Entry<String, Object> entry : properties.entrySet()) {
                message.putUserProperty(entry.getKey(), String.valueOf(entry.getValue()));
            }
        }
        return message;
    }

    private void sent(int index, SendResult result) {
        events.emit("sent", describe(index, result));
    }

    private static JSONObject describe(int index, SendResult result) {
        return new JSONObject()
            .fluentPut("index", index)
            .fluentPut("status", result.getSendStatus().name())
            .fluentPut("msgId", result.getMsgId())
            .fluentPut("offsetMsgId", result.getOffsetMsgId())
            .fluentPut("topic", result.getMessageQueue().getTopic())
            .fluentPut("broker", result.getMessageQueue().getBrokerName())
            .fluentPut("queueId", result.getMessageQueue().getQueueId())
            .fluentPut("queueOffset", result.getQueueOffset())
            .fluentPut("regionId", result.getRegionId());
    }

    private void refused(int index, Throwable problem) {
        events.emit("refused", Events.describe(problem).fluentPut("index", index));
    }

    private final class Answer implements SendCallback {
        private final int index;
        private final CountDownLatch answered;

        Answer(int index, CountDownLatch answered) {
            this.index = index;
            this.answered = answered;
        }

        @Override
        public void onSuccess(SendResult result) {
            sent(index, result);
            over();
        }

        @Override
        public void onException(Throwable problem) {
            refused(index, problem);
            over();
        }

        private void over() {
            window.release();
            answered.countDown();
        }
    }
}
