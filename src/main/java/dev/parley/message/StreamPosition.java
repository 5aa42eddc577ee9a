package dev.parley.message;

import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The position of a stream that reads several rooms: its position in each of them. Written {@code
 * kitchen=k3f9-42,team.red=9xx1-7}, sorted by room. It is the id of each message on such a stream,
 * so that a client that comes back with one id continues in every room.
 *
 * <p>The written form has only characters that may be in a {@code Last-Event-ID} header without a
 * CORS preflight (Fetch Standard, "CORS-unsafe request-header byte"), but it is usually longer than
 * the 128 bytes that need none.
 */
public final class StreamPosition {

    /** Written in place of what the client gave as a position and is not one, such as a typo. */
    public static final String UNKNOWN = "unknown";

    /**
     * Written in place of a position where the client asked for everything that is retained and has
     * not been given its place in the room yet.
     */
    public static final String EARLIEST = "earliest";

    private static final char ROOM_END = '=';
    private static final char SEPARATOR = ',';

    private final StringBuilder written = new StringBuilder(128);

    /**
     * Appends the position in a room. Rooms are appended in the order of their names.
     *
     * @param position an {@link EventId} as written, {@link #EARLIEST} or {@link #UNKNOWN}
     */
    public StreamPosition append(Room room, String position) {
        if (!written.isEmpty()) {
            written.append(SEPARATOR);
        }
        written.append(room.name()).append(ROOM_END).append(position);
        return this;
    }

    /** Returns the number of characters of the written form. */
    public int length() {
        return written.length();
    }

    /** Returns the written form; empty if nothing was appended. */
    @Override
    public String toString() {
        return written.toString();
    }

    /**
     * Reads a written position.
     *
     * @return for each room what is written as its position, which may be anything without a comma;
     *     empty if the text does not consist of different rooms with something after each
     */
    public static Optional<SortedMap<String, String>> parse(String written) {
        SortedMap<String, String> positions = new TreeMap<>();
        int start = 0;
        while (start <= written.length()) {
            int comma = written.indexOf(SEPARATOR, start);
            int end = comma < 0 ? written.length() : comma;
            int roomEnd = written.indexOf(ROOM_END, start);
            if (roomEnd < 0 || roomEnd >= end) {
                return Optional.empty();
            }
            String room = written.substring(start, roomEnd);
            String position = written.substring(roomEnd + 1, end);
            if (!Room.isName(room) || positions.put(room, position) != null) {
                return Optional.empty();
            }
            start = end + 1;
        }
        return Optional.of(positions);
    }
}
