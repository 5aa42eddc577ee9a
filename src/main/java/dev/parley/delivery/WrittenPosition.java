package dev.parley.delivery;

import dev.parley.message.EventId;
import dev.parley.message.Room;
import dev.parley.message.StreamPosition;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The position of a stream in all of its rooms, in the form of its ids ({@link StreamPosition}).
 *
 * <p>Each message on such a stream has it as its id, and from one message to the next only the
 * cursor that writes has moved, by that message. The written form is therefore kept, and the id of
 * the message takes the place of the one before it. After any other move of a cursor, {@link
 * #onMoved}, it is made anew from the places of all cursors, which costs several times as much.
 *
 * <p>Lives on its stream's event loop.
 */
@SuppressWarnings("ReferenceEquality") // A cursor is equal to itself only.
final class WrittenPosition {

    /**
     * A room in the position.
     *
     * @param cursor null if the room was denied
     * @param kept the position in a room that was denied, if the client gave one
     */
    private record Place(Room room, @Nullable Cursor cursor, @Nullable String kept) {

        @Nullable String position() {
            return cursor == null ? kept : cursor.position();
        }
    }

    /** By room: those that the stream reads, and those that were denied. */
    private final List<Place> places;

    /**
     * A copy of {@link Place#cursor} in an array: every message searches it, and an array stays in
     * the CPU cache where the objects of a thousand streams do not. Null if the room was denied.
     */
    private final @Nullable Cursor[] cursors;

    /**
     * Where in the written form the position in each room begins. Undefined for a room without a
     * position; when its cursor gets one, the written form is made anew.
     */
    private final int[] begins;

    /** Where it ends. */
    private final int[] ends;

    private byte[] written = {};

    /** Whether the written form is what the cursors say. */
    private boolean isCurrent;

    /**
     * @param denied rooms that the client may not read, in which it keeps the position that it gave
     */
    WrittenPosition(List<Cursor> cursors, List<SubscribeRequest.Denied> denied) {
        var read = cursors.stream().map(cursor -> new Place(cursor.room(), cursor, null));
        var kept =
                denied.stream()
                        .map(SubscribeRequest.Denied::asked)
                        .map(
                                asked ->
                                        new Place(
                                                asked.room(),
                                                null,
                                                asked.start().inStreamPosition().orElse(null)));
        places =
                Stream.concat(read, kept)
                        .sorted(Comparator.comparing(place -> place.room().name()))
                        .toList();
        this.cursors = places.stream().map(Place::cursor).toArray(Cursor[]::new);
        begins = new int[places.size()];
        ends = new int[places.size()];
    }

    /** Notes that a cursor has moved otherwise than by a message that is given to {@link #at}. */
    void onMoved() {
        isCurrent = false;
    }

    /**
     * Returns the position when a cursor has just moved to a message.
     *
     * @param encoded has the message's id from {@code begin} to {@code end}
     * @return not to be changed, and valid until the next call
     */
    byte[] at(Cursor moved, byte[] encoded, int begin, int end) {
        int place = placeOf(moved);
        if (isCurrent) {
            replace(place, encoded, begin, end);
        } else {
            write();
        }
        assert text().equals(joined(Place::position)) : "a cursor has moved unnoticed";
        return written;
    }

    /**
     * Returns the position as it would be if a cursor were somewhere else.
     *
     * @param position the position in that cursor's room
     */
    String with(Cursor cursor, EventId position) {
        return joined(place -> place.cursor() == cursor ? position.toString() : place.position());
    }

    /** Returns the present position; empty if the client has none in any room. */
    @Override
    public String toString() {
        if (!isCurrent) {
            write();
        }
        return text();
    }

    private String text() {
        return new String(written, StandardCharsets.US_ASCII);
    }

    private int placeOf(Cursor cursor) {
        int place = 0;
        while (cursors[place] != cursor) {
            place++;
        }
        return place;
    }

    private void replace(int place, byte[] from, int begin, int end) {
        int growth = end - begin - (ends[place] - begins[place]);
        if (growth != 0) {
            byte[] other = new byte[written.length + growth];
            System.arraycopy(written, 0, other, 0, begins[place]);
            System.arraycopy(
                    written,
                    ends[place],
                    other,
                    ends[place] + growth,
                    written.length - ends[place]);
            written = other;
            ends[place] += growth;
            for (int later = place + 1; later < begins.length; later++) {
                begins[later] += growth;
                ends[later] += growth;
            }
        }
        System.arraycopy(from, begin, written, begins[place], end - begin);
    }

    /** Makes it from the places of all cursors, and notes where they are in it. */
    private void write() {
        var all = new StreamPosition();
        for (int i = 0; i < begins.length; i++) {
            String one = places.get(i).position();
            if (one != null) {
                all.append(places.get(i).room(), one);
                ends[i] = all.length();
                begins[i] = ends[i] - one.length();
            }
        }
        written = all.toString().getBytes(StandardCharsets.US_ASCII);
        isCurrent = true;
    }

    private String joined(Function<Place, @Nullable String> positions) {
        var all = new StreamPosition();
        for (Place place : places) {
            String one = positions.apply(place);
            if (one != null) {
                all.append(place.room(), one);
            }
        }
        return all.toString();
    }
}
