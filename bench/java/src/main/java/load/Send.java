package load;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.LongStream;

import com.alibaba.fastjson2.JSONObject;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;

/** One producer, as many threads as sends are to be under way, each with one synchronous send at a time. */
final class Send {
    private static final int TIMEOUT_MS = 10_000;
    private static final int ATTEMPTS = 5;
    private static final long NANOS = 1_000_000_000L;

    private final JSONObject job;
    private final Handshake handshake;
    private final DefaultMQProducer producer = new DefaultMQProducer("bench-producer");
    private final AtomicReference<Exception> failure = new AtomicReference<>();

    Send(JSONObject job, Handshake handshake) {
        this.job = job;
        this.handshake = handshake;
    }

    void run() throws Exception {
        producer.setNamesrvAddr(job.getString("address"));
        producer.setSendMsgTimeout(TIMEOUT_MS);
        producer.start();
        connect();
        sendFor(job.getDoubleValue("warm_up"));
        handshake.ready();
        long start = System.nanoTime();
        long[] latencies = sendFor(job.getDoubleValue("seconds"));
        double seconds = (System.nanoTime() - start) / (double) NANOS;
        handshake.done((long) latencies.length * batch(), seconds, latencies);
    }

    /** Threads that all begin with a cold client run into its time limit for finding a route. */
    private void connect() throws Exception {
        for (int attempts = 1;; attempts++) {
            try {
                producer.send(message(body()));
                return;
            } catch (Exception problem) {
                if (attempts == ATTEMPTS) {
                    throw problem;
                }
            }
        }
    }

    private int batch() {
        return Math.max(1, job.getIntValue("batch"));
    }

    private long[] sendFor(double seconds) throws Exception {
        long end = System.nanoTime() + (long) (seconds * NANOS);
        int threads = job.getIntValue("outstanding");
        List<List<Long>> taken = new ArrayList<>();
        CountDownLatch ended = new CountDownLatch(threads);
        for (int i = 0; i < threads; i++) {
            List<Long> own = new ArrayList<>();
            taken.add(own);
            new Thread(() -> {
                try {
                    sendUntil(end, own);
                } catch (Exception problem) {
                    failure.compareAndSet(null, problem);
                } finally {
                    ended.countDown();
                }
            }).start();
        }
        ended.await();
        if (failure.get() != null) {
            throw failure.get();
        }
        return taken.stream().flatMapToLong(own -> own.stream().mapToLong(Long::longValue)).toArray();
    }

    private void sendUntil(long end, List<Long> latencies) throws Exception {
        byte[] body = body();
        long begun = System.nanoTime();
        while (begun < end) {
            SendResult result = batch() == 1 ? producer.send(message(body)) : producer.send(messages(body));
            if (result.getSendStatus() != SendStatus.SEND_OK) {
                throw new IllegalStateException("a send ended as " + result.getSendStatus());
            }
            long answered = System.nanoTime();
            latencies.add(answered - begun);
            begun = answered;
        }
    }

    private byte[] body() {
        return "0123456789abcdefghijklmnopqrstuvwxyz".repeat(job.getIntValue("size") / 36 + 1)
            .substring(0, job.getIntValue("size"))
            .getBytes(StandardCharsets.US_ASCII);
    }

    private Message message(byte[] body) {
        return new Message(job.getString("topic"), body);
    }

    private List<Message> messages(byte[] body) {
        return LongStream.range(0, batch()).mapToObj(i -> message(body)).toList();
    }
}
