package judge;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import com.alibaba.fastjson2.JSON;
import com.alibaba.fastjson2.JSONObject;

/**
 * Apache's Java client behind a pipe, so that one JVM serves a whole test session.
 *
 * <p>Each line of standard input is a JSON request: {@code {"id": 1, "do": "produce", ...}}; what a request may hold
 * is said by the class that does it. Each line of standard output is a JSON event that names its request:
 * {@code {"id": 1, "event": "sent", ...}}. The last event of a request is {@code done} or {@code failed}. Requests run
 * side by side; {@code {"do": "stop", "id": N}} ends the one with that id. End of input ends the process.
 *
 * <p>For use by hand, {@code java judge.Judge '{"do": "produce", ...}'} runs the requests given as arguments, one after
 * another, and exits.
 *
 * <p>What the client prints goes to standard error: standard output is for events alone.
 */
public final class Judge {
    /** Something that runs until it is through or told to stop. */
    interface Work {
        void run() throws Exception;

        default void stop() {
        }
    }

    private static final Map<String, String> DRIVERS = Map.of(
        "produce", "Produce", "consume", "Consume", "lite-pull", "LitePull", "pull", "Pull",
        "create-topic", "CreateTopic", "mqadmin", "AdminTool", "conditions", "Conditions",
        "allocate", "Allocate");

    private final Map<Integer, Work> running = new ConcurrentHashMap<>();
    private final PrintStream out;

    private Judge(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] args) throws Exception {
        Judge judge = new Judge(new PrintStream(System.out, true, StandardCharsets.UTF_8));
        System.setOut(System.err);
        if (args.length > 0) {
            for (int i = 0; i < args.length; i++) {
                judge.perform(i + 1, JSON.parseObject(args[i]));
            }
        } else {
            judge.serve();
        }
        // The client leaves threads of its own behind; nobody waits for them.
        System.exit(0);
    }

    private void serve() throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JSONObject request = JSON.parseObject(line);
            int id = request.getIntValue("id");
            if (!"stop".equals(request.getString("do"))) {
                new Thread(() -> perform(id, request), "request-" + id).start();
                continue;
            }
            Work work = running.get(id);
            if (work != null) {
                work.stop();
            }
        }
    }

    private void perform(int id, JSONObject request) {
        Events events = new Events(id, out);
        try {
            Work work = create(request, events);
            running.put(id, work);
            work.run();
            events.emit("done");
        } catch (Throwable problem) {
            events.failed(problem);
        } finally {
            running.remove(id);
        }
    }

    /** A driver is looked up by name because not every version of the client has what each of them needs. */
    private static Work create(JSONObject request, Events events) throws ReflectiveOperationException {
        String verb = String.valueOf(request.getString("do"));
        String driver = DRIVERS.get(verb);
        if (driver == null) {
            throw new IllegalArgumentException("no such request: " + verb);
        }
        return (Work) Class.forName("judge." + driver)
            .getDeclaredConstructor(JSONObject.class, Events.class)
            .newInstance(request, events);
    }
}
