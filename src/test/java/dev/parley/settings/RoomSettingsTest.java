package dev.parley.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.parley.message.Room;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Settings of rooms by pattern, as they are written in a file and in the environment. */
public final class RoomSettingsTest {

    /** Reads settings as the program does. */
    public static RoomSettings settings(Map<String, String> file) {
        return settings(file, Map.of());
    }

    private static RoomSettings settings(
            Map<String, String> file, Map<String, String> environment) {
        return new RoomSettings(
                new SmallRyeConfigBuilder()
                        .withSources(new PropertiesConfigSource(file, "file", 100))
                        .withSources(new EnvConfigSource(environment, 300))
                        .withConverter(Duration.class, 200, new DurationConverter())
                        .withMapping(RoomsConfig.class)
                        .build()
                        .getConfigMapping(RoomsConfig.class));
    }

    @Test
    void firstMatchingPattern_decidesAlone() {
        RoomSettings settings =
                settings(
                        Map.of(
                                "parley.rooms.\"*\".history.size", "1",
                                "parley.rooms.\"team.*\".history.size", "2",
                                "parley.rooms.\"team.*\".publish.rate", "20",
                                "parley.rooms.\"team.*.private\".history.size", "3",
                                "parley.rooms.\"team.red.private\".history.size", "4"));

        assertThat(size(settings, "kitchen")).hasValue(1);
        assertThat(size(settings, "team.red")).hasValue(2);
        assertThat(size(settings, "team.blue.private")).hasValue(3);
        assertThat(size(settings, "team.red.private")).hasValue(4);
        assertThat(settings.of(new Room("team.red")).orElseThrow().publish().rate()).hasValue(20);
        assertThat(settings.of(new Room("team.red.private")).orElseThrow().publish().rate())
                .as("what a more general pattern sets")
                .isEmpty();
    }

    @Test
    void roomThatNoPatternMatches_hasNoSettings() {
        RoomSettings settings = settings(Map.of("parley.rooms.\"team.*\".history.size", "2"));

        assertThat(settings.of(new Room("kitchen"))).isEmpty();
        assertThat(settings(Map.of()).of(new Room("kitchen"))).isEmpty();
    }

    @Test
    void roomWithoutDots_needsNoQuotes() {
        RoomSettings settings =
                settings(
                        Map.of(
                                "parley.rooms.kitchen.history.age", "5S",
                                "parley.rooms.kitchen.history.bytes", "64K"));

        RoomsConfig.History history = settings.of(new Room("kitchen")).orElseThrow().history();
        assertThat(history.age()).hasValue(Duration.ofSeconds(5));
        assertThat(history.bytes().orElseThrow().asLongValue()).isEqualTo(65_536);
        assertThat(history.size()).isEmpty();
    }

    @Test
    void variables_nameAnEntryByAWord_andSetItsPattern() {
        RoomSettings settings =
                settings(
                        Map.of(),
                        Map.of(
                                "PARLEY_ROOMS_TEAMS_PATTERN", "team.*",
                                "PARLEY_ROOMS_TEAMS_HISTORY_SIZE", "7",
                                "PARLEY_ROOMS_KITCHEN_HISTORY_SIZE", "8"));

        assertThat(size(settings, "team.red")).hasValue(7);
        assertThat(size(settings, "kitchen")).hasValue(8);
        assertThat(settings.of(new Room("teams"))).isEmpty();
    }

    @Test
    void variable_replacesTheValueInAFile() {
        RoomSettings settings =
                settings(
                        Map.of("parley.rooms.\"team.*\".history.size", "2"),
                        Map.of("PARLEY_ROOMS__TEAM____HISTORY_SIZE", "7"));

        assertThat(size(settings, "team.red")).hasValue(7);
    }

    @Test
    void wrongPattern_isRefused_withTheSettingThatHasIt() {
        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(() -> settings(Map.of("parley.rooms.\"te*m\".history.size", "2")))
                .withMessageStartingWith("parley.rooms.\"te*m\": te*m is not a pattern of rooms; ");
        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(() -> settings(Map.of("parley.rooms.teams.pattern", "te*m")))
                .withMessageStartingWith("parley.rooms.teams.pattern: te*m is not a pattern");
    }

    @Test
    void emptyPattern_isRefused_withTheFormsThereAre() {
        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(() -> settings(Map.of("parley.rooms.\"\".history.size", "5")))
                .withMessageStartingWith(
                        "parley.rooms.\"\": \"\" is not a pattern of rooms; write ");
    }

    @Test
    void patternLongerThanAnyRoom_isRefused() {
        String pattern = "a".repeat(65);

        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(() -> settings(Map.of("parley.rooms.teams.pattern", pattern)))
                .withMessageStartingWith(
                        "parley.rooms.teams.pattern: the pattern is longer than the name of any");
    }

    @Test
    void patternThatIsThereTwice_isRefused_withBothSettings() {
        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(
                        () ->
                                settings(
                                        Map.of(
                                                "parley.rooms.\"team.*\".history.size", "2",
                                                "parley.rooms.teams.pattern", "team.*")))
                .withMessage(
                        "parley.rooms.\"team.*\" and parley.rooms.teams.pattern are both for the"
                                + " rooms team.*; put their settings into one of them");
    }

    private static OptionalInt size(RoomSettings settings, String room) {
        return settings.of(new Room(room)).orElseThrow().history().size();
    }
}
