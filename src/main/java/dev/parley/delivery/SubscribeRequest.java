package dev.parley.delivery;

import dev.parley.log.Format;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import dev.parley.message.StreamPosition;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a client asks for when it opens a stream.
 *
 * @param rooms the rooms to read, all different, at least one; sorted by name
 * @param format what the data of a message contains
 * @param heartbeat how the stream shows the client that it lives
 * @param address the client's address, for the limits per address
 * @param denied rooms that the client asked for too, and may not read; sorted by name
 * @param holder for whom the stream is
 */
public record SubscribeRequest(
        List<RoomStart> rooms,
        Format format,
        Heartbeat heartbeat,
        String address,
        List<Denied> denied,
        StreamHolder holder) {

    /**
     * A room to read.
     *
     * @param start where in the room's log to start
     */
    public record RoomStart(Room room, StartPosition start) {}

    /**
     * A room that the client may not read.
     *
     * @param asked the room, and the position in it that the client keeps, so that it continues
     *     there if it may read the room later
     * @param reason a word for the client: why
     */
    public record Denied(RoomStart asked, String reason) {}

    /** Sorts the rooms by name, which is their order in a stream's position. */
    public SubscribeRequest {
        rooms = sorted(rooms, byName());
        denied = sorted(denied, Comparator.comparing(one -> one.asked().room().name()));
    }

    private static <T> List<T> sorted(List<T> list, Comparator<T> order) {
        return list.size() < 2 ? List.copyOf(list) : list.stream().sorted(order).toList();
    }

    /** Makes a request for rooms that the client may all read, for as long as it wants. */
    public SubscribeRequest(
            List<RoomStart> rooms, Format format, Heartbeat heartbeat, String address) {
        this(rooms, format, heartbeat, address, List.of(), StreamHolder.NEVER_EXPIRES);
    }

    /** Returns the same request with another heartbeat. */
    public SubscribeRequest with(Heartbeat other) {
        return new SubscribeRequest(rooms, format, other, address, denied, holder);
    }

    private static Comparator<RoomStart> byName() {
        return Comparator.comparing(one -> one.room().name());
    }

    /** Tells whether the stream is of one room, so that its ids are plain event ids. */
    boolean isOfOneRoom() {
        return rooms.size() + denied.size() == 1;
    }

    /** Returns the rooms that the client asked for, also those that it may not read, by name. */
    private List<RoomStart> asked() {
        return Stream.of(rooms, denied.stream().map(Denied::asked).toList())
                .flatMap(Collection::stream)
                .sorted(byName())
                .toList();
    }

    /**
     * Returns the position that the client gave, in the form in which the stream writes positions;
     * empty if it gave none.
     */
    public Optional<String> requested() {
        if (isOfOneRoom()) {
            return rooms.get(0).start().requested();
        }
        var position = new StreamPosition();
        for (RoomStart one : asked()) {
            one.start().inStreamPosition().ifPresent(text -> position.append(one.room(), text));
        }
        return Optional.of(position.toString()).filter(text -> !text.isEmpty());
    }

    /** Where in a room's log a client asks to start. */
    public sealed interface StartPosition {

        /** A number of newest messages that is everything that is retained. */
        long ALL = Long.MAX_VALUE;

        /** Returns the position as the client wrote it; empty if it gave none. */
        default Optional<String> requested() {
            return Optional.empty();
        }

        /**
         * Returns the position as it is written among those of other rooms; empty if the client
         * gave none. It leads to the same start when the client comes back with it.
         */
        default Optional<String> inStreamPosition() {
            return requested();
        }

        /** Starts with the next message. */
        record Tail() implements StartPosition {}

        /**
         * Starts with the newest messages that are retained.
         *
         * @param count how many of them, 1 or more; {@link #ALL} for everything
         */
        record Newest(long count) implements StartPosition {

            /**
             * Until a room begins, the ids of the others would lack it, and a client that came back
             * with one of them would begin there with the next message.
             */
            @Override
            public Optional<String> inStreamPosition() {
                return count == ALL ? Optional.of(StreamPosition.EARLIEST) : Optional.empty();
            }
        }

        /** Starts after the last message that the client received. */
        record After(EventId position) implements StartPosition {

            @Override
            public Optional<String> requested() {
                return Optional.of(position.toString());
            }
        }

        /**
         * Starts after a text that is not an id. The client receives a gap.
         *
         * @param written the text, one line without NUL that is not blank
         */
        record Unknown(String written) implements StartPosition {

            @Override
            public Optional<String> requested() {
                return Optional.of(written);
            }

            /** A text that is not a position may contain what separates positions. */
            @Override
            public Optional<String> inStreamPosition() {
                return Optional.of(StreamPosition.UNKNOWN);
            }
        }
    }
}
