package dev.parley.http;

import dev.parley.delivery.StreamLimitsConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** The bounds of a server with the default settings and without a proxy. */
final class TestBounds {

    private TestBounds() {}

    static ServerBounds of(Vertx vertx) {
        return of(vertx, Map.of());
    }

    static ServerBounds of(Vertx vertx, Map<String, String> settings) {
        SmallRyeConfig config =
                new SmallRyeConfigBuilder()
                        .withConverter(Duration.class, 200, new DurationConverter())
                        .withDefaultValues(settings)
                        .withMapping(ServerLimitsConfig.class)
                        .withMapping(StreamLimitsConfig.class)
                        .build();
        var clients = new ClientAddress(false, false, Optional.empty(), Optional.empty(), vertx);
        return new ServerBounds(
                config.getConfigMapping(ServerLimitsConfig.class),
                config.getConfigMapping(StreamLimitsConfig.class),
                clients,
                new ProxyAdvice(clients),
                new SimpleMeterRegistry());
    }
}
