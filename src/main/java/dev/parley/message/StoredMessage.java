package dev.parley.message;

/**
 * A message that a broker has accepted, with its position in the room's log.
 *
 * @param id offset 1 or more
 */
public record StoredMessage(EventId id, Message message) {

    /**
     * Returns the message's number in its room's log, 1 or more. Offsets go on when an epoch
     * follows another.
     */
    public long offset() {
        return id.offset();
    }
}
