package dev.parley.ops;

import dev.parley.broker.Broker;
import dev.parley.broker.BrokerState;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/** Ready: messages flow through this pod, and it is here to stay. */
@Readiness
@Singleton
public final class DeliveryCheck implements HealthCheck {

    private final Broker broker;
    private final Drain drain;

    DeliveryCheck(Broker broker, Drain drain) {
        this.broker = broker;
        this.drain = drain;
    }

    @Override
    public HealthCheckResponse call() {
        var check = HealthCheckResponse.named("delivery");
        if (drain.hasStarted()) {
            return check.down().withData("reason", "draining").build();
        }
        if (broker.state() instanceof BrokerState.Down down) {
            return check.down().withData("reason", down.reason()).build();
        }
        return check.up().build();
    }
}
