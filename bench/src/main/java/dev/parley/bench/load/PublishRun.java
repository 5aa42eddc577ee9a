package dev.parley.bench.load;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** Publishes to a room without readers, as fast as the messages are acknowledged. */
final class PublishRun {

    private final LoadOptions options;
    private final Publishers publishers;
    private final ProcessStats server;

    PublishRun(LoadOptions options, Publishers publishers, ProcessStats server) {
        this.options = options;
        this.publishers = publishers;
        this.server = server;
    }

    Figures run() throws IOException {
        RedisStats redis = new RedisStats(options);
        publish(options.warmUpSeconds());
        Await.pause(FanOutRun.COMPILE_MILLIS);
        publishers.reset();
        long cpu = server.cpuMicros();
        long redisCpu = redis.cpuMicros();
        long start = System.nanoTime();
        publish(options.seconds());
        double seconds = (System.nanoTime() - start) / 1e9;
        cpu = server.cpuMicros() - cpu;
        redisCpu = redis.cpuMicros() - redisCpu;
        double accepted = Math.max(1, publishers.accepted());
        return new Figures()
                .put("published", (long) accepted)
                .put("publishesPerSecond", accepted / seconds)
                .put("cpuMicrosPerPublish", cpu / accepted)
                .put("redisCpuMicrosPerPublish", redisCpu / accepted)
                .latency(publishers.acknowledged)
                .put("publishFailures", publishers.failed())
                .put("lastFailure", publishers.lastFailure());
    }

    private void publish(int seconds) throws IOException {
        publishers.publish(options.rate(), Integer.MAX_VALUE, TimeUnit.SECONDS.toNanos(seconds));
    }
}
