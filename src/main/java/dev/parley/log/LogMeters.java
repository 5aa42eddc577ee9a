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

    /** A comparison with the broker brought messages that delivery had missed. */
    void backfilled() {
        backfills.increment();
    }
}
