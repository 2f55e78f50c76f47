package load;

import com.alibaba.fastjson2.JSON;
import com.alibaba.fastjson2.JSONObject;

/** Load by Apache's Java client, on our broker, on Apache's or on one that stores nothing. */
public final class Load {
    private Load() {
    }

    public static void main(String[] arguments) {
        // Threads of the client outlive the load, also a failed one.
        try {
            run();
        } catch (Exception problem) {
            problem.printStackTrace();
            System.exit(1);
        }
        System.exit(0);
    }

    private static void run() throws Exception {
        Handshake handshake = new Handshake();
        JSONObject job = JSON.parseObject(handshake.receive());
        switch (job.getString("kind")) {
            case "send":
                new Send(job, handshake).run();
                break;
            case "drain":
                new Drain(job, handshake).run();
                break;
            default:
                throw new IllegalArgumentException("the Java client does send and drain, not " + job.getString("kind"));
        }
    }
}
