package dev.parley.log;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/** Counts what happens to the pod's copies of logs. */
final class LogMeters {

    private final Counter backfills;

    LogMeters(MeterRegistry registry) {
        backfills =
                Counter.builder("parley.backfills")
                        .description("Holes in a room's log that were filled")
                        .register(registry);
    }

    /** Counts a comparison with the broker that found missed messages. */
    void backfilled() {
        backfills.increment();
    }
}
