package dev.parley.ops;

import jakarta.inject.Singleton;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Startup;

/** Startup: the public ports are open, whether Redis is reachable or not. */
@Startup
@Singleton
public final class StartedCheck implements HealthCheck {

    private final PublicPorts ports;

    StartedCheck(PublicPorts ports) {
        this.ports = ports;
    }

    @Override
    public HealthCheckResponse call() {
        var check = HealthCheckResponse.named("started");
        return ports.areOpen()
                ? check.up().build()
                : check.down().withData("reason", PublicPorts.CLOSED).build();
    }
}
