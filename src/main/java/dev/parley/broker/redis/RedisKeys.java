package dev.parley.broker.redis;

import dev.parley.broker.IdempotencyKey;
import dev.parley.message.Message;
import dev.parley.message.Room;

/**
 * Names of what Parley keeps in Redis. All keys of a room share a hash tag, so that a Cluster holds
 * them in one slot and a script may use them together (Redis Cluster specification, "Hash tags").
 */
record RedisKeys(String prefix) {

    /** Hash of epoch and offset. */
    String head(Room room) {
        return key(room, "head");
    }

    /** Stream of messages. */
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

    /** Channel of all rooms. */
    String live() {
        return prefix + ":live";
    }

    /** Channel on which a pod hears itself. */
    String probe(String pod) {
        return prefix + ":probe:" + pod;
    }

    private String key(Room room, String part) {
        return prefix + ":{" + room.name() + "}:" + part;
    }
}
