package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.parley.message.StreamPosition;
import dev.parley.testsupport.Json;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a reader received of one room.
 *
 * @param events messages, with their own ids and their texts, and gaps
 */
record RoomEvents(SseReader reader, List<Event> events) {

    /** Returns the events of a reader that reads no other room, in the format {@code text}. */
    static RoomEvents of(SseReader reader) {
        return new RoomEvents(reader, reader.events());
    }

    /** Returns the events of a room, of a reader that reads several in the format {@code json}. */
    static RoomEvents of(SseReader reader, String room) {
        return new RoomEvents(
                reader,
                reader.events().stream().flatMap(event -> ofRoom(event, room).stream()).toList());
    }

    List<Event> messages() {
        return events.stream().filter(event -> event.type().equals("message")).toList();
    }

    List<String> texts() {
        return messages().stream().map(Event::data).toList();
    }

    List<Event> gaps() {
        return events.stream().filter(event -> event.type().equals("gap")).toList();
    }

    /** Asserts that no id has two texts. */
    static void assertOneTextEach(List<Event> messages) {
        Map<String, String> texts = new HashMap<>();
        for (Event one : messages) {
            assertThat(texts.merge(one.id(), one.data(), (first, other) -> first))
                    .as("text of %s", one.id())
                    .isEqualTo(one.data());
        }
    }

    private static Optional<Event> ofRoom(Event event, String room) {
        JsonNode data = Json.parse(event.data());
        if (!data.path("room").asText().equals(room)) {
            return Optional.empty();
        }
        return switch (event.type()) {
            case "message" ->
                    Optional.of(
                            new Event(
                                    StreamPosition.parse(event.id()).orElseThrow().get(room),
                                    "message",
                                    data.path("text").textValue()));
            case "gap" -> Optional.of(event);
            default -> Optional.empty();
        };
    }

    @Override
    public String toString() {
        return reader.toString();
    }
}
