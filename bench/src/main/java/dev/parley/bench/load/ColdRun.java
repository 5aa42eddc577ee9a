package dev.parley.bench.load;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * Measures a server that has just been started, and the same server when it is warm: what a
 * delivery costs, or a publish if there are no readers.
 */
final class ColdRun {

    private static final long IDLE_SECONDS = 5;

    private final LoadOptions options;
    private final ReaderLoop readers;
    private final Publishers publishers;
    private final ProcessStats server;

    ColdRun(LoadOptions options, ReaderLoop readers, Publishers publishers, ProcessStats server) {
        this.options = options;
        this.readers = readers;
        this.publishers = publishers;
        this.server = server;
    }

    Figures run() throws IOException {
        var figures =
                new Figures()
                        .put("startMillis", options.startMillis())
                        .put("startCpuMicros", server.cpuMicros());
        FanOutRun.open(readers, options.readers());
        double cold = cpuMicros(options.coldSeconds());
        figures.latency(latency());
        figures.copy("p99Millis", "coldP99Millis");
        addErrors(figures);
        publish(0, options.warmUpSeconds());
        Await.pause(FanOutRun.COMPILE_MILLIS);
        double warm = cpuMicros(options.seconds());
        addErrors(figures);
        return figures.put("coldCpuMicros", cold)
                .put("warmCpuMicros", warm)
                .put("coldRatio", cold / warm)
                .latency(latency());
    }

    private void addErrors(Figures figures) {
        figures.add("lost", readers.lost(publishers.nextNumbers()))
                .errors(readers.stats)
                .add("publishFailures", publishers.failed());
    }

    private Histogram latency() {
        return options.readers() > 0 ? readers.stats.latency : publishers.acknowledged;
    }

    /** Publishes for this long, and returns the CPU time of a delivery or a publish. */
    private double cpuMicros(int seconds) throws IOException {
        publishers.reset();
        readers.startCounting(publishers.nextNumbers());
        long cpu = server.cpuMicros();
        publish(options.rate(), seconds);
        cpu = server.cpuMicros() - cpu;
        long count = options.readers() > 0 ? readers.stats.deliveries() : publishers.accepted();
        return (double) cpu / Math.max(1, count);
    }

    /** Publishes for this long, and returns when the readers have what was accepted. */
    private void publish(int rate, int seconds) throws IOException {
        long before = readers.stats.deliveries();
        long accepted = publishers.accepted();
        publishers.publish(rate, Integer.MAX_VALUE, TimeUnit.SECONDS.toNanos(seconds));
        long messages = publishers.accepted() - accepted;
        Await.count(readers.stats::deliveries, before + messages * options.readers(), IDLE_SECONDS);
    }
}
