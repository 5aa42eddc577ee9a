package dev.parley.sse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.log.Format;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import dev.parley.testsupport.Json;
import dev.parley.testsupport.SseReader.Event;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** Any text is read as it was written, wherever the network divides the bytes. */
class EventStreamRoundTripTest {

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");

    private final EventStreamEncoder encoder =
            new EventStreamEncoder(Duration.ofSeconds(2), Duration.ofSeconds(4));

    @Property
    void texts_areReadAsTheyWereWritten(
            @ForAll @Size(min = 1, max = 4) List<@From("texts") String> texts,
            @ForAll @Size(max = 20) List<@IntRange(min = 1, max = 64) Integer> cuts) {
        List<byte[]> chunks = cut(stream(texts, Format.TEXT), cuts);

        assertThat(TwoParsers.events(chunks)).isEqualTo(expected(texts));
    }

    @Property
    void textsInJson_areReadAsTheyWereWritten(
            @ForAll @Size(min = 1, max = 4) List<@From("texts") String> texts,
            @ForAll @Size(max = 20) List<@IntRange(min = 1, max = 64) Integer> cuts) {
        List<byte[]> chunks = cut(stream(texts, Format.JSON), cuts);

        assertThat(TwoParsers.events(chunks))
                .extracting(
                        event ->
                                new Event(
                                        event.id(),
                                        event.type(),
                                        Json.parse(event.data()).path("text").textValue()))
                .isEqualTo(expected(texts));
    }

    /** Any characters, with many that have a meaning in the format. */
    @Provide
    Arbitrary<String> texts() {
        Arbitrary<String> any =
                Arbitraries.integers()
                        .between(0, Character.MAX_CODE_POINT)
                        .filter(point -> point < 0xD800 || point > 0xDFFF)
                        .map(Character::toString);
        Arbitrary<String> meaningful =
                Arbitraries.of(
                        "\n",
                        "\r",
                        "\r\n",
                        "\n\n",
                        " ",
                        ":",
                        "\0",
                        "\uFEFF",
                        "\u2028",
                        "\u0085",
                        "data: ",
                        "data",
                        "id: 1",
                        "event: x",
                        "retry: 1",
                        "😀",
                        "a");
        return Arbitraries.oneOf(meaningful, any)
                .list()
                .ofMinSize(1)
                .ofMaxSize(40)
                .map(parts -> String.join("", parts));
    }

    private byte[] stream(List<String> texts, Format format) {
        var stream = new ByteArrayOutputStream();
        for (int i = 0; i < texts.size(); i++) {
            var message = Message.of(Room.LOBBY, texts.get(i), NOON);
            var stored = new StoredMessage(new EventId("k3f9", i + 1), message);
            stream.writeBytes(encoder.encode(stored, format));
            stream.writeBytes(encoder.heartbeat());
        }
        return stream.toByteArray();
    }

    private static List<Event> expected(List<String> texts) {
        List<Event> events = new ArrayList<>();
        for (String text : texts) {
            String withLineFeeds = text.replace("\r\n", "\n").replace('\r', '\n');
            events.add(new Event("k3f9-" + (events.size() + 1), "message", withLineFeeds));
        }
        return events;
    }

    private static List<byte[]> cut(byte[] bytes, List<Integer> sizes) {
        List<byte[]> chunks = new ArrayList<>();
        int at = 0;
        for (int size : sizes) {
            int end = Math.min(bytes.length, at + size);
            chunks.add(Arrays.copyOfRange(bytes, at, end));
            at = end;
        }
        chunks.add(Arrays.copyOfRange(bytes, at, bytes.length));
        return chunks;
    }
}
