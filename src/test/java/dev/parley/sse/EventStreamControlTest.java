package dev.parley.sse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.parley.delivery.DisconnectReason;
import dev.parley.delivery.Gap;
import dev.parley.log.Format;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import dev.parley.testsupport.Json;
import dev.parley.testsupport.SseReader.Event;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a stream contains beside messages: opening, position, heartbeat and control events. */
class EventStreamControlTest {

    private static final Room KITCHEN = new Room("kitchen");

    private final EventStreamEncoder encoder =
            new EventStreamEncoder(Duration.ofMillis(2718), Duration.ofMillis(2718));

    @Test
    void opening_isACommentAndARetry() {
        assertThat(text(encoder.opening())).isEqualTo(": connected\nretry: 2718\n");
    }

    @Test
    void retry_isDrawnBetweenItsBounds_eachTime() {
        var spread = new EventStreamEncoder(Duration.ofSeconds(2), Duration.ofSeconds(4));

        assertThat(IntStream.range(0, 100).mapToObj(i -> text(spread.opening())))
                .allMatch(opening -> opening.matches(": connected\nretry: ([23]\\d{3}|4000)\n"))
                .satisfies(openings -> assertThat(Set.copyOf(openings)).hasSizeGreaterThan(10));
    }

    @Test
    void position_isANamedEventWithData_andItsIdIsRemembered() {
        byte[] position = encoder.position(Room.LOBBY, "k3f9-42");

        String data = "{\"room\":\"lobby\",\"id\":\"k3f9-42\"}";
        assertThat(text(position))
                .isEqualTo("event: position\ndata: " + data + "\nid: k3f9-42\n\n");
        assertThat(TwoParsers.events(position, plain("a")))
                .containsExactly(
                        new Event("k3f9-42", "position", data),
                        new Event("k3f9-42", "message", "a"));
    }

    /** An id that is none is repeated as the client gave it, without control characters. */
    @ParameterizedTest
    @ValueSource(strings = {"a\"b", "\\", "a\tb\u007f", "Ü\ud83d\ude00\u2028", "{\"x\":1}", " "})
    void positionThatIsNoId_isQuotedInTheData(String id) {
        List<Event> events = TwoParsers.events(encoder.position(Room.LOBBY, id));

        JsonNode data = Json.parse(events.get(0).data());
        assertThat(data.get("id").textValue()).isEqualTo(id);
        assertThat(data.get("room").textValue()).isEqualTo("lobby");
        assertThat(events.get(0).id()).isEqualTo(id);
    }

