package judge;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

import com.alibaba.fastjson2.JSONArray;
import com.alibaba.fastjson2.JSONObject;
import org.apache.rocketmq.client.consumer.AllocateMessageQueueStrategy;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMachineRoomNearby;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragelyByCircle;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueByMachineRoom;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueConsistentHash;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Shares out queues as a member of a group does. Request: {@code cases}, each with the {@code strategy}'s name, the
 * {@code queues} as topic, broker and number, the {@code members} and, for rooms, {@code rooms}. A member's room is
 * what is before the first {@code /} of its id. Event: {@code shares}, for each case the indices of each member's queues.
 */
final class Allocate implements Judge.Work {
    private final JSONArray cases;
    private final Events events;

    Allocate(JSONObject request, Events events) {
        this.cases = request.getJSONArray("cases");
        this.events = events;
    }

    @Override
    public void run() {
        List<List<List<Integer>>> shares = new ArrayList<>();
        for (int i = 0; i < cases.size(); i++) {
            shares.add(shares(cases.getJSONObject(i)));
        }
        JSONObject members = new JSONObject();
        members.put("shares", shares);
        events.emit("shares", members);
    }

    private static List<List<Integer>> shares(JSONObject one) {
        AllocateMessageQueueStrategy strategy = strategy(one);
        List<MessageQueue> queues = queues(one.getJSONArray("queues"));
        List<String> members = one.getJSONArray("members").toJavaList(String.class);
        List<List<Integer>> shares = new ArrayList<>();
        for (String member : members) {
            List<Integer> share = new ArrayList<>();
            for (MessageQueue queue : strategy.allocate("g", member, queues, members)) {
                share.add(queues.indexOf(queue));
            }
            shares.add(share);
        }
        return shares;
    }

    private static List<MessageQueue> queues(JSONArray texts) {
        List<MessageQueue> queues = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            JSONArray queue = texts.getJSONArray(i);
            queues.add(new MessageQueue(queue.getString(0), queue.getString(1), queue.getIntValue(2)));
        }
        return queues;
    }

    private static AllocateMessageQueueStrategy strategy(JSONObject one) {
        switch (one.getString("strategy")) {
            case "AVG":
                return new AllocateMessageQueueAveragely();
            case "AVG_BY_CIRCLE":
                return new AllocateMessageQueueAveragelyByCircle();
            case "CONSISTENT_HASH":
                return new AllocateMessageQueueConsistentHash(one.getIntValue("virtualNodes"));
            case "MACHINE_ROOM":
                AllocateMessageQueueByMachineRoom rooms = new AllocateMessageQueueByMachineRoom();
                rooms.setConsumeridcs(new HashSet<>(one.getJSONArray("rooms").toJavaList(String.class)));
                return rooms;
            case "MACHINE_ROOM_NEARBY-AVG":
                return new AllocateMachineRoomNearby(new AllocateMessageQueueAveragely(), new Rooms());
            default:
                throw new IllegalArgumentException("no such strategy: " + one.getString("strategy"));
        }
    }

    /** Where brokers and members are, by their names. */
    private static final class Rooms implements AllocateMachineRoomNearby.MachineRoomResolver {
        @Override
        public String brokerDeployIn(MessageQueue queue) {
            return queue.getBrokerName().split("@")[0];
        }

        @Override
        public String consumerDeployIn(String member) {
            return member.split("/")[0];
        }
    }
}
