package dev.parley.log;

import dev.parley.broker.LostHistories;
import dev.parley.message.Room;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/** Counts what happens to the pod's copies of logs. */
final class LogMeters {

    private final Counter backfills;
    private final LostHistories lost;

    LogMeters(MeterRegistry registry, LostHistories lost) {
        backfills =
                Counter.builder("parley.backfills")
                        .description("Comparisons with the broker that found missed messages")
                        .register(registry);
        this.lost = lost;
    }

    /**
     * Counts a replica that starts over, because the broker's log has lost what the replica has.
     */
    void historyLost(Room room) {
        lost.add(room);
    }

    /** Counts a comparison with the broker that found missed messages. */
    void backfilled() {
        backfills.increment();
    }
}
