package dev.parley.message;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a message takes, by its fields. */
class MessageSizeTest {

    private static final Room ROOM = new Room("kitchen");
    private static final Message PLAIN = Message.of(ROOM, "four", Instant.EPOCH);

    @Test
    void heap_hasTwoBytesForEachUnitOfTheText_andOneForEachLetterOfTheRoom() {
        assertThat(MessageSize.heap(PLAIN)).isEqualTo(2 * 4 + 7);
    }

    @Test
    void heap_hasTheSenderAndTheEventType_withTheirObjects() {
        long plain = MessageSize.heap(PLAIN);

        assertThat(MessageSize.heap(with("Zoë", null))).isEqualTo(plain + 72 + 2 * 3);
        assertThat(MessageSize.heap(with(null, "deploy"))).isEqualTo(plain + 72 + 2 * 6);
    }

    @Test
    void heap_hasTheTtl() {
        var brief =
                new Message(
                        ROOM,
                        "four",
                        Optional.empty(),
                        Optional.empty(),
                        Instant.EPOCH,
                        Optional.of(Duration.ofSeconds(1)));

        assertThat(MessageSize.heap(brief)).isEqualTo(MessageSize.heap(PLAIN) + 40);
    }

    @ParameterizedTest
    @CsvSource({
        "a, 1",
        "\u007f, 1",
        "\u0080, 2",
        "'\u0085', 6", // escaped in JSON, as are the next two
        "'\u2028', 6",
        "'\u2029', 6",
        "\u07ff, 2",
        "\u0800, 3",
        "\uffff, 3",
        "\ud83d\ude00, 12" // escaped in JSON
    })
    void encoded_hasTheBytesOfTheText_andOfTheRoom(String text, int bytes) {
        assertThat(MessageSize.encoded(Message.of(ROOM, text, Instant.EPOCH))).isEqualTo(bytes + 7);
    }

    /** Six bytes in JSON, and a line feed in an event stream seven. */
    @ParameterizedTest
    @ValueSource(strings = {"\u0001", "\u001f", "\n"})
    void encoded_hasTheLongestFormOfAControlCharacter(String text) {
        assertThat(MessageSize.encoded(text)).isEqualTo(7);
    }

    @Test
    void encoded_hasTheEscapesOfQuotationMarksAndBackslashes() {
        assertThat(MessageSize.encoded("\"a\\")).isEqualTo(2 + 1 + 2);
    }

    @Test
    void encoded_hasTheSenderAndTheEventType() {
        long plain = MessageSize.encoded(PLAIN);

        assertThat(MessageSize.encoded(with("Zoë", null))).isEqualTo(plain + 4);
        assertThat(MessageSize.encoded(with(null, "deploy"))).isEqualTo(plain + 6);
    }

    private static Message with(@Nullable String from, @Nullable String event) {
        return new Message(
                ROOM,
                "four",
                Optional.ofNullable(from),
                Optional.ofNullable(event).map(EventType::new),
                Instant.EPOCH);
    }
}
