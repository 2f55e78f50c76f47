package judge;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import com.alibaba.fastjson2.JSONArray;
import com.alibaba.fastjson2.JSONObject;
import org.apache.rocketmq.filter.FilterFactory;
import org.apache.rocketmq.filter.expression.EvaluationContext;
import org.apache.rocketmq.filter.expression.Expression;
import org.apache.rocketmq.filter.expression.MQFilterException;

/**
 * Apache's own reading of SQL92 conditions: compiles each and evaluates it over property maps.
 *
 * <p>Request: {@code cases}, a list of {@code condition} and {@code properties}, a list of maps. Events: one
 * {@code verdicts} with a text for each case, null when the condition is refused: for each map one of {@code T}rue,
 * {@code F}alse, {@code N}ull and {@code E}rror.
 */
final class Conditions implements Judge.Work {
    private final JSONArray cases;
    private final Events events;

    Conditions(JSONObject request, Events events) {
        this.cases = request.getJSONArray("cases");
        this.events = events;
    }

    @Override
    public void run() {
        List<String> verdicts = new ArrayList<>();
        for (int i = 0; i < cases.size(); i++) {
            JSONObject one = cases.getJSONObject(i);
            verdicts.add(judge(one.getString("condition"), one.getJSONArray("properties")));
        }
        JSONObject members = new JSONObject();
        members.put("verdicts", verdicts);
        events.emit("verdicts", members);
    }

    private static String judge(String condition, JSONArray maps) {
        Expression expression;
        try {
            expression = FilterFactory.INSTANCE.get("SQL92").compile(condition);
        } catch (MQFilterException refused) {
            return null;
        }
        StringBuilder verdicts = new StringBuilder();
        for (int i = 0; i < maps.size(); i++) {
            verdicts.append(evaluate(expression, new Properties(maps.getJSONObject(i))));
        }
        return verdicts.toString();
    }

    private static char evaluate(Expression expression, EvaluationContext context) {
        try {
            Object verdict = expression.evaluate(context);
            return verdict == null ? 'N' : (Boolean) verdict ? 'T' : 'F';
        } catch (Throwable failed) {
            return 'E';
        }
    }

    /** A message's properties, as the broker gives them to a condition. */
    private static final class Properties implements EvaluationContext {
        private final JSONObject properties;

        Properties(JSONObject properties) {
            this.properties = properties;
        }

        @Override
        public Object get(String name) {
            return properties.getString(name);
        }

        @Override
        public Map<String, Object> keyValues() {
            return properties;
        }
    }
}
