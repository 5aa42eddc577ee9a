package dev.parley.broker;

import dev.parley.message.EventId;
import dev.parley.message.InvalidRequest;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import io.smallrye.mutiny.Uni;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Stores messages for a while, and delivers them to every pod that reads their room. Keeps a log
 * for each room: offsets 1, 2, 3 … without holes, bounded by count, bytes and age ({@link
 * HistoryConfig}).
 *
 * <p>Every {@link Uni} is lazy, may be subscribed to from any thread, and fails with {@link
 * BrokerUnavailable} if the broker refuses the call or does not answer within a bounded time.
 */
public interface Broker {

    /**
     * Appends a message to its room's log and delivers it to the room's listeners on every pod.
     * When the receipt arrives, the broker has the message. When the call fails, the broker may or
     * may not have it: only a repeat under the same {@link IdempotencyKey} is safe. A repeat
     * publishes nothing and receives the first receipt; another message under the same key fails
     * with {@link IdempotencyKeyReused}.
     */
    Uni<Receipt> publish(PublishRequest request);

    /**
     * Reads a part of a room's log: messages that are within its {@link #bounds}; see {@link
     * Page#isExpired}. A room without messages has an epoch and an empty log.
     */
    Uni<Page> read(Room room, Range range);

    /** Returns what a room's log keeps. */
    HistoryBounds bounds(Room room);

    /**
     * Ends an epoch whose log lacks messages that were delivered from it, for instance after a
     * failover to a replica that lagged. The messages that the log has stay readable, in a new
     * epoch. Does nothing if the room is in another epoch already.
     *
     * @param epoch the one to end
     */
    Uni<Void> endEpoch(Room room, String epoch);

    /**
     * Starts the delivery of a room's messages to a listener. Completes once the broker has
     * confirmed it: a message that is published from then on reaches the listener, so a read that
     * begins after the confirmation misses nothing. The listener may receive messages before the
     * confirmation. A call that fails has no effect; one that succeeded lasts, across every loss of
     * the connection, until {@link #unsubscribe}.
     */
    Uni<Void> subscribe(Room room, Listener listener);

    /**
     * Ends the delivery of a room's messages to a listener. Messages that are on their way may
     * still arrive. Does nothing if the listener is not subscribed.
     */
    void unsubscribe(Room room, Listener listener);

    /** Returns whether messages flow at this moment, and if not, why. */
    BrokerState state();

    /**
     * Receives what any pod published in one room. Any thread may call, also several at a time:
     * messages, plain texts and the state of a connection may come from different event loops.
     * Messages come in order, except that repeats and holes are possible around {@link
     * #onInterrupted}.
     */
    interface Listener {

        /** Called when a message was accepted into the room's log. */
        void onMessage(StoredMessage message);

        /**
         * Called when a program other than Parley published a text in the room. The text has no id
         * and is not stored.
         */
        void onPlainText(String text);

        /**
         * Called when messages may have been missed: delivery has started again after it was
         * interrupted, a message was too long to be read, or the room may be at another server now.
         * The broker may also have lost some, so the listener has to compare what it has with what
         * {@link #read} returns.
         */
        void onInterrupted();
    }

    /**
     * A message on its way to the broker.
     *
     * @param key recognises a repeat of the message; empty if the publisher gave none
     * @param sender whose key it is: senders do not take each other's keys
     */
    record PublishRequest(Message message, Optional<IdempotencyKey> key, String sender) {}

    /**
     * A publisher's name for one message of a room, by which a repeat is recognised (the {@code
     * Idempotency-Key} header, draft-ietf-httpapi-idempotency-key-header).
     *
     * @param value 1 to 128 visible ASCII characters
     */
    record IdempotencyKey(String value) {

        private static final Pattern FORM = Pattern.compile("[!-~]{1,128}");

        /**
         * @throws InvalidRequest if the value does not have the form above
         */
        public IdempotencyKey {
            if (!FORM.matcher(value).matches()) {
                throw new InvalidRequest(
                        "bad-idempotency-key",
                        "bad Idempotency-Key: 1 to 128 visible ASCII characters are expected");
            }
        }
    }

    /**
     * The broker's confirmation that it has a message.
     *
     * @param id that of the message, or of the earlier message that this publish repeated
     * @param duplicate whether this publish repeated an earlier one
     */
    record Receipt(EventId id, boolean duplicate) {}
}
