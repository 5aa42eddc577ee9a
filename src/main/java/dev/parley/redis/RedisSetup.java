package dev.parley.redis;

import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Vertx;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Stream;

/**
 * What a pod does with every server that it connects to.
 *
 * @param scripts loaded into each server
 * @param probe where the pod sends itself messages on a single server
 * @param probesInSlots the same in a Cluster: places whose channel and key are in one slot; most
 *     numbers lead to different slots
 * @param legacyChannelPattern a pattern that is also subscribed to, if the account is allowed
 *     PSUBSCRIBE
 * @param legacyChannel the channel that pods of version 0.1 subscribe to, which are counted ({@link
 *     RedisConnections#hasLegacySubscribersElsewhere})
 */
public record RedisSetup(
        Vertx vertx,
        RedisConfig config,
        MeterRegistry meters,
        List<RedisCommands.Script> scripts,
        RedisProbe.Place probe,
        IntFunction<RedisProbe.Place> probesInSlots,
        String legacyChannelPattern,
        String legacyChannel) {

    /** Copies the list, and adds the scripts of this package. */
    public RedisSetup {
        scripts =
                Stream.concat(scripts.stream(), Stream.of(RedisProbe.SCRIPT, EvictionWatch.SCRIPT))
                        .toList();
    }
}
