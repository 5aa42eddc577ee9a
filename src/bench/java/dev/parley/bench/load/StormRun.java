package dev.parley.bench.load;

import java.io.IOException;

/** Many readers connect in the same moment, are served, and leave in the same moment. */
final class StormRun {

    private static final int MESSAGES = 3;
    private static final long SECONDS = 60;
    private static final long SETTLE_MILLIS = 2_000;

    private final Spec spec;
    private final ReaderLoop readers;
    private final Publishers publishers;
    private final ServerProbe server;

    StormRun(Spec spec, ReaderLoop readers, Publishers publishers, ServerProbe server) {
        this.spec = spec;
        this.readers = readers;
        this.publishers = publishers;
        this.server = server;
    }

    Figures run() throws IOException {
        FanOutRun.open(readers, Math.min(500, spec.readers()));
        readers.leave();
        long before = settled();
        long cpu = server.cpuMicros();
        long start = System.nanoTime();
        readers.connect(spec.readers());
        Patience.until(() -> readers.open() + readers.failed() >= spec.readers(), SECONDS);
        double seconds = (System.nanoTime() - start) / 1e9;
        cpu = server.cpuMicros() - cpu;
        long full = server.pssBytes();
        int accepted = readers.open();
        Patience.pause(500);
        long lost = serve();
        readers.leave();
        return new Figures()
                .put("readers", spec.readers())
                .put("accepted", accepted)
                .put("refused", readers.failed())
                .put("seconds", seconds)
                .put("cpuMicrosPerConnection", (double) cpu / Math.max(1, accepted))
                .put("lost", lost)
                .put("disconnected", readers.tally.disconnected)
                .put("pssBefore", before)
                .put("pssFull", full)
                .put("pssAfterLeaving", settled());
    }

    private long serve() throws IOException {
        publishers.reset();
        readers.mark(publishers.next());
        publishers.publish(1, MESSAGES, Long.MAX_VALUE);
        Patience.reaches(readers.tally::deliveriesSeen, (long) MESSAGES * readers.open(), 5);
        return readers.lost(publishers.next());
    }

    private long settled() {
        Patience.pause(SETTLE_MILLIS);
        server.collectGarbage();
        Patience.pause(SETTLE_MILLIS / 2);
        return server.pssBytes();
    }
}
