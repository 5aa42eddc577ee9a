package dev.parley.publish;

import dev.parley.settings.PositiveSize;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithConverter;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import java.util.OptionalInt;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

/** Limits of publishing. */
@ConfigMapping(prefix = "parley.publish")
public interface PublishConfig {

    /** Longest text, in bytes of UTF-8. */
    @WithDefault("64K")
    @WithConverter(PositiveSize.class)
    MemorySize maxText();

    /** Longest time for any POST request to arrive and be answered, at least a second. */
    @WithDefault("30S")
    @DurationMin(seconds = 1)
    @DurationMax(days = 36_500)
    Duration requestTimeout();

    /**
     * Publish requests a second that one client may make in the long run, 1 to a million; no limit
     * by default. A client is a person with a token, otherwise an address.
     */
    @Min(1)
    @Max(1_000_000)
    OptionalInt rate();

    /** Requests that one client may make at once before the rate applies, 1 or more. */
    @WithDefault("20")
    @Min(1)
    int burst();
}
