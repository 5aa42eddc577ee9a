package dev.parley.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.parley.hub.DisconnectReason;
import dev.parley.hub.Format;
import dev.parley.hub.Gap;
import dev.parley.message.EventId;
import dev.parley.message.EventType;
import dev.parley.message.Message;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import dev.parley.testsupport.SseReader.Event;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the encoder writes, byte by byte, and what two independent parsers read in it. */
class EventStreamEncoderTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
    private static final EventId ID = new EventId("k3f9", 42);

    private final EventStreamEncoder encoder =
            new EventStreamEncoder(Duration.ofMillis(2718), Duration.ofMillis(2718));
    private final ObjectMapper json = new ObjectMapper();

    private static Message said(String text) {
        return Message.of(Room.LOBBY, text, NOON);
    }

    private byte[] stored(String text) {
        return encoder.message(new StoredMessage(ID, said(text)), Format.TEXT);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static byte[] join(byte[]... parts) {
        var stream = new ByteArrayOutputStream();
        Stream.of(parts).forEach(stream::writeBytes);
        return stream.toByteArray();
    }

    /** A text, its {@code data} fields, and the text as a browser has it. */
    static Stream<Arguments> texts() {
        return Stream.of(
                text("hello", "data: hello\n", "hello"),
                text(" one space", "data:  one space\n", " one space"),
                text("  two spaces ", "data:   two spaces \n", "  two spaces "),
                text("\ttab", "data: \ttab\n", "\ttab"),
                text("a\nb\nc", "data: a\ndata: b\ndata: c\n", "a\nb\nc"),
                text("a\n", "data: a\ndata: \n", "a\n"),
                text("a\n\n", "data: a\ndata: \ndata: \n", "a\n\n"),
                text("\na", "data: \ndata: a\n", "\na"),
                text("\n", "data: \ndata: \n", "\n"),
                text("a\n\nb", "data: a\ndata: \ndata: b\n", "a\n\nb"),
                text("a\r\nb", "data: a\ndata: b\n", "a\nb"),
                text("a\rb", "data: a\ndata: b\n", "a\nb"),
                text("a\n\rb", "data: a\ndata: \ndata: b\n", "a\n\nb"),
                text("\r\r\n\n", "data: \ndata: \ndata: \ndata: \n", "\n\n\n"),
                text("\uFEFFmark", "data: \uFEFFmark\n", "\uFEFFmark"),
                text("\uFEFF", "data: \uFEFF\n", "\uFEFF"),
                text("nul\0nul", "data: nul\0nul\n", "nul\0nul"),
                text("\0", "data: \0\n", "\0"),
                text("é€😀👩‍👩‍👧", "data: é€😀👩‍👩‍👧\n", "é€😀👩‍👩‍👧"),
                text("\uFFFF\u0001\u007F", "data: \uFFFF\u0001\u007F\n", "\uFFFF\u0001\u007F"),
                text("a\u2028b\u2029c\u0085d\u000Be", "data: a\u2028b\u2029c\u0085d\u000Be\n"),
                text(":", "data: :\n"),
                text(": comment", "data: : comment\n"),
                text("data: x", "data: data: x\n"),
                text("<script>&amp;\"'\\n", "data: <script>&amp;\"'\\n\n"));
    }

    private static Arguments text(String text, String fields) {
        return Arguments.of(text, fields, text);
    }

    private static Arguments text(String text, String fields, String received) {
        return Arguments.of(text, fields, received);
    }

    @ParameterizedTest
    @MethodSource("texts")
    void text_isOneDataFieldALine(String text, String fields, String received) {
        assertThat(text(stored(text))).isEqualTo("id: k3f9-42\n" + fields + "\n");
    }

    @ParameterizedTest
    @MethodSource("texts")
    void text_isReadAsItWasWritten(String text, String fields, String received) {
        for (StreamParser parser : StreamParser.values()) {
            assertThat(parser.events(stored(text)))
                    .as("%s", parser)
                    .containsExactly(new Event("k3f9-42", "message", received));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x\n\nid: evil\nevent: owned\ndata: y",
                "x\r\rid: evil\revent: owned\rdata: y",
                "x\r\n\r\nid: evil\r\nevent: owned\r\ndata: y",
                "\n\nretry: 1\n\n",
                "\nid: evil\n\n\n",
                "\n: comment\n",
                "\nid\n",
                "\r\n\uFEFFid: evil"
            })
    void fieldsWithinText_areText(String text) {
        byte[] stream = join(stored(text), stored("next"));

        for (StreamParser parser : StreamParser.values()) {
            assertThat(parser.events(stream))
                    .as("%s", parser)
                    .containsExactly(
                            new Event("k3f9-42", "message", said(text).text()),
                            new Event("k3f9-42", "message", "next"));
        }
    }

    @Test
    void eventType_standsBeforeTheData() {
        var price = new EventType("price: 😀");
        var message = new Message(Room.LOBBY, "1", Optional.of("Ada"), Optional.of(price), NOON);

        byte[] block = encoder.message(new StoredMessage(ID, message), Format.TEXT);

        assertThat(text(block)).isEqualTo("id: k3f9-42\nevent: price: 😀\ndata: 1\n\n");
        for (StreamParser parser : StreamParser.values()) {
            assertThat(parser.events(block))
                    .as("%s", parser)
                    .containsExactly(new Event("k3f9-42", "price: 😀", "1"));
        }
    }

    @Test
    void plainMessage_hasNoIdAndKeepsTheReadersOne() {
        byte[] stream = join(stored("a"), encoder.plain(said("b"), Format.TEXT));

        assertThat(text(encoder.plain(said("b"), Format.TEXT))).isEqualTo("data: b\n\n");
        for (StreamParser parser : StreamParser.values()) {
            assertThat(parser.events(stream))
                    .as("%s", parser)
                    .containsExactly(
                            new Event("k3f9-42", "message", "a"),
                            new Event("k3f9-42", "message", "b"));
        }
    }

    @Test
    void opening_saysItIsConnectedAndWhenToComeBack() {
        assertThat(text(encoder.opening())).isEqualTo(": connected\nretry: 2718\n");
    }

    @Test
    void retry_isDrawnBetweenItsBoundsEachTime() {
        var spread = new EventStreamEncoder(Duration.ofSeconds(2), Duration.ofSeconds(4));

        assertThat(IntStream.range(0, 100).mapToObj(i -> text(spread.opening())))
                .allMatch(opening -> opening.matches(": connected\nretry: ([23]\\d{3}|4000)\n"))
                .satisfies(openings -> assertThat(Set.copyOf(openings)).hasSizeGreaterThan(10));
    }

    @Test
    void position_isRememberedWithoutAnEvent() {
        assertThat(text(encoder.position("k3f9-42"))).isEqualTo("id: k3f9-42\n\n");
        for (StreamParser parser : StreamParser.values()) {
            assertThat(parser.events(encoder.position("k3f9-42"))).as("%s", parser).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\nb", "a\rb", "a\r\nb", "a\0b", "\n", "a\n\ndata: x"})
    void positionOfMoreThanOneLine_isRefused(String id) {
        assertThatThrownBy(() -> encoder.position(id)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void heartbeat_isACommentAndEndsNoBlock() {
        byte[] stream =
                join(
                        encoder.opening(),
                        encoder.heartbeat(),
                        stored("a"),
                        encoder.heartbeat(),
                        encoder.heartbeat(),
                        stored("b"));

        assertThat(text(encoder.heartbeat())).startsWith(":").endsWith("\n").hasLineCount(1);
        for (StreamParser parser : StreamParser.values()) {
            assertThat(parser.events(stream))
                    .as("%s", parser)
                    .containsExactly(
                            new Event("k3f9-42", "message", "a"),
                            new Event("k3f9-42", "message", "b"));
        }
    }

    @Test
    void heartbeat_cannotBeSpoiledByItsReceiver() {
        encoder.heartbeat()[0] = 'x';

        assertThat(text(encoder.heartbeat())).startsWith(":");
    }

    @Test
    void resumed_saysFromWhereAndHowMany() throws Exception {
        Event event = onlyEvent(encoder.resumed(ID, 7));

        assertThat(event.type()).isEqualTo("resumed");
        assertThat(json.readTree(event.data()))
                .isEqualTo(json.readTree("{\"from\":\"k3f9-42\",\"replayed\":7}"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"k3f9-42", "\"}\n\nid: evil\ndata: x", "\r\0é\u2028"})
    void gap_saysWhatWasAskedForAndWhatThereIs(String requested) throws Exception {
        Gap gap = new Gap(requested, Optional.of(new EventId("n3w", 5)), new EventId("n3w", 9));

        Event event = onlyEvent(encoder.gap(gap));

        assertThat(event.type()).isEqualTo("gap");
        JsonNode data = json.readTree(event.data());
        assertThat(data.path("requested").textValue()).isEqualTo(requested);
        assertThat(data.path("oldest").textValue()).isEqualTo("n3w-5");
        assertThat(data.path("newest").textValue()).isEqualTo("n3w-9");
    }

    @Test
    void gapOfAnEmptyHistory_hasNoOldest() throws Exception {
        Gap gap = new Gap("k3f9-42", Optional.empty(), new EventId("n3w", 0));

        JsonNode data = json.readTree(onlyEvent(encoder.gap(gap)).data());

        assertThat(data.path("oldest").isNull()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(DisconnectReason.class)
    void goodbye_saysWhyAndWhenToComeBack(DisconnectReason reason) {
        Event event = onlyEvent(encoder.goodbye(reason));

        assertThat(text(encoder.goodbye(reason))).startsWith("retry: 2718\n");
        assertThat(event)
                .isEqualTo(new Event("", "goodbye", "{\"reason\":\"" + reason.label() + "\"}"));
    }

    /** The one event that both parsers see. */
    private static Event onlyEvent(byte[] stream) {
        Event event = StreamParser.OURS.events(stream).get(0);
        for (StreamParser parser : StreamParser.values()) {
            assertThat(parser.events(stream)).as("%s", parser).containsExactly(event);
        }
        return event;
    }

    @Test
    void json_isTheWholeMessageInOneLine() throws Exception {
        var message =
                new Message(
                        new Room("news"),
                        "a\r\n\u2028\0\"😀",
                        Optional.of("Ada"),
                        Optional.of(new EventType("price")),
                        NOON);

        byte[] block = encoder.message(new StoredMessage(ID, message), Format.JSON);

        assertThat(text(block)).startsWith("id: k3f9-42\nevent: price\ndata: {").hasLineCount(4);
        Event event = onlyEvent(block);
        assertThat(event.type()).isEqualTo("price");
        JsonNode data = json.readTree(event.data());
        assertThat(data.path("room").textValue()).isEqualTo("news");
        assertThat(data.path("text").textValue()).isEqualTo("a\n\u2028\0\"😀");
        assertThat(data.path("from").textValue()).isEqualTo("Ada");
        assertThat(data.path("event").textValue()).isEqualTo("price");
        assertThat(Instant.parse(data.path("at").textValue())).isEqualTo(NOON);
    }

    @Test
    void jsonOfTextByNobody_leavesTheRestOut() throws Exception {
        byte[] block = encoder.message(new StoredMessage(ID, said("hi")), Format.JSON);

        JsonNode data = json.readTree(onlyEvent(block).data());

        assertThat(data.fieldNames()).toIterable().containsExactly("room", "text", "at");
    }
}
