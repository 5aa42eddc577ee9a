package dev.parley.delivery;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** Counts streams, deliveries, and how streams begin and end. */
final class DeliveryMeters {

    private static final Duration[] BUCKETS =
            Stream.of(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500)
                    .map(Duration::ofMillis)
                    .toArray(Duration[]::new);

    /**
     * Longest latency that is recorded, so that a wrong clock, a made-up announcement, or a message
     * that was read after a long outage does not dominate the sum.
     */
    private static final Duration MAX_AGE = Duration.ofHours(1);

    private final AtomicInteger connected = new AtomicInteger();
    private final AtomicInteger cursors = new AtomicInteger();
    private final AtomicInteger slow = new AtomicInteger();
    private final Counter deliveries;
    private final Counter deliveredBytes;
    private final Counter resumed;
    private final Counter gaps;
    private final Counter replayed;
    private final Counter plainDropped;
    private final Timer fanOut;
    private final Map<DisconnectReason, Counter> disconnects =
            new EnumMap<>(DisconnectReason.class);

    DeliveryMeters(MeterRegistry registry) {
        Gauge.builder("parley.connected.clients", connected, AtomicInteger::get)
                .description("Open event streams")
                .register(registry);
        Gauge.builder("parley.cursors", cursors, AtomicInteger::get)
                .description("Rooms that open event streams read, each counted for each stream")
                .register(registry);
        Gauge.builder("parley.slow.readers", slow, AtomicInteger::get)
                .description("Event streams that take no bytes at the moment")
                .register(registry);
        deliveries = counter(registry, "parley.deliveries", "Messages handed to a connection");
        deliveredBytes =
                Counter.builder("parley.delivered.bytes")
                        .baseUnit("bytes")
                        .description("Bytes of those messages")
                        .register(registry);
        replayed =
                counter(
                        registry,
                        "parley.replayed.messages",
                        "Deliveries read from the broker's history");
        plainDropped =
                counter(
                        registry,
                        "parley.plain.late",
                        "Plain texts from Redis that an event loop dropped because too many waited");
        fanOut =
                Timer.builder("parley.fanout")
                        .description(
                                "From publish to the write to the readers, per message and event loop")
                        .serviceLevelObjectives(BUCKETS)
                        .register(registry);
        resumed = resumes(registry, "resumed");
        gaps = resumes(registry, "gap");
        for (DisconnectReason reason : DisconnectReason.values()) {
            disconnects.put(
                    reason,
                    Counter.builder("parley.disconnects")
                            .description("Event streams that ended")
                            .tag("reason", reason.label())
                            .register(registry));
        }
    }

    /**
     * Counts a stream in.
     *
     * @param rooms how many it reads
     */
    void connected(int rooms) {
        connected.incrementAndGet();
        cursors.addAndGet(rooms);
    }

    /** Counts a stream out that was counted in with as many rooms. */
    void disconnected(DisconnectReason reason, int rooms) {
        connected.decrementAndGet();
        cursors.addAndGet(-rooms);
        count(reason);
    }

    /**
     * Counts streams whose connections accept no bytes.
     *
     * @param change 1 for one more, -1 for one fewer
     */
    void slow(int change) {
        slow.addAndGet(change);
    }

    /** Counts a stream that was refused, and so was never counted as connected. */
    void refused(DisconnectReason reason) {
        count(reason);
    }

    /** Counts a plain text that was dropped because too many were waiting. */
    void plainDropped() {
        plainDropped.increment();
    }

    /**
     * Records that a message was written to the streams of an event loop.
     *
     * @param age time since the broker accepted it; if clocks differ, it may be negative or far too
     *     long
     */
    void fannedOut(Duration age) {
        Duration atLeastNone = age.isNegative() ? Duration.ZERO : age;
        fanOut.record(atLeastNone.compareTo(MAX_AGE) > 0 ? MAX_AGE : atLeastNone);
    }

    void delivered(long messages, long bytes) {
        deliveries.increment((double) messages);
        deliveredBytes.increment((double) bytes);
    }

    void replayed(int messages) {
        replayed.increment(messages);
    }

    void resumed() {
        resumed.increment();
    }

    void gap() {
        gaps.increment();
    }

    private void count(DisconnectReason reason) {
        Objects.requireNonNull(disconnects.get(reason)).increment();
    }

    private static Counter counter(MeterRegistry registry, String name, String description) {
        return Counter.builder(name).description(description).register(registry);
    }

    private static Counter resumes(MeterRegistry registry, String outcome) {
        return Counter.builder("parley.resumes")
                .description("Streams that came back with a position")
                .tag("outcome", outcome)
                .register(registry);
    }
}
