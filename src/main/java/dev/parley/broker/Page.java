package dev.parley.broker;

import dev.parley.message.EventId;
import dev.parley.message.StoredMessage;
import java.util.List;

/**
 * A part of a room's log, and the bounds of the log at the moment of reading.
 *
 * @param lineage the epochs of the log
 * @param oldest offset of the oldest message still retained; {@code newest + 1} if none is
 * @param newest offset of the newest message ever accepted in this lineage; 0 if none was
 * @param messages in ascending order of their offsets; without holes, unless another program
 *     deleted or overwrote messages
 */
public record Page(Lineage lineage, long oldest, long newest, List<StoredMessage> messages) {

    /** Copies the messages. */
    public Page {
        messages = List.copyOf(messages);
    }

    /** Makes a page of a log that has had one epoch only. */
    public Page(String epoch, long oldest, long newest, List<StoredMessage> messages) {
        this(Lineage.of(epoch), oldest, newest, messages);
    }

    /** Returns the log's present epoch. */
    public String epoch() {
        return lineage.epoch();
    }

    /** Returns the position of the newest message. */
    public EventId tail() {
        return lineage.idAt(newest);
    }

    /**
     * Tells whether everything after a position is still retained, so that a client that received
     * everything up to it can continue without a gap.
     */
    public boolean continues(EventId position) {
        return lineage.includes(position, newest) && position.offset() >= oldest - 1;
    }
}
