package dev.parley.events;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Json;
import dev.parley.testsupport.SharedPod;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.TestRoom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A reader gets each message unchanged, under its id and with its type, in either format. */
@ExtendWith(SharedPod.Extension.class)
class StreamContentIT {

    private final Http http;
    private final TestRoom room;

    StreamContentIT(SharedPod pod) {
        http = pod.http();
        room = pod.newRoom();
    }

    @Test
    void message_arrivesUnderItsId() {
        try (SseReader reader = room.subscribe()) {
            String first = room.publish("one");
            String second = room.publish("two");

            reader.awaitMessages(2);

            assertThat(reader.events())
                    .containsExactly(
                            new Event(first, "message", "one"),
                            new Event(second, "message", "two"));
            assertThat(first).endsWith("-1");
            assertThat(second).isEqualTo(first.replaceAll("-1$", "-2"));
            assertThat(reader.raw()).contains("\n\ndata: one\nid: " + first + "\n\n");
        }
    }

    @Test
    void everyCharacterOfUnicode_arrives() {
        List<String> texts = everyCharacter();

        try (SseReader reader = room.subscribe()) {
            texts.forEach(
                    text ->
                            assertThat(http.sendText(text, "room", room.name()).status())
                                    .isEqualTo(200));

            List<String> received = reader.awaitMessages(texts.size()).data();
            for (int i = 0; i < texts.size(); i++) {
                assertThat(received.get(i).equals(texts.get(i).replace('\r', '\n')))
                        .as("characters from U+%04X", texts.get(i).codePointAt(0))
                        .isTrue();
            }
        }
    }

    private static List<String> everyCharacter() {
        List<String> texts = new ArrayList<>();
        for (int from = 0; from <= Character.MAX_CODE_POINT; from += 0x2000) {
            int[] characters =
                    IntStream.range(from, from + 0x2000)
                            .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
                            .toArray();
            texts.add(new String(characters, 0, characters.length));
        }
        return texts;
    }

    @Test
    void namedEvent_hasItsTypeInBothFormats_andJsonIsTheWholeMessage() throws Exception {
        try (SseReader reader = room.subscribe("format=json");
                SseReader textReader = room.subscribe("format=text")) {
            http.sendForm("a\n😀", "room", room.name(), "from", "Ada", "event", "price");

            Event event = reader.awaitEvent("price");

            JsonNode data = Json.parse(event.data());
            assertThat(data.path("room").textValue()).isEqualTo(room.name());
            assertThat(data.path("from").textValue()).isEqualTo("Ada");
            assertThat(data.path("text").textValue()).isEqualTo("a\n😀");
            assertThat(data.path("event").textValue()).isEqualTo("price");
            assertThat(Instant.parse(data.path("at").textValue())).isBeforeOrEqualTo(Instant.now());
            assertThat(textReader.awaitEvent("price"))
                    .isEqualTo(new Event(event.id(), "price", "a\n😀"));
        }
    }
}
