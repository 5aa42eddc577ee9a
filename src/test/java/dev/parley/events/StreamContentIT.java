package dev.parley.events;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.parley.testsupport.Http;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A reader gets every message of its room once, unchanged, and none of another room. */
@ExtendWith(SharedPod.Extension.class)
class StreamContentIT {

    private final Http http;
    private final TestRoom room;
    private final TestRoom otherRoom;

    StreamContentIT(SharedPod pod) {
        http = pod.http();
        room = pod.newRoom();
        otherRoom = pod.newRoom();
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
    void lineEnds_becomeLineFeeds() {
        try (SseReader reader = room.subscribe()) {
            room.publish("a\r\nb\rc\nd\r\n\r\n");

            assertThat(reader.awaitMessages(1).data()).containsExactly("a\nb\nc\nd\n\n");
            assertThat(reader.raw())
                    .contains("\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: \nid: ");
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

    @ParameterizedTest
    @ValueSource(
            strings = {
                " leading",
                "trailing ",
                "\uFEFFmark",
                "nul\0nul",
                "\n",
                "\n\n",
                "a\n",
                ": c",
                "data: x",
                "x\n\nid: evil\nevent: owned\ndata: y",
                "<script>alert(1)</script>",
                "é€😀👩‍👩‍👧",
                "\u2028"
            })
    void textWithSyntaxOfTheStreamOrOfHtml_arrivesUnchanged(String text) {
        try (SseReader reader = room.subscribe()) {
            String id = room.publish(text);
            room.publish("end");

            reader.awaitData("end");

            assertThat(reader.events().get(0)).isEqualTo(new Event(id, "message", text));
            assertThat(reader.events()).hasSize(2);
        }
    }

    @Test
    void namedEvent_hasItsTypeInBothFormats_andJsonIsTheWholeMessage() throws Exception {
        try (SseReader reader = room.subscribe("format=json");
                SseReader textReader = room.subscribe("format=text")) {
            http.sendForm("a\n😀", "room", room.name(), "from", "Ada", "event", "price");

            Event event = reader.awaitEvent("price");

            JsonNode data = new ObjectMapper().readTree(event.data());
            assertThat(data.path("room").textValue()).isEqualTo(room.name());
            assertThat(data.path("from").textValue()).isEqualTo("Ada");
            assertThat(data.path("text").textValue()).isEqualTo("a\n😀");
            assertThat(data.path("event").textValue()).isEqualTo("price");
            assertThat(Instant.parse(data.path("at").textValue())).isBeforeOrEqualTo(Instant.now());
            assertThat(textReader.awaitEvent("price"))
                    .isEqualTo(new Event(event.id(), "price", "a\n😀"));
        }
    }

    @Test
    void readers_getMessagesOfTheirRoomOnly() {
        try (SseReader reader = room.subscribe();
                SseReader otherReader = otherRoom.subscribe()) {
            room.publish("here");
            otherRoom.publish("there");
            room.publish("here again");
            otherRoom.publish("there again");

            assertThat(reader.awaitData("here again").data()).containsExactly("here", "here again");
            assertThat(otherReader.awaitData("there again").data())
                    .containsExactly("there", "there again");
        }
    }

    @Test
    void longMessages_arriveOnceEach() {
        List<String> texts =
                IntStream.range(0, 60).mapToObj(i -> i + "x".repeat(60 * 1024)).toList();

        try (SseReader reader = room.subscribe();
                SseReader jsonReader = room.subscribe("format=json")) {
            texts.forEach(room::publish);

            assertThat(reader.awaitMessages(texts.size()).data().equals(texts)).isTrue();
            room.publish("end");
            reader.awaitData("end");
            jsonReader.awaitMessages(texts.size() + 1);
            assertThat(reader.events()).hasSize(texts.size() + 1);
            assertThat(jsonReader.events())
                    .extracting(Event::id)
                    .isEqualTo(reader.events().stream().map(Event::id).toList());
        }
    }
}
