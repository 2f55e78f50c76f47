package load;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

import com.alibaba.fastjson2.JSONObject;
import org.apache.rocketmq.common.MQVersion;

/** The job, the word that it may begin, and the report: the twin of loads/handshake.py. */
final class Handshake {
    private final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    private final PrintStream out = System.out;

    String receive() throws IOException {
        return in.readLine();
    }

    void ready() throws IOException {
        String version = MQVersion.getVersionDesc(MQVersion.CURRENT_VERSION).replace('_', '.').substring(1);
        write(new JSONObject().fluentPut("event", "ready").fluentPut("version", "Apache's Java client " + version));
        in.readLine();
    }

    void done(long messages, double seconds, long[] latencies) {
        JSONObject report = new JSONObject()
            .fluentPut("event", "done")
            .fluentPut("messages", messages)
            .fluentPut("seconds", seconds);
        if (latencies.length > 0) {
            Arrays.sort(latencies);
            report.fluentPut("p50_us", share(latencies, 0.5))
                .fluentPut("p99_us", share(latencies, 0.99))
                .fluentPut("p999_us", share(latencies, 0.999));
        }
        write(report);
    }

    private static double share(long[] ordered, double share) {
        return ordered[Math.min((int) (ordered.length * share), ordered.length - 1)] / 1000.0;
    }

    private void write(JSONObject event) {
        out.println(event.toJSONString());
        out.flush();
    }
}
