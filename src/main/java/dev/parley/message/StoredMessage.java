package dev.parley.message;

/**
 * A message that a broker has accepted, with its position in the room's log.
 *
 * @param id offset 1 or more
 */
public record StoredMessage(EventId id, Message message) {

    /** Returns the message's number in its room, 1 for the first message of an epoch. */
    public long offset() {
        return id.offset();
    }
}
