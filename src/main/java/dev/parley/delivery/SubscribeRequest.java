package dev.parley.delivery;

import dev.parley.log.Format;
import dev.parley.message.Room;
import dev.parley.message.StreamPosition;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What a client asks for when it opens a stream.
 *
 * @param rooms the rooms to read, all different, at least one; sorted by name
 * @param format what the data of a message contains
 * @param heartbeat how the stream shows the client that it lives
 * @param address the client's address, for the limits per address
 */
public record SubscribeRequest(
        List<RoomStart> rooms, Format format, Heartbeat heartbeat, String address) {

    /**
     * A room to read.
     *
     * @param start where in the room's log to start
     */
    public record RoomStart(Room room, StartPosition start) {}

    /** Sorts the rooms by name, which is their order in a stream's position. */
    public SubscribeRequest {
        rooms = rooms.stream().sorted(Comparator.comparing(one -> one.room().name())).toList();
    }

    /**
     * Returns the position that the client gave, in the form in which the stream writes positions;
     * empty if it gave none.
     */
    public Optional<String> requested() {
        if (rooms.size() == 1) {
            return rooms.get(0).start().requested();
        }
        var position = new StreamPosition();
        for (RoomStart one : rooms) {
            one.start().inStreamPosition().ifPresent(text -> position.append(one.room(), text));
        }
        return Optional.of(position.toString()).filter(text -> !text.isEmpty());
    }
}
