package dev.parley.broker.redis;

import dev.parley.broker.IdempotencyKey;
import dev.parley.message.Message;
import dev.parley.message.Room;

/**
 * Names of Parley's keys and channels in Redis. All keys of a room share a hash tag, so that a
 * Cluster holds them in one slot and a script may use them together (Redis Cluster specification,
 * "Hash tags").
 */
record RedisKeys(String prefix) {

    /** Returns the key of the hash that holds epoch and offset. */
    String head(Room room) {
        return key(room, "head");
    }

    /** Returns the key of the stream that holds the messages. */
    String log(Room room) {
        return key(room, "log");
    }

    /**
     * Receipt of the first publish under this key. A publisher that names itself has keys of its
     * own, so that it cannot take another one's; a key has no spaces.
     */
    String receipt(Message message, IdempotencyKey key) {
        String publisher = message.from().map(from -> " " + from).orElse("");
        return key(message.room(), "once:" + key.value() + publisher);
    }

    /** Returns the channel on which the messages of all rooms are announced. */
    String live() {
        return prefix + ":live";
    }

    /** Returns the channel on which a pod sends itself messages. */
    String probe(String pod) {
        return prefix + ":probe:" + pod;
    }

    /** Key that a pod writes and removes again. No room can have this hash tag. */
    String probeKey(String pod) {
        return prefix + ":{:probe:" + pod + "}";
    }

    private String key(Room room, String part) {
        return prefix + ":{" + room.name() + "}:" + part;
    }
}
