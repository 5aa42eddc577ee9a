package dev.parley.bench.load;

import java.io.IOException;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/** Messages to many readers: paced or flat out, with or without some who do not read. */
final class FanOutRun {

    private static final int CONNECT_AT_ONCE = 1_000;
    private static final long IDLE_SECONDS = 5;
    static final long COMPILE_MILLIS = 3_000;

    private final Spec spec;
    private final ReaderLoop readers;
    private final Publishers publishers;
    private final ServerProbe server;
    private final Figures figures = new Figures();

    FanOutRun(Spec spec, ReaderLoop readers, Publishers publishers, ServerProbe server) {
        this.spec = spec;
        this.readers = readers;
        this.publishers = publishers;
        this.server = server;
    }

    Figures run() throws IOException, InterruptedException {
        open(readers, spec.readers());
        warmUp();
        long pss = memory();
        if (spec.slowReaders() > 0) {
            readers.connectSlow(spec.slowReaders());
            Patience.pause(500);
        }
        measure();
        figures.put("pssGrowthBytes", memory() - pss);
        if (spec.traceMessages() > 0) {
            trace();
        }
        return figures;
    }

    private long memory() {
        if (spec.collect()) {
            server.collectGarbage();
        }
        return server.pssBytes();
    }

    static void open(ReaderLoop readers, int count) {
        for (int opened = 0; opened < count; ) {
            int more = Math.min(CONNECT_AT_ONCE, count - opened);
            readers.connect(more);
            opened += more;
            int expected = opened;
            boolean all = Patience.until(() -> readers.open() >= expected, 30);
            if (!all || readers.failed() > 0) {
                throw new IllegalStateException(
                        "%d of %d readers are in, %d failed: %s"
                                .formatted(
                                        readers.open(),
                                        count,
                                        readers.failed(),
                                        readers.failure()));
            }
        }
        // Some servers answer before they have subscribed.
        Patience.pause(500);
    }

    /** Half of it flat out, so that a server that is compiled as it runs gets to run much. */
    private void warmUp() throws IOException {
        warmUp(0);
        warmUp(spec.rate());
    }

    /** With a pause at the end, in which what is still to be compiled gets its turn. */
    private void warmUp(int rate) throws IOException {
        long half = TimeUnit.SECONDS.toNanos(spec.warmUpSeconds()) / 2;
        publishers.publish(rate, Integer.MAX_VALUE, half);
        await(publishers.accepted());
        Patience.pause(COMPILE_MILLIS);
    }

    private boolean await(long messages) {
        return Patience.reaches(
                readers.tally::deliveriesSeen,
                messages * spec.readers() / spec.rooms(),
                IDLE_SECONDS);
    }

    private void measure() throws IOException {
        ServerProbe redis = new ServerProbe(spec.redisPid(), false);
        mark();
        long cpu = server.cpuMicros();
        long redisCpu = redis.cpuMicros();
        long calls = server.writeCalls();
        long start = System.nanoTime();
        publishers.publish(spec.rate(), messages(), Long.MAX_VALUE);
        boolean all = await(publishers.accepted());
        double seconds = (System.nanoTime() - start) / 1e9 - (all ? 0 : IDLE_SECONDS);
        cpu = server.cpuMicros() - cpu;
        redisCpu = redis.cpuMicros() - redisCpu;
        calls = server.writeCalls() - calls;

        double deliveries = Math.max(1, readers.tally.deliveriesSeen());
        figures.put("deliveries", (long) deliveries)
                .put("seconds", seconds)
                .put("cpuMicrosPerDelivery", cpu / deliveries)
                .put("redisCpuMicrosPerDelivery", redisCpu / deliveries)
                .put("deliveriesPerSecond", deliveries / seconds)
                .put("writeCallsPerDeliveryByProc", calls / deliveries)
                .put("readsPerDelivery", readers.tally.reads / deliveries)
                .put("bytesPerDelivery", readers.tally.bytes / deliveries)
                .latency(readers.tally.latency);
        correctness();
    }

    private long messages() {
        return spec.messages() > 0 ? spec.messages() : (long) spec.rate() * spec.seconds();
    }

    private void correctness() {
        Tally seen = readers.tally;
        figures.put("lost", readers.lost(publishers.next()))
                .put("duplicates", seen.duplicates)
                .put("outOfOrder", seen.outOfOrder + seen.idHoles)
                .put("gaps", seen.gaps)
                .put("disconnected", seen.disconnected)
                .put("publishFailures", publishers.failed());
    }

    private void mark() {
        publishers.reset();
        readers.mark(publishers.next());
    }

    private void trace() throws IOException, InterruptedException {
        if (!SystemCalls.canBeCounted()) {
            figures.copy("writeCallsPerDeliveryByProc", "writeCallsPerDelivery");
            return;
        }
        try (SystemCalls calls = SystemCalls.count(server.pids())) {
            mark();
            publishers.publish(spec.traceRate(), spec.traceMessages(), Long.MAX_VALUE);
            await(publishers.accepted());
            OptionalLong count = calls.end();
            if (count.isPresent() && readers.tally.deliveriesSeen() > 0) {
                double deliveries = readers.tally.deliveriesSeen();
                figures.put("writeCallsPerDelivery", count.getAsLong() / deliveries);
            }
        }
    }
}
