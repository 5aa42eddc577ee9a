package dev.parley.bench.load;

import java.io.IOException;

/**
 * Opens many streams at once, publishes some messages to them, and closes them at once. Before
 * that, some readers may come and go, so that the server has opened streams before.
 */
final class StormRun {

    private static final int MESSAGES = 3;
    private static final long SECONDS = 60;
    private static final long SETTLE_MILLIS = 2_000;

    /** In which a Parley collects the garbage of the opening. */
    private static final long AFTER_OPENING_MILLIS = 3_000;

    /** In which the server notices that all readers have left. */
    private static final long LEAVE_MILLIS = 3_000;

    private final LoadOptions options;
    private final ReaderLoop readers;
    private final Publishers publishers;
    private final ProcessStats server;

    StormRun(LoadOptions options, ReaderLoop readers, Publishers publishers, ProcessStats server) {
        this.options = options;
        this.readers = readers;
        this.publishers = publishers;
        this.server = server;
    }

    Figures run() throws IOException {
        if (options.earlierReaders() > 0) {
            FanOutRun.open(readers, options.earlierReaders());
            readers.leave();
        }
        long before = memoryAfterCollection();
        long cpuBefore = server.cpuMicros();
        long start = System.nanoTime();
        readers.connect(options.readers());
        Await.condition(() -> readers.open() + readers.failed() >= options.readers(), SECONDS);
        double seconds = (System.nanoTime() - start) / 1e9;
        long cpu = server.cpuMicros() - cpuBefore;
        long full = server.pssBytes();
        int accepted = readers.open();
        Await.pause(AFTER_OPENING_MILLIS);
        long settled = server.cpuMicros() - cpuBefore;
        long disconnected = readers.stats.disconnected;
        long lost = publishAndCountLost();
        Figures errors = new Figures().errors(readers.stats);
        long leaving = server.cpuMicros();
        readers.leave();
        Await.pause(LEAVE_MILLIS);
        leaving = server.cpuMicros() - leaving;
        return errors.put("readers", options.readers())
                .put("accepted", accepted)
                .put("refused", readers.failed())
                .put("seconds", seconds)
                .put("cpuMicrosPerConnection", (double) cpu / Math.max(1, accepted))
                .put("cpuMicrosPerConnectionSettled", (double) settled / Math.max(1, accepted))
                .put("cpuMicrosPerLeaving", (double) leaving / Math.max(1, accepted))
                .put("lost", lost)
                .add("disconnected", disconnected)
                .put("publishFailures", publishers.failed())
                .put("pssBefore", before)
                .put("pssFull", full)
                .put("pssAfterLeaving", memoryAfterCollection());
    }

    private long publishAndCountLost() throws IOException {
        publishers.reset();
        readers.startCounting(publishers.nextNumbers());
        publishers.publish(1, MESSAGES, Long.MAX_VALUE);
        Await.count(readers.stats::deliveries, (long) MESSAGES * readers.open(), 5);
        return readers.lost(publishers.nextNumbers());
    }

    private long memoryAfterCollection() {
        Await.pause(SETTLE_MILLIS);
        server.collectGarbage();
        Await.pause(SETTLE_MILLIS / 2);
        return server.pssBytes();
    }
}
