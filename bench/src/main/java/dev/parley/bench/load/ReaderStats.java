package dev.parley.bench.load;

import org.HdrHistogram.Histogram;

/** Counts of all readers together. Only the readers' thread writes them. */
final class ReaderStats {

    private static final long MAX_LATENCY_NANOS = 120_000_000_000L;

    final Histogram latency = new Histogram(MAX_LATENCY_NANOS, 3);

    /** From the opening of a visitor's connection to its first id. */
    final Histogram openings = new Histogram(MAX_LATENCY_NANOS, 3);

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
    long disconnected;

    /** Visitors that were given up before their first id. */
    long openingsLost;

    void onDelivery(long latencyNanos) {
        received++;
        latency.recordValue(Math.min(Math.max(latencyNanos, 0), MAX_LATENCY_NANOS));
    }

    /** The 99th percentile of the latency. */
    double p99Millis() {
        return latency.getValueAtPercentile(99) / 1e6;
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
        openings.reset();
        received = 0;
        bytes = 0;
        reads = 0;
        missing = 0;
        duplicates = 0;
        outOfOrder = 0;
        idHoles = 0;
        gaps = 0;
        disconnected = 0;
        openingsLost = 0;
        exposed = 0;
    }
}
