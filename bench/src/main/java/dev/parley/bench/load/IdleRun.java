package dev.parley.bench.load;

import java.util.OptionalLong;

/** Measures the server's memory with many open streams to which nothing is sent. */
final class IdleRun {

    private static final int WARM_UP = 500;
    private static final long SETTLE_MILLIS = 2_000;

    private final LoadOptions options;
    private final ReaderLoop readers;
    private final ProcessStats server;

    IdleRun(LoadOptions options, ReaderLoop readers, ProcessStats server) {
        this.options = options;
        this.readers = readers;
        this.server = server;
    }

    Figures run() {
        FanOutRun.open(readers, Math.min(WARM_UP, options.readers()));
        readers.leave();
        long before = memoryAfterCollection();
        OptionalLong heapBefore = server.liveHeap();
        FanOutRun.open(readers, options.readers());
        Await.pause(SETTLE_MILLIS);
        long full = server.pssBytes();
        long collected = memoryAfterCollection();
        OptionalLong heap = server.liveHeap();
        FanOutRun.requireAllOpen(readers, options.readers());
        double count = options.readers();
        var figures =
                new Figures()
                        .put("readers", options.readers())
                        .put("pssBefore", before)
                        .put("pssFull", full)
                        .put("pssCollected", collected)
                        .put("bytesPerConnection", (collected - before) / count)
                        .put("bytesPerConnectionBeforeCollection", (full - before) / count);
        if (heap.isPresent() && heapBefore.isPresent()) {
            double bytes = (double) heap.getAsLong() - heapBefore.getAsLong();
            figures.put("liveHeapBytesPerConnection", bytes / count);
        }
        readers.leave();
        return figures.put("pssAfterLeaving", memoryAfterCollection());
    }

    private long memoryAfterCollection() {
        Await.pause(SETTLE_MILLIS);
        server.collectGarbage();
        Await.pause(SETTLE_MILLIS / 2);
        return server.pssBytes();
    }
}
