package dev.parley.ops;

import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Startup;

/**
 * Startup: the program has started, whether Redis is reachable or not. Its public port opens in the
 * same moment or shortly after.
 */
@Startup
@Singleton
public final class StartedCheck implements HealthCheck {

    private volatile boolean started;

    void start(@Observes StartupEvent event) {
        started = true;
    }

    @Override
    public HealthCheckResponse call() {
        var check = HealthCheckResponse.named("started");
        return started ? check.up().build() : check.down().withData("reason", "starting").build();
    }
}
