package dev.parley.broker.memory;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;

/** Shows how near the memory broker is to its ceiling, and what it forgets to stay below it. */
final class CeilingMeters {

    private final Counter rooms;
    private final Counter messages;
    private final Counter receipts;

    CeilingMeters(MeterRegistry registry, MemoryBroker broker) {
        rooms = counter(registry, "rooms");
        messages = counter(registry, "messages");
        receipts = counter(registry, "receipts");
        Gauge.builder("parley.memory", broker, MemoryBroker::bytes)
                .description("Estimated memory of all rooms' messages and receipts")
                .baseUnit("bytes")
                .register(registry);
    }

    private static Counter counter(MeterRegistry registry, String kind) {
        return Counter.builder("parley.memory.forgotten")
                .description("What was forgotten before its time, to stay below the ceiling")
                .tag("kind", kind)
                .register(registry);
    }

    /** Counts a room that was forgotten, with the messages and receipts that it has. */
    void onForgotten(MemoryLog room) {
        rooms.increment();
        messages.increment(room.messages());
        receipts.increment(room.receipts());
    }

    /** Counts what a room has forgotten, by the numbers of messages and receipts that it had. */
    void onShortened(MemoryLog room, int messagesBefore, int receiptsBefore) {
        messages.increment(messagesBefore - room.messages());
        receipts.increment(receiptsBefore - room.receipts());
    }
}
