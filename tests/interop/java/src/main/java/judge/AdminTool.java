package judge;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

import com.alibaba.fastjson2.JSONObject;
import org.apache.rocketmq.tools.command.MQAdminStartup;
import org.apache.rocketmq.tools.command.offset.GetConsumerStatusCommand;

/**
 * Runs one command of mqadmin through its main method, and tells what it printed.
 *
 * <p>Request: {@code arguments}. Event: {@code printed} with the {@code text} of standard output and error. The tool
 * prints to the process's own streams, so one runs at a time, best in a JVM that does nothing else.
 */
final class AdminTool implements Judge.Work {
    private static final Object STREAMS = new Object();

    private final JSONObject request;
    private final Events events;

    AdminTool(JSONObject request, Events events) {
        this.request = request;
        this.events = events;
    }

    @Override
    public void run() {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        synchronized (STREAMS) {
            PrintStream out = System.out;
            PrintStream err = System.err;
            PrintStream capture = new PrintStream(printed, true, StandardCharsets.UTF_8);
            System.setOut(capture);
            System.setErr(capture);
            try {
                Commands.renew();
                MQAdminStartup.main0(request.getJSONArray("arguments").toArray(new String[0]), null);
            } finally {
                System.setOut(out);
                System.setErr(err);
            }
        }
        events.emit("printed", new JSONObject().fluentPut("text", printed.toString(StandardCharsets.UTF_8)));
    }

    /** Some commands cannot run twice, so the tool gets to make new ones; it has one more than it knows by itself. */
    private static final class Commands extends MQAdminStartup {
        static void renew() {
            SUB_COMMANDS.clear();
            SUB_COMMANDS.add(new GetConsumerStatusCommand());
        }
    }
}
