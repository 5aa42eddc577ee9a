package dev.parley.bench.load;

/**
 * Measures the server's memory as an operator sees it: with many open streams to which nothing is
 * sent, and a minute after they have left. No collection is forced.
 */
final class AsItComesRun {

    private static final int WARM_UP = 500;
    private static final long SETTLE_MILLIS = 5_000;
    private static final long QUIET_MILLIS = 60_000;

    private final LoadOptions options;
    private final ReaderLoop readers;
    private final ProcessStats server;

    AsItComesRun(LoadOptions options, ReaderLoop readers, ProcessStats server) {
        this.options = options;
        this.readers = readers;
        this.server = server;
    }

    Figures run() {
        FanOutRun.open(readers, Math.min(WARM_UP, options.readers()));
        readers.leave();
        Await.pause(SETTLE_MILLIS);
        long before = server.pssBytes();
        FanOutRun.open(readers, options.readers());
        Await.pause(SETTLE_MILLIS);
        long full = server.pssBytes();
        FanOutRun.requireAllOpen(readers, options.readers());
        readers.leave();
        Await.pause(QUIET_MILLIS);
        long after = server.pssBytes();
        return new Figures()
                .put("readers", options.readers())
                .put("pssBefore", before)
                .put("pssFull", full)
                .put("bytesPerConnection", (double) (full - before) / options.readers())
                .put("pssAfterMinute", after)
                .put("ratioAfterMinute", (double) after / before);
    }
}
