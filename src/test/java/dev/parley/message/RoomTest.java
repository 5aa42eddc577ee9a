package dev.parley.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RoomTest {

    @ParameterizedTest
    @ValueSource(strings = {"a", "Z", "0", "aAzZ09", "lobby", "a.b_c-d", "9...", "News-2026_11.22"})
    void nameOfLettersDigitsDotUnderscoreHyphen_isARoom(String name) {
        assertThat(new Room(name)).hasToString(name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", " ", ".a", "_a", "-a", "a b", "a/b", "a:b", "a{b}", "a*", "a@", "a[", "a`",
                "a~", "é", "a\n", "\na", "a\0", "a\r\nb", "../x", "ａ", "٣"
            })
    void anyOtherName_isRefused(String name) {
        assertThatThrownBy(() -> new Room(name))
                .isInstanceOf(InvalidRequest.class)
                .hasMessageStartingWith("bad room: ")
                .hasMessageNotContaining("\n");
    }

    @Test
    void name_hasAtMost64Characters() {
        assertThat(new Room("a".repeat(64)).name()).hasSize(64);
        assertThatThrownBy(() -> new Room("a".repeat(65))).isInstanceOf(InvalidRequest.class);
    }

    @Test
    void rooms_areEqualByName_caseSensitively() {
        assertThat(new Room("lobby")).isEqualTo(Room.LOBBY).hasSameHashCodeAs(Room.LOBBY);
        assertThat(new Room("Lobby")).isNotEqualTo(Room.LOBBY);
        assertThat(new Room("Lobby")).doesNotHaveSameHashCodeAs(Room.LOBBY);
    }
}
