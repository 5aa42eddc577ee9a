package dev.parley.bench.load;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Opens and closes rooms at a fixed rate on a server that has many open rooms, while messages are
 * published in some of these. It is measured twice, without and with the opening, and the
 * difference is what the opening costs. Each room that is opened is a new one and has one stream,
 * which leaves after a second.
 */
final class OpeningRun {

    private static final long IDLE_SECONDS = 5;

    /**
     * After this time as many rooms are closed as are opened: a second of a stream, and one of the
     * room.
     */
    private static final long STEADY_MILLIS = 3_000;

    private final LoadOptions options;
    private final ReaderLoop readers;
    private final Publishers publishers;
    private final ProcessStats server;
    private final RedisStats redis;
    private final AtomicInteger opened = new AtomicInteger();

    OpeningRun(
            LoadOptions options, ReaderLoop readers, Publishers publishers, ProcessStats server) {
        this.options = options;
        this.readers = readers;
        this.publishers = publishers;
        this.server = server;
        this.redis = new RedisStats(options);
    }

    /** What was used in one of the two measurements, and what was lost in it. */
    private record Used(long cpu, long redisCpu, double seconds, long lost) {}

    Figures run() throws IOException {
        FanOutRun.open(readers, options.readers());
        var opening = new Opening();
        publish(options.warmUpSeconds());
        opening.stop();
        Await.pause(FanOutRun.COMPILE_MILLIS);
        FanOutRun.requireAllOpen(readers, options.readers());
        Used quiet = measure();
        double quietP99 = readers.stats.p99Millis();
        if (broken() > 0) {
            throw new IllegalStateException("errors before any room was opened: " + broken());
        }

        opening = new Opening();
        Await.pause(STEADY_MILLIS);
        FanOutRun.requireAllOpen(readers, options.readers());
        Used busy = measure();
        opening.stop();
        Await.condition(() -> readers.visitorsWithoutId() == 0, IDLE_SECONDS);

        ReaderStats seen = readers.stats;
        double openings = Math.max(1, seen.openings.getTotalCount());
        return new Figures()
                .put("openings", seen.openings.getTotalCount())
                .put("openingsPerSecond", openings / busy.seconds())
                .put("cpuMicrosPerOpening", (busy.cpu() - quiet.cpu()) / openings)
                .put("redisCpuMicrosPerOpening", (busy.redisCpu() - quiet.redisCpu()) / openings)
                .put("openingP99Millis", seen.openings.getValueAtPercentile(99) / 1e6)
                .latency(seen.latency)
                .put("quietP99Millis", quietP99)
                .put("lost", quiet.lost() + busy.lost())
                .errors(seen)
                .put("openingsLost", seen.openingsLost + readers.visitorsWithoutId())
                .put("openingFailures", readers.failed());
    }

    private long broken() {
        ReaderStats seen = readers.stats;
        return seen.duplicates + seen.outOfOrder + seen.idHoles + seen.gaps + seen.disconnected;
    }

    private Used measure() throws IOException {
        publishers.reset();
        readers.startCounting(publishers.nextNumbers());
        long cpu = server.cpuMicros();
        long redisCpu = redis.cpuMicros();
        long start = System.nanoTime();
        publish(options.seconds());
        cpu = server.cpuMicros() - cpu;
        redisCpu = redis.cpuMicros() - redisCpu;
        double seconds = (System.nanoTime() - start) / 1e9;
        // Each room has one reader.
        Await.count(readers.stats::deliveries, publishers.accepted(), IDLE_SECONDS);
        return new Used(cpu, redisCpu, seconds, readers.lost(publishers.nextNumbers()));
    }

    private void publish(int seconds) throws IOException {
        publishers.publish(options.rate(), (long) options.rate() * seconds, Long.MAX_VALUE);
    }

    /** Opens and closes rooms from now on. */
    private final class Opening {

        private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
        private final ScheduledFuture<?> visits =
                clock.scheduleAtFixedRate(
                        () -> readers.visit(opened.incrementAndGet(), options.opening()),
                        0,
                        1_000_000 / options.opening(),
                        TimeUnit.MICROSECONDS);

        /**
         * Opens no more rooms.
         *
         * @throws IllegalStateException if one could not be opened, because none was after it
         */
        void stop() {
            boolean hasFailed = visits.isDone();
            clock.shutdownNow();
            if (hasFailed) {
                try {
                    visits.get();
                } catch (InterruptedException | ExecutionException e) {
                    throw new IllegalStateException("no more rooms were opened", e);
                }
            }
        }
    }
}
