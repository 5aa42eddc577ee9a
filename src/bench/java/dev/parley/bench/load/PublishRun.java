package dev.parley.bench.load;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** Publishing alone, as fast as it is acknowledged. */
final class PublishRun {

    private final Spec spec;
    private final Publishers publishers;
    private final ServerProbe server;

    PublishRun(Spec spec, Publishers publishers, ServerProbe server) {
        this.spec = spec;
        this.publishers = publishers;
        this.server = server;
    }

    Figures run() throws IOException {
        ServerProbe redis = new ServerProbe(spec.redisPid(), false);
        publish(spec.warmUpSeconds());
        Patience.pause(FanOutRun.COMPILE_MILLIS);
        publishers.reset();
        long cpu = server.cpuMicros();
        long redisCpu = redis.cpuMicros();
        long start = System.nanoTime();
        publish(spec.seconds());
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
        publishers.publish(spec.rate(), Integer.MAX_VALUE, TimeUnit.SECONDS.toNanos(seconds));
    }
}
