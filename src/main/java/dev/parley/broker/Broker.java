package dev.parley.broker;

import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import io.smallrye.mutiny.Uni;

/**
 * Stores messages for a while, and delivers them to every pod that reads their room. Keeps a log
 * for each room: offsets 1, 2, 3 … without holes within an epoch, bounded by count and age.
 *
 * <p>Every {@link Uni} is lazy, may be subscribed to from any thread, and fails with {@link
 * BrokerUnavailable} within a bounded time if the broker does not answer.
 */
public interface Broker {

    /**
     * Appends a message to its room's log and delivers it to the room's listeners on every pod.
     * When the receipt arrives, the broker has the message. When the call fails, the broker may or
     * may not have it: only a repeat under the same {@link IdempotencyKey} is safe.
     */
    Uni<Receipt> publish(PublishRequest request);

    /** Reads a part of a room's log. A room without messages has an epoch and an empty log. */
    Uni<Page> read(Room room, Range range);

    /**
     * Ends an epoch whose log lacks messages that were delivered from it, for instance after a
     * failover to a replica that lagged. The messages that the log has stay readable, in a new
     * epoch. Does nothing if the room is in another epoch already.
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

    /** Tells whether messages flow at this moment. */
    BrokerState state();

    /**
     * Receives what any pod published in one room. Called by one thread at a time. Messages come in
     * order, except that repeats and holes are possible around {@link #onResubscribed()}.
     */
    interface Listener {

        /** A message was accepted into the room's log. */
        void onMessage(StoredMessage message);

        /**
         * A program other than Parley published text in the room. It has no id and is live only.
         */
        void onPlainText(String text);

        /**
         * Delivery of this room started again after it was interrupted. Messages may have been
         * missed, and the broker may have lost some, so the listener has to compare with {@link
         * #read}.
         */
        void onResubscribed();
    }
}
