package dev.parley.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class RoomPatternTest {

    @ParameterizedTest
    @CsvSource({
        "kitchen, kitchen",
        "*, kitchen",
        "*, team.red.private",
        "team.*, team.red",
        "team.*, team.red.private",
        "team*, team",
        "team*, teams",
        "team.*.private, team.red.private",
        "*.private, red.private",
        "team.*.*, team.red.private",
        "team.*.p*, team.red.private",
        "a.*.c.*, a.b.c.d.e",
        "a..b, a..b"
    })
    void pattern_matches(String pattern, String room) {
        assertThat(new RoomPattern(pattern).matches(new Room(room))).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "kitchen, Kitchen",
        "kitchen, kitchen2",
        "team.*, team",
        "team.*, teamXred",
        "team.*.private, team.private",
        "team.*.private, team..private",
        "team.*.private, team.red.blue.private",
        "team.*.private, team.red.private2",
        "*.private, team.red.private",
        "a.b, aXb"
    })
    void pattern_doesNotMatch(String pattern, String room) {
        assertThat(new RoomPattern(pattern).matches(new Room(room))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "*"})
    void pattern_longerThanAnyRoom_isForNone(String end) {
        String longest = "a".repeat(Room.MAX_LENGTH);

        assertThat(new RoomPattern(longest + end).canMatchARoom()).isTrue();
        assertThat(new RoomPattern(longest + end).matches(new Room(longest))).isTrue();
        assertThat(new RoomPattern("a" + longest + end).canMatchARoom()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "te*am",
                "*team",
                "**",
                "team.**",
                "team*.private",
                "team.*red.x",
                ".team",
                "-team",
                "tea m",
                "team.[a-z]",
                "team,red",
                "t\u00e9am",
                "team/*"
            })
    void textOfAnotherForm_isRefused_withTheFormsThereAre(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RoomPattern(text))
                .withMessageStartingWith(text + " is not a pattern of rooms; write a room name")
                .withMessageContaining("(team.*)")
                .withMessageContaining("(team.*.private)");
    }

    @Test
    void order_isFromTheMostSpecificToTheMostGeneral() {
        List<RoomPattern> ordered =
                List.of(
                        // Names first, the longer one first; then the longer beginning, then the
                        // one with more characters besides *, then alphabetically.
                        new RoomPattern("team.red.private"),
                        new RoomPattern("a"),
                        new RoomPattern("team.red.*"),
                        new RoomPattern("team.*.private"),
                        new RoomPattern("team.*.*.x"),
                        new RoomPattern("team.*.a*"),
                        new RoomPattern("team.*.b*"),
                        new RoomPattern("team.*"),
                        new RoomPattern("team*"),
                        new RoomPattern("*.private"),
                        new RoomPattern("*"));

        for (int seed = 0; seed < 20; seed++) {
            List<RoomPattern> shuffled = new ArrayList<>(ordered);
            Collections.shuffle(shuffled, new Random(seed));
            Collections.sort(shuffled);
            assertThat(shuffled).isEqualTo(ordered);
        }
    }

    @Test
    void patterns_areEqualByTheirText() {
        assertThat(new RoomPattern("team.*"))
                .isEqualTo(new RoomPattern("team.*"))
                .hasSameHashCodeAs(new RoomPattern("team.*"))
                .hasToString("team.*")
                .isNotEqualTo(new RoomPattern("team*"))
                .doesNotHaveSameHashCodeAs(new RoomPattern("team*"));
    }
}
