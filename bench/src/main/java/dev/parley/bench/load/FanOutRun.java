package dev.parley.bench.load;

import java.io.IOException;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/**
 * Publishes messages to many readers, at a fixed rate or as fast as they are acknowledged. Some
 * more readers may open a stream and never read it.
 */
final class FanOutRun {

    private static final int CONNECT_AT_ONCE = 1_000;
    private static final long IDLE_SECONDS = 5;

    /** Pause in which the server's JVM compiles what is queued for compilation. */
    static final long COMPILE_MILLIS = 3_000;

    /** Largest message, in bytes, that the warm-up publishes as fast as possible. */
    private static final int MOST_FLAT_OUT = 1_000;

    /** Messages that the warm-up publishes as fast as possible before it waits for the readers. */
    private static final int WARM_UP_ROUND = 2_000;

    private final LoadOptions options;
    private final ReaderLoop readers;
    private final Publishers publishers;
    private final ProcessStats server;
    private final Figures figures = new Figures();

    FanOutRun(LoadOptions options, ReaderLoop readers, Publishers publishers, ProcessStats server) {
        this.options = options;
        this.readers = readers;
        this.publishers = publishers;
        this.server = server;
    }

    Figures run() throws IOException, InterruptedException {
        open(readers, options.readers());
        warmUp();
        long pss = memory();
        if (options.slowReaders() > 0) {
            readers.connectSlow(options.slowReaders());
            Await.pause(500);
        }
        measure();
        figures.put("pssGrowthBytes", memory() - pss);
        if (options.traceMessages() > 0) {
            trace();
        }
        return figures;
    }

    private long memory() {
        if (options.collect()) {
            server.collectGarbage();
        }
        return server.pssBytes();
    }

    /** Opens this many streams, at most 1,000 at a time, and waits until all are open. */
    static void open(ReaderLoop readers, int count) {
        for (int opened = 0; opened < count; ) {
            int more = Math.min(CONNECT_AT_ONCE, count - opened);
            readers.connect(more);
            opened += more;
            int expected = opened;
            boolean all = Await.condition(() -> readers.open() >= expected, 30);
            if (!all || readers.failed() > 0) {
                throw new IllegalStateException(
                        "%d of %d readers have their stream, %d failed: %s"
                                .formatted(
                                        readers.open(),
                                        count,
                                        readers.failed(),
                                        readers.failure()));
            }
        }
        // Some servers send the response head before they have subscribed the stream to the room.
        Await.pause(500);
    }

    /**
     * Publishes for half of the time as fast as possible, so that a JIT compiler sees much code
     * run, and for the other half at the measured rate. Large messages are published at that rate
     * alone: the readers would be further behind than a history of bounded size reaches.
     *
     * @throws IllegalStateException if the server ended streams meanwhile, because it would be
     *     measured with fewer readers
     */
    private void warmUp() throws IOException {
        warmUp(options.size() <= MOST_FLAT_OUT ? 0 : options.rate());
        warmUp(options.rate());
        requireAllOpen(readers, options.readers());
    }

    /**
     * Requires that the server has ended no stream.
     *
     * @throws IllegalStateException if it has, because it would be measured with fewer readers
     */
    static void requireAllOpen(ReaderLoop readers, int count) {
        if (readers.stats.disconnected > 0) {
            throw new IllegalStateException(
                    "the server ended %d of %d streams before they were measured"
                            .formatted(readers.stats.disconnected, count));
        }
    }

    /**
     * Publishes for half of the warm-up's time, then pauses for the JIT compiler. What is published
     * as fast as possible comes in rounds, each of which the readers have received before the next
     * one begins. Otherwise a load client that is late would be further behind than the history
     * reaches, and a server may end such streams.
     */
    private void warmUp(int rate) throws IOException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(options.warmUpSeconds()) / 2;
        int round = rate == 0 ? WARM_UP_ROUND : Integer.MAX_VALUE;
        for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
            publishers.publish(rate, round, left);
            awaitDeliveries(publishers.accepted());
        }
        Await.pause(COMPILE_MILLIS);
    }

    /** Waits until the readers have received this many messages; false if some never came. */
    private boolean awaitDeliveries(long messages) {
        return Await.count(
                readers.stats::deliveries,
                messages * options.readers() * options.roomsPerStream() / options.rooms(),
                IDLE_SECONDS);
    }

    private void measure() throws IOException {
        RedisStats redis = new RedisStats(options);
        var readingPods = new ProcessStats(options.readingPids(), options.jvm());
        startCounting();
        long cpu = server.cpuMicros();
        long readingCpu = readingPods.cpuMicros();
        long redisCpu = redis.cpuMicros();
        long redisOutput = redis.outputBytes();
        long calls = server.writeCalls();
        long start = System.nanoTime();
        publishers.publish(options.rate(), messages(), Long.MAX_VALUE);
        boolean all = awaitDeliveries(publishers.accepted());
        double seconds = (System.nanoTime() - start) / 1e9 - (all ? 0 : IDLE_SECONDS);
        cpu = server.cpuMicros() - cpu;
        readingCpu = readingPods.cpuMicros() - readingCpu;
        redisCpu = redis.cpuMicros() - redisCpu;
        redisOutput = redis.outputBytes() - redisOutput;
        calls = server.writeCalls() - calls;

        double deliveries = Math.max(1, readers.stats.deliveries());
        double published = Math.max(1, publishers.accepted());
        figures.put("deliveries", (long) deliveries)
                .put("seconds", seconds)
                .put("cpuMicrosPerDelivery", cpu / deliveries)
                .put("redisCpuMicrosPerDelivery", redisCpu / deliveries)
                .put("cpuMicrosPerPublish", cpu / published)
                .put("readingCpuMicrosPerPublish", readingCpu / published)
                .put("redisCpuMicrosPerPublish", redisCpu / published)
                .put("redisOutputBytesPerPublish", redisOutput / published)
                .put("deliveriesPerSecond", deliveries / seconds)
                .put("writeCallsPerDeliveryByProc", calls / deliveries)
                .put("readsPerDelivery", readers.stats.reads / deliveries)
                .put("bytesPerDelivery", readers.stats.bytes / deliveries)
                .latency(readers.stats.latency);
        putErrors();
    }

    private long messages() {
        return options.messages() > 0
                ? options.messages()
                : (long) options.rate() * options.seconds();
    }

    private void putErrors() {
        figures.put("lost", readers.lost(publishers.nextNumbers()))
                .errors(readers.stats)
                .put("publishFailures", publishers.failed());
    }

    private void startCounting() {
        publishers.reset();
        readers.startCounting(publishers.nextNumbers());
    }

    /** Publishes once more under strace and counts the server's write calls. */
    private void trace() throws IOException, InterruptedException {
        if (!WriteCallCounter.isInstalled()) {
            figures.copy("writeCallsPerDeliveryByProc", "writeCallsPerDelivery");
            return;
        }
        try (WriteCallCounter calls = WriteCallCounter.attach(server.pids())) {
            startCounting();
            publishers.publish(options.traceRate(), options.traceMessages(), Long.MAX_VALUE);
            awaitDeliveries(publishers.accepted());
            OptionalLong count = calls.detach();
            if (count.isPresent() && readers.stats.deliveries() > 0) {
                double deliveries = readers.stats.deliveries();
                figures.put("writeCallsPerDelivery", count.getAsLong() / deliveries);
            }
        }
    }
}
