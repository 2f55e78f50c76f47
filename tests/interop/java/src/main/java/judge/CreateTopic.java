package judge;

import java.util.HashMap;
import java.util.Map;

import com.alibaba.fastjson2.JSONObject;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;
import org.apache.rocketmq.tools.command.CommandUtil;

/**
 * Creates a topic on every master of a cluster, as {@code mqadmin updateTopic -c} does, without a JVM of its own.
 *
 * <p>Request: {@code namesrv}, {@code cluster}, {@code topic}, {@code queues}.
 */
final class CreateTopic implements Judge.Work {
    /** One for each name server, for as long as the process lives: every other start of one waits for three seconds. */
    private static final Map<String, DefaultMQAdminExt> ADMINS = new HashMap<>();

    private final JSONObject request;

    CreateTopic(JSONObject request, Events events) {
        this.request = request;
    }

    @Override
    public void run() throws Exception {
        DefaultMQAdminExt admin = admin(request.getString("namesrv"));
        int queues = request.getIntValue("queues", 4);
        TopicConfig topic = new TopicConfig(request.getString("topic"), queues, queues);
        for (String master : CommandUtil.fetchMasterAddrByClusterName(admin, request.getString("cluster"))) {
            admin.createAndUpdateTopicConfig(master, topic);
        }
    }

    private static DefaultMQAdminExt admin(String namesrv) throws MQClientException {
        synchronized (ADMINS) {
            DefaultMQAdminExt admin = ADMINS.get(namesrv);
            if (admin == null) {
                admin = new DefaultMQAdminExt();
                admin.setNamesrvAddr(namesrv);
                admin.setInstanceName(Events.instanceName());
                admin.start();
                ADMINS.put(namesrv, admin);
            }
            return admin;
        }
    }
}
