package dev.parley.settings;

import dev.parley.message.Room;
import dev.parley.message.RoomPattern;
import io.quarkus.runtime.configuration.ConfigurationException;
import jakarta.inject.Singleton;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Finds the settings of a room: those of the first pattern that matches it, in the order of {@link
 * RoomPattern}, from the most specific one on. Entries of other patterns that match too have no
 * effect on the room.
 */
@Singleton
public final class RoomSettings {

    private final TreeMap<RoomPattern, RoomsConfig.Entry> byPattern = new TreeMap<>();

    /**
     * Reads the patterns.
     *
     * @throws ConfigurationException if one of them is not valid, or is there twice
     */
    public RoomSettings(RoomsConfig config) {
        if (config.entries().keySet().stream().anyMatch(Objects::isNull)) {
            // The framework reads "" as the absence of a key.
            pattern("parley.rooms.\"\"", "\"\"");
        }
        Map<RoomPattern, String> names = new TreeMap<>();
        // In alphabetical order, so that the same mistake is always reported in the same words.
        new TreeMap<>(config.entries())
                .forEach(
                        (key, entry) -> {
                            String name = name(key, entry);
                            RoomPattern pattern = pattern(name, entry.pattern().orElse(key));
                            String other = names.putIfAbsent(pattern, name);
                            if (other != null) {
                                throw new ConfigurationException(
                                        "%s and %s are both for the rooms %s; put their settings into one of them"
                                                .formatted(other, name, pattern));
                            }
                            byPattern.put(pattern, entry);
                        });
    }

    /** Returns what is set for a room by pattern; empty if no pattern matches it. */
    public Optional<RoomsConfig.Entry> of(Room room) {
        for (Map.Entry<RoomPattern, RoomsConfig.Entry> each : byPattern.entrySet()) {
            if (each.getKey().matches(room)) {
                return Optional.of(each.getValue());
            }
        }
        return Optional.empty();
    }

    /** Returns the name of the setting in which an entry's pattern was written. */
    private static String name(String key, RoomsConfig.Entry entry) {
        boolean isWord = key.chars().allMatch(Character::isLetterOrDigit);
        String name = "parley.rooms." + (isWord ? key : '"' + key + '"');
        return entry.pattern().isPresent() ? name + ".pattern" : name;
    }

    private static RoomPattern pattern(String name, String text) {
        RoomPattern pattern = PatternSetting.read(name, text);
        if (!pattern.canMatchARoom()) {
            throw new ConfigurationException(
                    "%s: the pattern is longer than the name of any room, which has at most %d characters"
                            .formatted(name, Room.MAX_LENGTH));
        }
        return pattern;
    }
}
