package dev.parley.settings;

import dev.parley.message.RoomPattern;
import io.quarkus.runtime.configuration.ConfigurationException;
import java.util.List;
import java.util.Optional;

/** Reads patterns of rooms from settings. */
public final class PatternSetting {

    private PatternSetting() {}

    /**
     * Reads a list of patterns; none if it is not set.
     *
     * @throws ConfigurationException as {@link #read}
     */
    public static List<RoomPattern> readAll(String setting, Optional<List<String>> texts) {
        return texts.orElse(List.of()).stream().map(text -> read(setting, text)).toList();
    }

    /**
     * Reads a pattern.
     *
     * @param setting the name of the setting in which it is written
     * @throws ConfigurationException if it is not valid; its message is a sentence that names the
     *     setting
     */
    public static RoomPattern read(String setting, String text) {
        try {
            return new RoomPattern(text);
        } catch (IllegalArgumentException e) {
            // Without the cause, since the framework prints a failure that has one with its trace.
            throw new ConfigurationException(setting + ": " + e.getMessage());
        }
    }
}
