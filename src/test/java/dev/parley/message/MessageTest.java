package dev.parley.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.message.Message.StoredMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MessageTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");

    @Test
    void messageOfATextOnly_hasNeitherSenderNorType() {
        Message message = messageOf("hi");

        assertThat(message.from()).isEmpty();
        assertThat(message.event()).isEmpty();
        assertThat(message.room()).isEqualTo(Room.LOBBY);
        assertThat(message.at()).isEqualTo(NOON);
    }

    @Test
    void lineEndsOfEveryKind_becomeLineFeeds() {
        assertThat(messageOf("a\r\nb\rc\nd").text()).isEqualTo("a\nb\nc\nd");
        assertThat(messageOf("\r\r\n\n\r").text()).isEqualTo("\n\n\n\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {" ", "\n", "\0", "\uFEFF", "\u2028", "\u0085", "😀", "\t<script>"})
    void otherText_isNotChanged(String text) {
        assertThat(messageOf(text).text()).isEqualTo(text);
    }

    @Test
    void emptyText_isRefused() {
        assertThatThrownBy(() -> messageOf(""))
                .isInstanceOf(InvalidRequest.class)
                .hasMessage("msg missing");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Ada", "Ada Lovelace", "Ада", "😀", "<b>"})
    void textOfOneLine_isAName(String from) {
        assertThat(messageFrom(from).from()).contains(from);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a\nb", "a\rb", "a\0", "\t", "\u0085", "a\u2028b", "a\u2029b"})
    void emptyNameOrControlCharacter_isRefused(String from) {
        assertThatThrownBy(() -> messageFrom(from))
                .isInstanceOf(InvalidRequest.class)
                .hasMessageStartingWith("bad from: ");
    }

    @Test
    void name_hasAtMost64Characters() {
        assertThat(messageFrom("a".repeat(64)).from()).isPresent();
        assertThatThrownBy(() -> messageFrom("a".repeat(65))).isInstanceOf(InvalidRequest.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT1S", "PT2S", "P365D"})
    void wholeSeconds_areALifetime(Duration ttl) {
        assertThat(messageWith(ttl).expires()).contains(NOON.plus(ttl));
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT0S", "PT0.999S", "PT1.5S", "PT-1S", "PT1.000000001S"})
    void anyOtherLifetime_isRefused(Duration ttl) {
        assertThatThrownBy(() -> messageWith(ttl))
                .isInstanceOf(InvalidRequest.class)
                .hasMessageStartingWith("bad ttl: ");
    }

    @Test
    void storedMessage_hasTheOffsetOfItsId() {
        assertThat(new StoredMessage(new EventId("k3f9", 42), messageOf("hi")).offset())
                .isEqualTo(42);
    }

    private static Message messageOf(String text) {
        return Message.of(Room.LOBBY, text, NOON);
    }

    private static Message messageWith(Duration ttl) {
        return new Message(
                Room.LOBBY, "hi", Optional.empty(), Optional.empty(), NOON, Optional.of(ttl));
    }

    private static Message messageFrom(String from) {
        return new Message(Room.LOBBY, "hi", Optional.of(from), Optional.empty(), NOON);
    }
}
