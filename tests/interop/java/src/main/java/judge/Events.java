package judge;

import java.io.PrintStream;
import java.util.concurrent.atomic.AtomicInteger;

import com.alibaba.fastjson2.JSON;
import com.alibaba.fastjson2.JSONObject;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;

/** Writes the events of one request, each as one whole line whatever thread it comes from. */
final class Events {
    private static final AtomicInteger SERIAL = new AtomicInteger();

    private final int id;
    private final PrintStream out;

    Events(int id, PrintStream out) {
        this.id = id;
        this.out = out;
    }

    /** A name no other client of this process has: clients that share one share their connections and routes. */
    static String instanceName() {
        return "judge-" + ProcessHandle.current().pid() + "-" + SERIAL.incrementAndGet();
    }

    void emit(String event) {
        emit(event, new JSONObject());
    }

    void emit(String event, JSONObject members) {
        JSONObject line = new JSONObject();
        line.put("id", id);
        line.put("event", event);
        line.putAll(members);
        synchronized (out) {
            out.println(JSON.toJSONString(line));
        }
    }

    void failed(Throwable problem) {
        emit("failed", describe(problem));
    }

    /** What went wrong, with the broker's own code where it gave one. */
    static JSONObject describe(Throwable problem) {
        JSONObject members = new JSONObject();
        members.put("error", problem.getClass().getSimpleName());
        members.put("message", problem.getMessage() + (problem.getCause() == null ? "" : " by " + problem.getCause()));
        if (problem instanceof MQBrokerException) {
            members.put("code", ((MQBrokerException) problem).getResponseCode());
        } else if (problem instanceof MQClientException) {
            members.put("code", ((MQClientException) problem).getResponseCode());
        }
        return members;
    }
}
