package dev.parley.broker.redis;

import dev.parley.broker.Epochs;
import dev.parley.message.Room;
import dev.parley.redis.RedisCommands;
import dev.parley.redis.RedisConnections;
import io.smallrye.mutiny.Uni;
import java.util.List;

/** {@code end-epoch.lua}: puts a room whose log lacks delivered messages into a new epoch. */
final class EndEpochScript {

    static final RedisCommands.Script SCRIPT =
            RedisCommands.Script.load(EndEpochScript.class, "end-epoch.lua");

    private final RedisConnections redis;
    private final RedisKeys keys;

    EndEpochScript(RedisConnections redis, RedisKeys keys) {
        this.redis = redis;
        this.keys = keys;
    }

    /**
     * Ends an epoch. Fails with {@link dev.parley.redis.RedisUnavailable}.
     *
     * @param ended the epoch to end
     * @return true if this call ended the epoch, false if the room was in another one already
     */
    Uni<Boolean> run(Room room, String ended) {
        return redis.run(SCRIPT, List.of(keys.head(room)), List.of(ended, Epochs.next()))
                .map(reply -> reply.toInteger() == 1);
    }
}
