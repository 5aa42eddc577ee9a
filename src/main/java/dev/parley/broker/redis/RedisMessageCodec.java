package dev.parley.broker.redis;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.parley.broker.Page;
import dev.parley.message.EventId;
import dev.parley.message.EventType;
import dev.parley.message.Message;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import dev.parley.redis.Script;
import io.vertx.redis.client.Response;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * How messages are written in Redis: a body of JSON with {@code text} and, where given, {@code
 * from} and {@code event}; the room, the id and the time stand beside it.
 */
final class RedisMessageCodec {

    private static final ObjectMapper JSON = new ObjectMapper();

    private RedisMessageCodec() {}

    /**
     * A page as it was read.
     *
     * @param holes entries in it that are no messages
     * @param last offset of the entry that was read last, if there was any
     */
    record Part(Page page, int holes, long last) {}

    static String body(Message message) {
        ObjectNode body = JSON.createObjectNode().put("text", message.text());
        message.from().ifPresent(from -> body.put("from", from));
        message.event().ifPresent(event -> body.put("event", event.name()));
        return body.toString();
    }

    /**
     * A message from the live channel: {@code <room> <id> <at> <body>}.
     *
     * @throws IllegalArgumentException if it is anything else
     */
    static StoredMessage live(String payload) {
        String[] parts = payload.split(" ", 4);
        if (parts.length != 4) {
            throw new IllegalArgumentException("not <room> <id> <at> <body>");
        }
        EventId id =
                EventId.parse(parts[1])
                        .orElseThrow(() -> new IllegalArgumentException("bad id: " + parts[1]));
        return new StoredMessage(id, message(new Room(parts[0]), parts[2], parts[3]));
    }

    /**
     * What {@link Script#READ} returned. Entries that somebody else wrote, and that are no
     * messages, are holes.
     *
     * @param onHole takes the id of each of them
     */
    static Part part(Room room, Response response, Consumer<EventId> onHole) {
        String epoch = response.get(0).toString();
        List<StoredMessage> messages = new ArrayList<>();
        Response entries = response.get(3);
        long last = 0;
        for (int i = 0; i < entries.size(); i += 3) {
            last = entries.get(i).toLong();
            var id = new EventId(epoch, last);
            try {
                String body = entries.get(i + 2).toString(StandardCharsets.UTF_8);
                Message message = message(room, entries.get(i + 1).toString(), body);
                messages.add(new StoredMessage(id, message));
            } catch (IllegalArgumentException e) {
                onHole.accept(id);
            }
        }
        messages.sort((a, b) -> Long.compare(a.offset(), b.offset()));
        var page = new Page(epoch, response.get(1).toLong(), response.get(2).toLong(), messages);
        return new Part(page, entries.size() / 3 - messages.size(), last);
    }

    private static Message message(Room room, String at, String body) {
        try {
            JsonNode json = JSON.readTree(body);
            return new Message(
                    room,
                    json.path("text").asText(),
                    text(json, "from"),
                    text(json, "event").map(EventType::new),
                    Instant.ofEpochMilli(Long.parseLong(at)));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("body is not JSON", e);
        }
    }

    private static Optional<String> text(JsonNode json, String field) {
        return Optional.ofNullable(json.get(field)).map(JsonNode::asText);
    }
}
