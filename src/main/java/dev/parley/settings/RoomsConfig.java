package dev.parley.settings;

import io.quarkus.runtime.annotations.RegisterForReflection;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithConverter;
import io.smallrye.config.WithParentName;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

/**
 * Settings of some rooms. The key of an entry is a pattern in quotes, as in {@code
 * parley.rooms."team.*".history.size}. Or it is a word of letters and digits, and the entry's
 * {@code pattern} is the pattern: an environment variable cannot spell a pattern, and {@code
 * PARLEY_ROOMS_TEAMS_PATTERN} sets that of the entry {@code teams}.
 *
 * <p>The entries are registered for reflection because the check of unknown settings lists their
 * methods, also in a native image.
 */
@ConfigMapping(prefix = "parley.rooms")
public interface RoomsConfig {

    /** The entries by their keys. */
    @WithParentName
    Map<String, Entry> entries();

    /** What is set for the rooms of one pattern; what is absent is as for all rooms. */
    @RegisterForReflection
    interface Entry {

        /** The pattern of the rooms; the key of the entry by default. */
        Optional<String> pattern();

        /** How many messages the broker retains. */
        History history();

        /** Limits of publishing. */
        Publish publish();
    }

    /** How many messages of each room the broker retains: those that are within all bounds. */
    @RegisterForReflection
    interface History {

        /** Messages, 1 to 1,000,000. */
        @Min(1)
        @Max(1_000_000)
        OptionalInt size();

        /** Bytes of messages: text, sender and event type as JSON in UTF-8. */
        @WithConverter(PositiveSize.class)
        Optional<MemorySize> bytes();

        /** Age of a message, at least a second. */
        Optional<@DurationMin(seconds = 1) @DurationMax(days = 36_500) Duration> age();
    }

    /** Limits of publishing. */
    @RegisterForReflection
    interface Publish {

        /**
         * Publish requests a second that this pod accepts for each of the rooms, 1 to a million; no
         * limit by default. As many may come at once.
         */
        @Min(1)
        @Max(1_000_000)
        OptionalInt rate();
    }
}
