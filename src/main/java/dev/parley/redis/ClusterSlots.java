package dev.parley.redis;

import io.vertx.redis.client.Response;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which node of a Redis Cluster has which of the 16,384 slots, as one node said it. Only masters
 * have slots. Immutable.
 */
final class ClusterSlots {

    static final ClusterSlots NONE = new ClusterSlots(new NodeAddress[16_384]);

    private final @Nullable NodeAddress[] owners;

    private ClusterSlots(@Nullable NodeAddress[] owners) {
        this.owners = owners;
    }

    /**
     * Returns the slot of a key or channel: CRC-16/XMODEM of the part between the first brace and
     * the next closing one, or of the whole name if that part is empty or missing (Redis Cluster
     * specification, "Hash tags").
     */
    static int slotOf(String name) {
        int open = name.indexOf('{');
        int close = open < 0 ? -1 : name.indexOf('}', open);
        String hashed = close > open + 1 ? name.substring(open + 1, close) : name;
        int crc = 0;
        for (byte one : hashed.getBytes(StandardCharsets.UTF_8)) {
            crc ^= (one & 0xff) << 8;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 0x8000) == 0 ? crc << 1 : crc << 1 ^ 0x1021;
            }
        }
        return crc & 0x3fff;
    }

    /**
     * Reads an answer to CLUSTER SLOTS: ranges, each with its first and last slot, its master and
     * its replicas.
     *
     * @param asked the node that answered; it may leave its host out
     */
    static ClusterSlots parse(Response answer, NodeAddress asked) {
        var owners = new @Nullable NodeAddress[NONE.owners.length];
        for (Response range : answer) {
            Response master = range.get(2);
            String host = master.get(0) == null ? "" : master.get(0).toString();
            if (host.equals("?")) {
                // The node that was asked does not know where the master is.
                continue;
            }
            var address =
                    new NodeAddress(
                            host.isEmpty() ? asked.host() : host, master.get(1).toInteger());
            Arrays.fill(owners, range.get(0).toInteger(), range.get(1).toInteger() + 1, address);
        }
        return new ClusterSlots(owners);
    }

    /** Returns a copy in which another node has one of the slots. */
    ClusterSlots with(int slot, NodeAddress owner) {
        @Nullable NodeAddress[] changed = owners.clone();
        changed[slot] = owner;
        return new ClusterSlots(changed);
    }

    /** Returns the node that has a slot; empty if none has it. */
    Optional<NodeAddress> owner(int slot) {
        return Optional.ofNullable(owners[slot]);
    }

    /** Returns the nodes that have slots, and the slots of each. */
    Map<NodeAddress, BitSet> byOwner() {
        Map<NodeAddress, BitSet> slots = new LinkedHashMap<>();
        for (int slot = 0; slot < owners.length; slot++) {
            NodeAddress owner = owners[slot];
            if (owner != null) {
                slots.computeIfAbsent(owner, one -> new BitSet()).set(slot);
            }
        }
        return slots;
    }
}
