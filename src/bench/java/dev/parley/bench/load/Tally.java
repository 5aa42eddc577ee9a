package dev.parley.bench.load;

import org.HdrHistogram.Histogram;

/** What the readers saw, all together. Written by their thread only. */
final class Tally {

    private static final long MAX_LATENCY_NANOS = 120_000_000_000L;

    final Histogram latency = new Histogram(MAX_LATENCY_NANOS, 3);

    /** Delivered, for other threads to look at. */
    private volatile long published;

    long deliveries;
    long bytes;
    long reads;
    long missing;
    long duplicates;
    long outOfOrder;
    long idHoles;
    long gaps;
    long goodbyes;
    long disconnected;

    void delivered(long latencyNanos) {
        deliveries++;
        latency.recordValue(Math.min(Math.max(latencyNanos, 0), MAX_LATENCY_NANOS));
    }

    /** Lets other threads see how far it is. */
    void publish() {
        published = deliveries;
    }

    long deliveriesSeen() {
        return published;
    }

    void reset() {
        latency.reset();
        deliveries = 0;
        bytes = 0;
        reads = 0;
        missing = 0;
        duplicates = 0;
        outOfOrder = 0;
        idHoles = 0;
        gaps = 0;
        goodbyes = 0;
        disconnected = 0;
        published = 0;
    }
}
