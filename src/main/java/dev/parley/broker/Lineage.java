package dev.parley.broker;

import dev.parley.message.EventId;
import java.util.List;

/**
 * The epochs in which a room's messages were counted, one after the other. Offsets go on from one
 * to the next; an epoch ends when another server takes over the count, since the former one may
 * have accepted messages that this one does not have.
 *
 * <p>An example: a server accepted k3f9-1 to k3f9-8 and died; the one that took over has the first
 * five. Its next message is 9xx1-6, and the lineage is k3f9 up to 5, then 9xx1. A reader that had
 * k3f9-5 continues with 9xx1-6 and has missed nothing. A reader that had k3f9-8 has a position that
 * is not in this lineage: the messages 6 to 8 that it received are gone, and other ones have their
 * places.
 *
 * @param epoch the present one
 * @param past those that have ended, oldest first
 */
public record Lineage(String epoch, List<Ended> past) {

    /** The epoch of a room that has no messages and no count; its only position is offset 0. */
    public static final String EMPTY = "0";

    /**
     * An epoch that has ended.
     *
     * @param last offset of the last message that is counted in it
     */
    public record Ended(String epoch, long last) {}

    public Lineage {
        past = List.copyOf(past);
    }

    /** A lineage of one epoch. */
    public static Lineage of(String epoch) {
        return new Lineage(epoch, List.of());
    }

    /**
     * Tells whether a position is one of this lineage: whether a reader that has everything up to
     * it has messages of this log and no others.
     *
     * @param newest offset of the newest message
     */
    public boolean includes(EventId position, long newest) {
        if (position.epoch().equals(epoch)) {
            return position.offset() <= newest;
        }
        return past.stream()
                .anyMatch(
                        ended ->
                                ended.epoch().equals(position.epoch())
                                        && position.offset() <= ended.last());
    }

    /** Returns the id that the message at an offset has, or would have as the next one. */
    public EventId idAt(long offset) {
        for (Ended ended : past) {
            if (offset <= ended.last()) {
                return new EventId(ended.epoch(), offset);
            }
        }
        return new EventId(epoch, offset);
    }
}
