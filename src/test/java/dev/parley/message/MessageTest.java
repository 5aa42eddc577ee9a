package dev.parley.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MessageTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");

    @Test
    void textByNobody_hasNeitherNameNorType() {
        Message message = said("hi");

        assertThat(message.from()).isEmpty();
        assertThat(message.event()).isEmpty();
        assertThat(message.room()).isEqualTo(Room.LOBBY);
        assertThat(message.at()).isEqualTo(NOON);
    }

    @Test
    void lineEndsOfEveryKind_becomeLineFeeds() {
        assertThat(said("a\r\nb\rc\nd").text()).isEqualTo("a\nb\nc\nd");
        assertThat(said("\r\r\n\n\r").text()).isEqualTo("\n\n\n\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {" ", "\n", "\0", "\uFEFF", "\u2028", "\u0085", "😀", "\t<script>"})
    void otherText_staysAsItIs(String text) {
        assertThat(said(text).text()).isEqualTo(text);
    }

    @Test
    void emptyText_isRefused() {
        assertThatThrownBy(() -> said(""))
                .isInstanceOf(InvalidRequest.class)
                .hasMessage("msg missing");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Ada", "Ada Lovelace", "Ада", "😀", "<b>"})
    void oneLine_isAName(String from) {
        assertThat(saidBy(from).from()).contains(from);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a\nb", "a\rb", "a\0", "\t", "\u0085", "a\u2028b", "a\u2029b"})
    void emptyNameOrControlCharacter_isRefused(String from) {
        assertThatThrownBy(() -> saidBy(from))
                .isInstanceOf(InvalidRequest.class)
                .hasMessageStartingWith("bad from: ");
    }

    @Test
    void name_hasAtMost64Characters() {
        assertThat(saidBy("a".repeat(64)).from()).isPresent();
        assertThatThrownBy(() -> saidBy("a".repeat(65))).isInstanceOf(InvalidRequest.class);
    }

    @Test
    void storedMessage_hasTheOffsetOfItsId() {
        assertThat(new StoredMessage(new EventId("k3f9", 42), said("hi")).offset()).isEqualTo(42);
    }

    private static Message said(String text) {
        return Message.of(Room.LOBBY, text, NOON);
    }

    private static Message saidBy(String from) {
        return new Message(Room.LOBBY, "hi", Optional.of(from), Optional.empty(), NOON);
    }
}
