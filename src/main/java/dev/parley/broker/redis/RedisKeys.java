package dev.parley.broker.redis;

import dev.parley.broker.IdempotencyKey;
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

    /** Id that the first publish under this key got. */
    String receipt(Room room, IdempotencyKey key) {
        return key(room, "once:" + key.value());
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
