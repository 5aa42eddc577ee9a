package dev.parley.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventTypeTest {

    private static final String RESERVED =
            "bad event: denied, error, gap, goodbye, heartbeat, open, position, resumed are reserved";

    @ParameterizedTest
    @ValueSource(
            strings = {"price", "message", "user joined", "a:b", "é😀", "Open", "errors", "\u2028"})
    void textOfOneLine_isAType(String name) {
        assertThat(new EventType(name)).hasToString(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"open", "error", "gap", "resumed", "goodbye"})
    void nameOfAControlEvent_isReserved(String name) {
        assertThatThrownBy(() -> new EventType(name))
                .isInstanceOf(InvalidRequest.class)
                .hasMessage(RESERVED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"open", "gap", "position", "heartbeat", "denied"})
    void nameOfTheStreamsOwnEvents_cannotBeChosenByAPublisher(String name) {
        assertThatThrownBy(() -> EventType.chosen(name))
                .isInstanceOf(InvalidRequest.class)
                .hasMessage(RESERVED);
        assertThat(EventType.chosen("price")).isEqualTo(new EventType("price"));
    }

    /** Some client libraries drop the spaces, so that their user would see the reserved name. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                " gap",
                "gap ",
                "  denied  ",
                "\u00A0goodbye",
                "\uFEFFposition",
                "open\u2003",
                "\u3000heartbeat\u2009"
            })
    void reservedNameWithSpacesAround_cannotBeChosenByAPublisher(String name) {
        assertThatThrownBy(() -> EventType.chosen(name))
                .isInstanceOf(InvalidRequest.class)
                .hasMessage(RESERVED);
        assertThat(new EventType(name)).hasToString(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {" price ", " ", "the gap", "gap-", "Gap"})
    void otherNameWithSpaces_canBeChosen(String name) {
        assertThat(EventType.chosen(name)).isEqualTo(new EventType(name));
    }

    /** To some programs these end a line, and what follows is a field. */
    @ParameterizedTest
    @ValueSource(strings = {"\u2028", "x\u2028event: gap", "x\u2029", "\u2029data:{}"})
    void lineSeparator_cannotBeChosenByAPublisher(String name) {
        assertThatThrownBy(() -> EventType.chosen(name))
                .isInstanceOf(InvalidRequest.class)
                .hasMessageStartingWith("bad event: ");
        assertThat(new EventType(name)).as("stored").hasToString(name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "a\nb", "a\rb", "a\r\nb", "\n", "a\n", "a\0", "\t", "\u007F", "\u0085"})
    void emptyNameOrControlCharacter_isRefused(String name) {
        assertThatThrownBy(() -> new EventType(name))
                .isInstanceOf(InvalidRequest.class)
                .hasMessageStartingWith("bad event: ");
    }

    @Test
    void name_hasAtMost64Characters() {
        assertThat(new EventType("a".repeat(64)).name()).hasSize(64);
        assertThatThrownBy(() -> new EventType("a".repeat(65))).isInstanceOf(InvalidRequest.class);
    }
}
