package dev.parley.broker;

import dev.parley.message.EventId;
import dev.parley.message.StoredMessage;
import java.util.List;

/**
 * A consecutive part of a room's log, and what the log was like at the moment of reading.
 *
 * @param epoch the log's epoch
 * @param oldest offset of the oldest message still retained; {@code newest + 1} if none is
 * @param newest offset of the newest message ever accepted in this epoch, 0 if none was
 * @param messages ascending; without holes, unless somebody deleted messages, or wrote over them,
 *     behind the broker's back
 */
public record Page(String epoch, long oldest, long newest, List<StoredMessage> messages) {

    public Page {
        messages = List.copyOf(messages);
    }

    /** The position of the newest message. */
    public EventId tail() {
        return new EventId(epoch, newest);
    }

    /** Whether a reader at this position has missed nothing that is gone. */
    public boolean continues(EventId position) {
        return position.epoch().equals(epoch)
                && position.offset() >= oldest - 1
                && position.offset() <= newest;
    }
}
