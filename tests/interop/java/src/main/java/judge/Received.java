package judge;

import java.util.Base64;

import com.alibaba.fastjson2.JSONObject;
import org.apache.rocketmq.common.message.MessageClientExt;
import org.apache.rocketmq.common.message.MessageExt;

/** The {@code message} event: a message as a consumer of the client got it. */
final class Received {
    private Received() {
    }

    static JSONObject describe(MessageExt message, String broker) {
        return new JSONObject()
            .fluentPut("topic", message.getTopic())
            .fluentPut("broker", broker)
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
