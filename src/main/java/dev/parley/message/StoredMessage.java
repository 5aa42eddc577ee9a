package dev.parley.message;

/**
 * A message that a broker has accepted, and the position it has in its room's log.
 *
 * @param id offset 1 or more
 */
public record StoredMessage(EventId id, Message message) {

    /** The place in the room's count, 1 for the first message of an epoch. */
    public long offset() {
        return id.offset();
    }
}
