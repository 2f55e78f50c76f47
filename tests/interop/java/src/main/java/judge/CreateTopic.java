package judge;

import com.alibaba.fastjson2.JSONObject;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;
import org.apache.rocketmq.tools.command.CommandUtil;

/**
 * Creates a topic on every master of a cluster, as {@code mqadmin updateTopic -c} does, without a JVM of its own.
 *
 * <p>Request: {@code namesrv}, {@code cluster}, {@code topic}, {@code queues}.
 */
final class CreateTopic implements Judge.Work {
    private final JSONObject request;

    CreateTopic(JSONObject request, Events events) {
        this.request = request;
    }

    @Override
    public void run() throws Exception {
        DefaultMQAdminExt admin = new DefaultMQAdminExt();
        admin.setNamesrvAddr(request.getString("namesrv"));
        admin.setInstanceName(Events.instanceName());
        admin.start();
        try {
            int queues = request.getIntValue("queues", 4);
            TopicConfig topic = new TopicConfig(request.getString("topic"), queues, queues);
            for (String master : CommandUtil.fetchMasterAddrByClusterName(admin, request.getString("cluster"))) {
                admin.createAndUpdateTopicConfig(master, topic);
            }
        } finally {
            admin.shutdown();
        }
    }
}
