package dev.parley.redis;

import java.util.BitSet;
import java.util.function.Function;
import java.util.function.IntFunction;

/**
 * The slot in which the probe of one node of a Redis Cluster is: always one that the node has, and
 * if possible one that it is not giving away. Guarded by the lock of {@link ClusterConnections}.
 */
final class ProbeSlot {

    private static final int NONE = -1;

    private final RedisNode node;
    private final IntFunction<RedisProbe.Place> places;
    private final Function<String, RedisSubscription.Kind> kind;
    private int slot = NONE;

    /** The slots that the node has, as far as that is known. */
    private BitSet owned = new BitSet();

    /** Slots in which the probe was, and which the node did not have, or was giving away. */
    private final BitSet redirecting = new BitSet();

    /**
     * @param places the places where the probe can be ({@link RedisSetup#probesInSlots})
     * @param kind how a channel is subscribed to now
     */
    ProbeSlot(
            RedisNode node,
            IntFunction<RedisProbe.Place> places,
            Function<String, RedisSubscription.Kind> kind) {
        this.node = node;
        this.places = places;
        this.kind = kind;
    }

    /** Notes which slots the node has now, and moves the probe if it is in none of them. */
    void onSlots(BitSet now) {
        owned = now;
        redirecting.and(owned);
        if (slot == NONE || !owned.get(slot)) {
            moveInto(owned);
        }
    }

    /** Notes that the node no longer has the probe's channel. */
    void onLost() {
        slot = NONE;
    }

    /** Tells whether the probe is in a slot. */
    boolean isPlaced() {
        return slot != NONE;
    }

    /**
     * Moves the probe to another slot, because the node redirected it. A reshard may begin with
     * many slots at once, so none of them is tried twice.
     */
    void onRedirected() {
        redirecting.set(slot);
        BitSet others = (BitSet) owned.clone();
        others.andNot(redirecting);
        if (others.isEmpty()) {
            // Perhaps one of them has come back.
            redirecting.clear();
        } else {
            moveInto(others);
        }
    }

    /** Finds a place for the probe in one of these slots, by trying. */
    private void moveInto(BitSet slots) {
        int number = 0;
        RedisProbe.Place place = places.apply(number);
        while (!slots.get(ClusterSlots.slotOf(place.key()))) {
            place = places.apply(++number);
        }
        slot = ClusterSlots.slotOf(place.key());
        node.probeAt(place, kind.apply(place.channel()));
    }
}
