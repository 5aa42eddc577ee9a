package dev.parley.settings;

import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.Locale;
import org.eclipse.microprofile.config.spi.Converter;
import org.jspecify.annotations.Nullable;

/**
 * Reads a setting that is on or off. The framework's own converter takes every other word for
 * {@code false}.
 */
@RegisterForReflection
public final class ClearBoolean implements Converter<Boolean> {

    private static final long serialVersionUID = 1L;

    /**
     * @throws IllegalArgumentException if the value is another word; the framework adds the name of
     *     the setting
     */
    @Override
    public @Nullable Boolean convert(String value) {
        return switch (value.strip().toLowerCase(Locale.ROOT)) {
            case "" -> null;
            case "true", "yes", "y", "on", "1" -> true;
            case "false", "no", "n", "off", "0" -> false;
            default -> throw new IllegalArgumentException("true or false is expected");
        };
    }
}
