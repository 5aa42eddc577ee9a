package dev.parley.settings;

import io.quarkus.runtime.annotations.RegisterForReflection;
import io.quarkus.runtime.configuration.DurationConverter;
import jakarta.annotation.Priority;
import java.time.Duration;
import org.eclipse.microprofile.config.spi.Converter;
import org.jspecify.annotations.Nullable;

/**
 * Reads every duration among the settings, such as {@code 15S}, in place of the framework's
 * converter, which it calls. That one fails for a number that is too large to be counted with an
 * exception to which the name of the setting is not added.
 */
@RegisterForReflection
@Priority(BoundedDuration.BEFORE_THE_FRAMEWORKS)
public final class BoundedDuration implements Converter<Duration> {

    private static final long serialVersionUID = 1L;

    /** The framework's converters have the priority 200. */
    static final int BEFORE_THE_FRAMEWORKS = 300;

    /**
     * @throws IllegalArgumentException if the value is not a duration; the framework adds the name
     *     of the setting
     */
    @Override
    public @Nullable Duration convert(String value) {
        try {
            return new DurationConverter().convert(value);
        } catch (ArithmeticException | IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "a duration is written 500MS, 15S, 5M, 24H or 7D, and has at most 36500 days");
        }
    }
}
