package dev.parley.broker.redis;

import dev.parley.broker.Broker.IdempotencyKey;
import dev.parley.message.Room;
import java.util.Optional;

/**
 * Names of Parley's keys and channels in Redis. All keys of a room share a hash tag, so that a
 * Cluster holds them in one slot and a script may use them together (Redis Cluster specification,
 * "Hash tags").
 *
 * @param prefix first part of every name ({@code parley.redis.prefix})
 */
record RedisKeys(String prefix) {

    /** Returns the key of the hash that holds the room's count: epoch, offset, past epochs. */
    String head(Room room) {
        return key(room, "head");
    }

    /** Returns the key of the Redis stream that holds the messages. */
    String log(Room room) {
        return key(room, "log");
    }

    /**
     * Returns the key of the receipt of a sender's first publish under an idempotency key. A space
     * separates the two, which an idempotency key cannot contain.
     *
     * @param sender empty if it is not known
     */
    String receipt(Room room, IdempotencyKey key, String sender) {
        String whose = sender.isEmpty() ? "" : " " + sender;
        return key(room, "receipt:" + key.value() + whose);
    }

    /** Returns the key of the receipt that version 0.1 writes: one for all senders. */
    String receiptOfAll(Room room, IdempotencyKey key) {
        return key(room, "once:" + key.value());
    }

    /** Returns the channel on which a room's messages are announced. */
    String live(Room room) {
        return key(room, "live");
    }

    /** Returns the room whose messages are announced on a channel; empty for other channels. */
    Optional<Room> roomOf(String channel) {
        String start = prefix + ":{";
        String end = "}:live";
        return channel.startsWith(start) && channel.endsWith(end)
                ? Optional.of(
                        new Room(
                                channel.substring(start.length(), channel.length() - end.length())))
                : Optional.empty();
    }

    /** Returns the channel on which version 0.1 announces the messages of all rooms. */
    String liveOfAll() {
        return prefix + ":live";
    }

    /**
     * Returns a pattern that matches that channel and no other. A pod that receives the channel by
     * a pattern is not counted as one that has subscribed to it (Redis: PUBSUB NUMSUB).
     */
    String patternOfLiveOfAll() {
        return prefix + ":liv[e]";
    }

    /** Returns the channel on which a pod sends itself messages. */
    String probe(String pod) {
        return prefix + ":probe:" + pod;
    }

    /**
     * Returns the key that a pod writes and removes again. Its hash tag begins with a colon, so it
     * is not that of any room.
     */
    String probeKey(String pod) {
        return prefix + ":{:probe:" + pod + "}";
    }

    /** Returns the key of the hash that remembers the lists of servers: generations.lua. */
    String servers() {
        return prefix + ":{:servers}";
    }

    private String key(Room room, String part) {
        return prefix + ":{" + room.name() + "}:" + part;
    }
}
