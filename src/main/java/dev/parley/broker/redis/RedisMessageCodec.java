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
     * Reads the room alone, so that a message of a room that is not read here costs no more.
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
     * @throws IllegalArgumentException if it is anything but an announcement
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
