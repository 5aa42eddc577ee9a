package dev.parley.broker;

import dev.parley.message.EventId;
import java.util.List;

/**
 * The epochs in which a room's messages were counted, one after the other. Offsets go on from one
 * to the next; an epoch ends when another server takes over the count, since the former one may
 * have accepted messages that this one does not have.
 *
 * <p>An example: a server accepted k3f9-1 to k3f9-8 and died; the one that took over has the first
 * five. Its next message is 9xx1-6, and the lineage is k3f9 up to 5, then 9xx1. A client that had
 * k3f9-5 continues with 9xx1-6 and has missed nothing. A client that had k3f9-8 has a position that
 * is not in this lineage: the messages 6 to 8 that it received are gone, and other messages get
 * these offsets.
 *
 * <p>A room of the Redis broker that has no messages is in epoch {@code 0}, whose only position is
 * offset 0. The lineage of its first message begins with that epoch.
 *
 * @param epoch the present epoch
 * @param past the epochs that have ended, oldest first; the Redis broker keeps the newest 64
 */
public record Lineage(String epoch, List<Ended> past) {

    /**
     * An epoch that has ended.
     *
     * @param last offset of the last message that was counted in it; 0 if none was
     */
    public record Ended(String epoch, long last) {}

    /** Copies the past epochs. */
    public Lineage {
        past = List.copyOf(past);
    }

    /** Makes a lineage of one epoch. */
    public static Lineage of(String epoch) {
        return new Lineage(epoch, List.of());
    }

    /**
     * Tells whether a position is in this lineage: whether a client that received everything up to
     * it has messages of this log and no others.
     *
     * @param newest offset of the newest message; a higher one is not in the present epoch
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

    /**
     * Returns the id of the message at an offset. Above the newest message it is the id that a
     * message would have in the present epoch.
     *
     * @param offset 0 or more
     */
    public EventId idAt(long offset) {
        for (Ended ended : past) {
            if (offset <= ended.last()) {
                return new EventId(ended.epoch(), offset);
            }
        }
        return new EventId(epoch, offset);
    }
}
