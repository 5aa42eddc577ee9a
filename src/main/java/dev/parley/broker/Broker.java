package dev.parley.broker;

import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import io.smallrye.mutiny.Uni;

/**
 * Carries messages to every pod and remembers them for a while. Per room it keeps a log: offsets 1,
 * 2, 3 … without holes within an epoch, bounded by count and age.
 *
 * <p>Every {@link Uni} is lazy, may be subscribed to from any thread, and fails with {@link
 * BrokerUnavailable} within a bounded time when the broker cannot answer.
 */
public interface Broker {

    /**
     * Appends to the room's log and hands the message to every listener of every pod. Once the
     * receipt is there the broker has the message. After a failure it may or may not have it: only
     * a repeat under the same {@link IdempotencyKey} is safe.
     */
    Uni<Receipt> publish(PublishRequest publication);

    /** A part of a room's log. A room that was never spoken in has an empty one, in an epoch. */
    Uni<Page> read(Room room, Range range);

    /**
     * Ends an epoch whose log turned out to lack messages that were delivered from it, as after a
     * failover to a replica that lagged. What the log still has stays readable, in a new epoch.
     * Does nothing if the room is in another epoch by now.
     */
    Uni<Void> endEpoch(Room room, String epoch);

    /** Starts delivery to this listener; called once, before anything else. */
    void listen(Listener listener);

    /** Whether messages flow at this moment. */
    BrokerState state();

    /**
     * Hears what any pod published. Called by one thread at a time; per room in order, though with
     * repeats and holes possible around a {@link #rejoined()}.
     */
    interface Listener {

        /** A message was accepted; every pod hears of every room. */
        void received(StoredMessage message);

        /** Somebody outside Parley spoke: text without id, live only. */
        void receivedPlain(String text);

        /** Delivery (re)started: anything before may have been missed and has to be looked up. */
        void rejoined();
    }
}
