package dev.parley.bench.load;

import java.util.OptionalLong;

/** Memory of readers to whom nothing happens. */
final class IdleRun {

    private static final int WARM_UP = 500;
    private static final long SETTLE_MILLIS = 2_000;

    private final Spec spec;
    private final ReaderLoop readers;
    private final ServerProbe server;

    IdleRun(Spec spec, ReaderLoop readers, ServerProbe server) {
        this.spec = spec;
        this.readers = readers;
        this.server = server;
    }

    Figures run() {
        FanOutRun.open(readers, Math.min(WARM_UP, spec.readers()));
        readers.leave();
        long before = settled();
        OptionalLong heapBefore = server.liveHeap();
        FanOutRun.open(readers, spec.readers());
        Patience.pause(SETTLE_MILLIS);
        long full = server.pssBytes();
        long collected = settled();
        OptionalLong heap = server.liveHeap();
        double count = spec.readers();
        var figures =
                new Figures()
                        .put("readers", spec.readers())
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
        return figures.put("pssAfterLeaving", settled());
    }

    private long settled() {
        Patience.pause(SETTLE_MILLIS);
        server.collectGarbage();
        Patience.pause(SETTLE_MILLIS / 2);
        return server.pssBytes();
    }
}
