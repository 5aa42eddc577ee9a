package dev.parley.redis;

import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.util.List;
import java.util.Set;

/** What a pod does with each server, for tests of the connections alone. */
final class Setups {

    private Setups() {}

    static RedisSetup setup(Vertx vertx, RedisConfig config, MeterRegistry meters) {
        return new RedisSetup(
                vertx,
                config,
                meters,
                List.of(),
                new RedisProbe.Place("parley:probe", "parley:probe:key"),
                Setups::place,
                "parley:liv[e]",
                "parley:live");
    }

    /** A place for the probe in a Cluster. */
    static RedisProbe.Place place(int number) {
        String slot = "parley:{probe-" + number + "}";
        return new RedisProbe.Place(slot + ":channel", slot + ":key");
    }

    /** Ignores what arrives. */
    static final class Ignoring implements RedisConnections.Receiver {

        @Override
        public void onMessage(String channel, Buffer payload) {}

        @Override
        public void onResubscribed(Set<String> channels) {}
    }
}
