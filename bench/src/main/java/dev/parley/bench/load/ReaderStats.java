package dev.parley.bench.load;

import org.HdrHistogram.Histogram;

/** Counts of all readers together. Only the readers' thread writes them. */
final class ReaderStats {

    private static final long MAX_LATENCY_NANOS = 120_000_000_000L;

    final Histogram latency = new Histogram(MAX_LATENCY_NANOS, 3);

    /** Copy of {@link #received} that other threads may read. */
    private volatile long exposed;

    long received;
    long bytes;
    long reads;
    long missing;
    long duplicates;
    long outOfOrder;
    long idHoles;
    long gaps;
    long goodbyes;
    long disconnected;

    void onDelivery(long latencyNanos) {
        received++;
        latency.recordValue(Math.min(Math.max(latencyNanos, 0), MAX_LATENCY_NANOS));
    }

    /** Makes the number of deliveries visible to other threads. */
    void exposeDeliveries() {
        exposed = received;
    }

    /** Number of deliveries; any thread may ask. */
    long deliveries() {
        return exposed;
    }

    void reset() {
        latency.reset();
        received = 0;
        bytes = 0;
        reads = 0;
        missing = 0;
        duplicates = 0;
        outOfOrder = 0;
        idHoles = 0;
        gaps = 0;
        goodbyes = 0;
        disconnected = 0;
        exposed = 0;
    }
}
