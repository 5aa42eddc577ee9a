package dev.parley.broker;

import dev.parley.settings.PositiveSize;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithConverter;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

/** How many messages of a room a broker retains: those that are within all bounds. */
@ConfigMapping(prefix = "parley.history")
public interface HistoryConfig {

    /** Messages per room, 1 to 1,000,000. */
    @WithDefault("10000")
    @Min(1)
    @Max(1_000_000)
    int size();

    /**
     * Bytes of messages per room: text, sender and event type as JSON in UTF-8. At least the newest
     * message is kept. It bounds what one room can take of the broker's memory.
     */
    @WithDefault("16M")
    @WithConverter(PositiveSize.class)
    MemorySize bytes();

    /** Age of a message, at least a second. No older message is read, by the broker's clock. */
    @WithDefault("24H")
    @DurationMin(seconds = 1)
    @DurationMax(days = 36_500)
    Duration age();

    /**
     * How long a repeat under the same {@code Idempotency-Key} is recognised, at least a second.
     */
    @WithDefault("5M")
    @DurationMin(seconds = 1)
    @DurationMax(days = 36_500)
    Duration receipts();
}
