package dev.parley.log;

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

/** Bounds of the logs that a pod keeps in memory. Older messages are read from the broker. */
@ConfigMapping(prefix = "parley.log")
public interface LogConfig {

    /** Messages per room, 16 to 65,536. */
    @WithDefault("1024")
    @Min(16)
    @Max(65536)
    int messages();

    /** Memory per room, estimated; the newest message is kept however long it is. */
    @WithDefault("4M")
    @WithConverter(PositiveSize.class)
    MemorySize bytes();

    /**
     * Memory over all rooms, estimated. While it is exceeded, a room that gets a message drops its
     * older ones.
     */
    @WithDefault("64M")
    @WithConverter(PositiveSize.class)
    MemorySize totalBytes();

    /**
     * Rooms in memory, about; streams that would open more are refused. Each takes about 9 KB
     * beside its messages. 1 or more.
     */
    @WithDefault("30000")
    @Min(1)
    int rooms();

    /** How long a room is kept after its last stream has ended. */
    @WithDefault("60S")
    @DurationMin(millis = 1)
    @DurationMax(days = 36_500)
    Duration linger();

    /** How often a room in memory is compared with the broker although nothing hints at a loss. */
    @WithDefault("60S")
    @DurationMin(millis = 100)
    @DurationMax(days = 36_500)
    Duration audit();
}
