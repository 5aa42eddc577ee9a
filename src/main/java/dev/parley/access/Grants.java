package dev.parley.access;

import dev.parley.message.Room;
import dev.parley.message.RoomPattern;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a caller may do. Grants only ever permit: what no pattern names is forbidden, and nothing
 * takes a right away that another pattern gives.
 *
 * @param read the rooms whose messages the caller may receive and read
 * @param write the rooms in which the caller may publish
 * @param presence the rooms in which the caller may see who is there
 * @param admin whether the caller may revoke the rights of others
 */
public record Grants(
        List<RoomPattern> read,
        List<RoomPattern> write,
        List<RoomPattern> presence,
        boolean admin) {

    /** Permits nothing. */
    public static final Grants NONE = new Grants(List.of(), List.of(), List.of(), false);

    private static final List<RoomPattern> EVERY_ROOM = List.of(new RoomPattern("*"));

    /** Allows reading and writing every room, but not administering. */
    public static final Grants ALL_ROOMS = new Grants(EVERY_ROOM, EVERY_ROOM, EVERY_ROOM, false);

    /** Copies the lists. */
    public Grants {
        read = List.copyOf(read);
        write = List.copyOf(write);
        presence = List.copyOf(presence);
    }

    /** Tells whether the caller may receive and read the messages of a room. */
    public boolean mayRead(Room room) {
        return read.stream().anyMatch(pattern -> pattern.matches(room));
    }

    /** Tells whether the caller may publish in a room. */
    public boolean mayWrite(Room room) {
        return write.stream().anyMatch(pattern -> pattern.matches(room));
    }

    /** Returns what these or the other grants permit. */
    public Grants or(Grants other) {
        return new Grants(
                both(read, other.read),
                both(write, other.write),
                both(presence, other.presence),
                admin || other.admin);
    }

    private static List<RoomPattern> both(List<RoomPattern> one, List<RoomPattern> other) {
        return Stream.concat(one.stream(), other.stream()).distinct().toList();
    }
}
