package dev.parley.sse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.parley.log.Format;
import dev.parley.message.EventId;
import dev.parley.message.EventType;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import dev.parley.testsupport.Json;
import dev.parley.testsupport.SseReader.Event;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How messages are encoded, and what two independent parsers read from that. */
class EventStreamMessageTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");

    private final EventStreamEncoder encoder =
            new EventStreamEncoder(Duration.ofSeconds(2), Duration.ofSeconds(4));

    /** A text, its {@code data} fields, and the text that a browser reads. */
    static Stream<Arguments> texts() {
        return Stream.of(
                written("hello", "data: hello\n", "hello"),
                written(" one space", "data:  one space\n", " one space"),
                written("  two spaces ", "data:   two spaces \n", "  two spaces "),
                written("\ttab", "data: \ttab\n", "\ttab"),
                written("a\nb\nc", "data: a\ndata: b\ndata: c\n", "a\nb\nc"),
                written("a\n", "data: a\ndata: \n", "a\n"),
                written("a\n\n", "data: a\ndata: \ndata: \n", "a\n\n"),
                written("\na", "data: \ndata: a\n", "\na"),
                written("\n", "data: \ndata: \n", "\n"),
                written("a\n\nb", "data: a\ndata: \ndata: b\n", "a\n\nb"),
                written("a\r\nb", "data: a\ndata: b\n", "a\nb"),
                written("a\rb", "data: a\ndata: b\n", "a\nb"),
                written("a\n\rb", "data: a\ndata: \ndata: b\n", "a\n\nb"),
                written("\r\r\n\n", "data: \ndata: \ndata: \ndata: \n", "\n\n\n"),
                written("\uFEFFmark", "data: \uFEFFmark\n", "\uFEFFmark"),
                written("\uFEFF", "data: \uFEFF\n", "\uFEFF"),
                written("nul\0nul", "data: nul\0nul\n", "nul\0nul"),
                written("\0", "data: \0\n", "\0"),
                written("é€😀👩‍👩‍👧", "data: é€😀👩‍👩‍👧\n", "é€😀👩‍👩‍👧"),
                written("\uFFFF\u0001\u007F", "data: \uFFFF\u0001\u007F\n", "\uFFFF\u0001\u007F"),
                written("a\u2028b\u2029c\u0085d\u000Be", "data: a\u2028b\u2029c\u0085d\u000Be\n"),
                written(":", "data: :\n"),
                written(": comment", "data: : comment\n"),
                written("data: x", "data: data: x\n"),
                written("<script>&amp;\"'\\n", "data: <script>&amp;\"'\\n\n"));
    }

    @ParameterizedTest
    @MethodSource("texts")
    void text_isOneDataFieldPerLine_andIsReadAsItWasWritten(
            String text, String fields, String received) {
        byte[] block = encode(text);

        assertThat(new String(block, UTF_8)).isEqualTo(fields + "id: k3f9-42\n\n");
        assertThat(TwoParsers.events(block))
                .containsExactly(new Event("k3f9-42", "message", received));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x\n\nid: evil\nevent: owned\ndata: y", "x\r\rid: evil\revent: owned\rdata: y",
                "x\r\n\r\nid: evil\r\nevent: owned\r\ndata: y", "\n\nretry: 1\n\n",
                "\nid: evil\n\n\n", "\n: comment\n",
                "\nid\n", "\r\n\uFEFFid: evil"
            })
    void fieldsInsideAText_areReadAsText(String text) {
        List<Event> events = TwoParsers.events(encode(text), encode("next"));

        assertThat(events)
                .containsExactly(
                        new Event("k3f9-42", "message", messageOf(text).text()),
                        new Event("k3f9-42", "message", "next"));
    }

    @Test
    void eventType_isWrittenBeforeTheData() {
        var price = new EventType("price: 😀");
        var message = new Message(Room.LOBBY, "1", Optional.of("Ada"), Optional.of(price), NOON);

        byte[] block = encode(message, Format.TEXT);

        assertThat(new String(block, UTF_8))
                .isEqualTo("event: price: 😀\ndata: 1\nid: k3f9-42\n\n");
        assertThat(TwoParsers.events(block))
                .containsExactly(new Event("k3f9-42", "price: 😀", "1"));
    }

    @ParameterizedTest
    @EnumSource(Format.class)
    void id_isWrittenAfterAllData_soThatAMessageCutInTheMiddleIsNotTakenForReceived(Format format) {
        var message =
                new Message(
                        Room.LOBBY,
                        "a\nb",
                        Optional.empty(),
                        Optional.of(new EventType("price")),
                        NOON);

        String block = new String(encode(message, format), UTF_8);

        assertThat(block).containsOnlyOnce("id: ").endsWith("\nid: k3f9-42\n\n");
    }

    @Test
    void plainMessage_hasNoId_andKeepsTheReadersLastId() {
        byte[] plain = encoder.plain(messageOf("b"), Format.TEXT);

        assertThat(new String(plain, UTF_8)).isEqualTo("data: b\n\n");
        assertThat(TwoParsers.events(encode("a"), plain))
                .containsExactly(
                        new Event("k3f9-42", "message", "a"), new Event("k3f9-42", "message", "b"));
    }

    @Test
    void json_isTheWholeMessage_inOneLine() {
        var message =
                new Message(
                        new Room("news"),
                        "a\r\n\u2028\0\"😀",
                        Optional.of("Ada"),
                        Optional.of(new EventType("price")),
                        NOON);

        byte[] block = encode(message, Format.JSON);

        assertThat(new String(block, UTF_8))
                .startsWith("event: price\ndata: {")
                .endsWith("}\nid: k3f9-42\n\n")
                .hasLineCount(4);
        JsonNode data = dataOfOnly("price", block);
        assertThat(data.path("room").textValue()).isEqualTo("news");
        assertThat(data.path("text").textValue()).isEqualTo("a\n\u2028\0\"😀");
        assertThat(data.path("from").textValue()).isEqualTo("Ada");
        assertThat(data.path("event").textValue()).isEqualTo("price");
        assertThat(Instant.parse(data.path("at").textValue())).isEqualTo(NOON);
    }

    /** Python's {@code str.splitlines} ends a line at each of these too. */
    @Test
    void storedMessageAsJson_hasNoFurtherLines_alsoForProgramsThatEndThemAtOtherLetters() {
        String others = "\u0085\u2028\u2029";
        var message =
                new Message(
                        Room.LOBBY,
                        "a" + others,
                        Optional.of("Ada"),
                        Optional.of(new EventType("x\u2028event: gap\u2029")),
                        NOON);

        String block = new String(encode(message, Format.JSON), UTF_8);

        assertThat(block)
                .startsWith("event: x event: gap \ndata: {")
                .doesNotContainPattern("[" + others + "]");
    }

    @Test
    void jsonOfATextOnly_hasNoSenderAndNoType() {
        byte[] block = encode(messageOf("hi"), Format.JSON);

        assertThat(dataOfOnly("message", block).fieldNames())
                .toIterable()
                .containsExactly("room", "text", "at");
    }

    private static Arguments written(String text, String fields) {
        return written(text, fields, text);
    }

    private static Arguments written(String text, String fields, String received) {
        return Arguments.of(text, fields, received);
    }

    private static Message messageOf(String text) {
        return Message.of(Room.LOBBY, text, NOON);
    }

    private byte[] encode(String text) {
        return encode(messageOf(text), Format.TEXT);
    }

    private byte[] encode(Message message, Format format) {
        return encoder.encode(new StoredMessage(new EventId("k3f9", 42), message), format);
    }

    private static JsonNode dataOfOnly(String type, byte[] block) {
        List<Event> events = TwoParsers.events(block);
        assertThat(events).extracting(Event::type).containsExactly(type);
        return Json.parse(events.get(0).data());
    }
}
