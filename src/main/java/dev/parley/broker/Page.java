package dev.parley.broker;

import dev.parley.message.EventId;
import dev.parley.message.Message.StoredMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * A part of a room's log, and the bounds of the log at the moment of reading.
 *
 * @param lineage the epochs of the log
 * @param oldest offset of the oldest message still retained; {@code newest + 1} if none is
 * @param newest offset of the newest message ever accepted in this lineage; 0 if none was
 * @param messages in ascending order of their offsets, those that have expired included; without
 *     holes, unless another program deleted or overwrote messages
 * @param readAt the broker's time of reading
 */
public record Page(
        Lineage lineage, long oldest, long newest, List<StoredMessage> messages, Instant readAt) {

    /** Copies the messages. */
    public Page {
        messages = List.copyOf(messages);
    }

    /** Returns the log's present epoch. */
    public String epoch() {
        return lineage.epoch();
    }

    /** Returns the age that a message of the page had when it was read. */
    public Duration age(StoredMessage message) {
        Duration age = Duration.between(message.message().at(), readAt);
        return age.isNegative() ? Duration.ZERO : age;
    }

    /**
     * Tells whether a message's {@code ttl} was over when the page was read. Such a message keeps
     * its place in the log, so that offsets have no hole, and is not shown to anyone.
     */
    public boolean isExpired(StoredMessage message) {
        return message.message().expires().filter(end -> !end.isAfter(readAt)).isPresent();
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
