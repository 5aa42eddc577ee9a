package dev.parley.broker.redis;

import dev.parley.message.EventId;
import dev.parley.message.MessageJson;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;

/** Reads what {@code publish.lua} announces: {@code <room> <id> <at> <body>}, in UTF-8. */
final class RedisMessageCodec {

    private RedisMessageCodec() {}

    /**
     * Reads the room and not the rest: a message whose room is not read on this pod is dropped
     * without being parsed.
     *
     * @throws IllegalArgumentException if the announcement does not begin with a room
     */
    static Room room(Buffer announcement) {
        int end = 0;
        int longest = Math.min(announcement.length(), Room.MAX_LENGTH + 1);
        while (end < longest && announcement.getByte(end) != ' ') {
            end++;
        }
        return new Room(announcement.getString(0, end));
    }

    /**
     * Reads the message.
     *
     * @param room what {@link #room} returned for this announcement
     * @throws IllegalArgumentException if the rest is not {@code <id> <at> <body>}
     */
    static StoredMessage message(Room room, Buffer announcement) {
        String rest =
                announcement
                        .getBuffer(
                                Math.min(room.name().length() + 1, announcement.length()),
                                announcement.length())
                        .toString(StandardCharsets.UTF_8);
        String[] parts = rest.split(" ", 3);
        if (parts.length != 3) {
            throw new IllegalArgumentException("not <room> <id> <at> <body>");
        }
        EventId id =
                EventId.parse(parts[0])
                        .orElseThrow(() -> new IllegalArgumentException("bad id: " + parts[0]));
        var at = Instant.ofEpochMilli(Long.parseLong(parts[1]));
        return new StoredMessage(id, MessageJson.readBody(room, at, parts[2]));
    }
}