    @Test
    void positionInSeveralRooms_namesThem() {
        String id = "kitchen=k3f9-42,lobby=k3f9-7";

        byte[] position = encoder.position(List.of(KITCHEN, Room.LOBBY), id);

        String data = "{\"rooms\":[\"kitchen\",\"lobby\"],\"id\":\"" + id + "\"}";
        assertThat(text(position))
                .isEqualTo("event: position\ndata: " + data + "\nid: " + id + "\n\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\nb", "a\rb", "a\r\nb", "a\0b", "\n", "a\n\ndata: x"})
    void positionOfMoreThanOneLine_isRefused(String id) {
        assertThatThrownBy(() -> encoder.position(Room.LOBBY, id))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void heartbeat_isAComment_andDoesNotEndABlock() {
        byte[] heartbeat = encoder.heartbeat();

        assertThat(text(heartbeat)).startsWith(":").endsWith("\n").hasLineCount(1);
        assertThat(
                        TwoParsers.events(
                                encoder.opening(),
                                heartbeat,
                                plain("a"),
                                heartbeat,
                                heartbeat,
                                plain("b")))
                .containsExactly(new Event("", "message", "a"), new Event("", "message", "b"));
    }

    @ParameterizedTest
    @CsvSource({"8000, 8", "60000, 60", "10000, 10", "200, 0.2", "2500, 2.5"})
    void heartbeatEvent_saysThePauseInSeconds_andLeavesThePosition(long millis, String seconds) {
        byte[] heartbeat = encoder.heartbeatEvent(Duration.ofMillis(millis));

        String data = "{\"seconds\":" + seconds + "}";
        assertThat(text(heartbeat)).isEqualTo("event: heartbeat\ndata: " + data + "\n\n");
        assertThat(TwoParsers.events(encoder.position(Room.LOBBY, "k3f9-42"), heartbeat))
                .last()
                .isEqualTo(new Event("k3f9-42", "heartbeat", data));
    }

    @Test
    void heartbeat_isACopy_thatItsReceiverMayChange() {
        encoder.heartbeat()[0] = 'x';

        assertThat(text(encoder.heartbeat())).startsWith(":");
    }

    @Test
    void positionInSeveralRooms_namesThem_andItsIdIsThePositionInAll() {
        byte[] position =
                encoder.position(List.of(KITCHEN, Room.LOBBY), "kitchen=k3f9-42,lobby=9xx1-7");

        assertThat(text(position))
                .isEqualTo(
                        """
                        event: position
                        data: {"rooms":["kitchen","lobby"],"id":"kitchen=k3f9-42,lobby=9xx1-7"}
                        id: kitchen=k3f9-42,lobby=9xx1-7

                        """);
    }

    @ParameterizedTest
    @EnumSource(Format.class)
    void idOfAMessage_endsWhereTheEncoderSays(Format format) {
        var id = new EventId("k3f9", 42);
        Message message = Message.of(KITCHEN, "id: k3f9-42\n", Instant.EPOCH);
        byte[] encoded = encoder.encode(new StoredMessage(id, message), format);

        int end = encoder.endOfId(encoded);

        String before = text(Arrays.copyOf(encoded, end));
        assertThat(before).startsWith("data: ").endsWith("\nid: k3f9-42");
        assertThat(text(encoded)).isEqualTo(before + "\n\n");
    }

    @Test
    void resumed_hasPositionAndNumberOfMessages() {
        JsonNode data = dataOfOnly("resumed", encoder.resumed(KITCHEN, new EventId("k3f9", 42), 7));

        assertThat(data)
                .isEqualTo(
                        Json.parse("{\"room\":\"kitchen\",\"from\":\"k3f9-42\",\"replayed\":7}"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"k3f9-42", "\"}\n\nid: evil\ndata: x", "\r\0é\u2028"})
    void gap_hasTheRequestedPosition_andWhatIsRetained(String requested) {
        Gap gap = new Gap(requested, Optional.of(new EventId("n3w", 5)), new EventId("n3w", 9));

        JsonNode data = dataOfOnly("gap", encoder.gap(KITCHEN, gap));

        assertThat(data.path("room").textValue()).isEqualTo("kitchen");
        assertThat(data.path("requested").textValue()).isEqualTo(requested);
        assertThat(data.path("oldest").textValue()).isEqualTo("n3w-5");
        assertThat(data.path("newest").textValue()).isEqualTo("n3w-9");
    }

    @Test
    void gapInAnEmptyHistory_hasNoOldest() {
        Gap gap = new Gap("k3f9-42", Optional.empty(), new EventId("n3w", 0));

        JsonNode data = dataOfOnly("gap", encoder.gap(KITCHEN, gap));

        assertThat(data.path("oldest").isNull()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(DisconnectReason.class)
    void goodbye_hasTheReason_andARetry(DisconnectReason reason) {
        byte[] goodbye = encoder.goodbye(reason);

        assertThat(text(goodbye)).startsWith("retry: 2718\n");
        assertThat(TwoParsers.events(goodbye))
                .containsExactly(
                        new Event("", "goodbye", "{\"reason\":\"" + reason.label() + "\"}"));
    }

    private byte[] plain(String text) {
        return encoder.plain(Message.of(Room.LOBBY, text, Instant.EPOCH), Format.TEXT);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, UTF_8);
    }

    private JsonNode dataOfOnly(String type, byte[] block) {
        List<Event> events = TwoParsers.events(block);
        assertThat(events).extracting(Event::type).containsExactly(type);
        return Json.parse(events.get(0).data());
    }
}
