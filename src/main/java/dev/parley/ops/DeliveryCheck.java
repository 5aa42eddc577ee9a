package dev.parley.ops;

import dev.parley.broker.Broker;
import dev.parley.broker.BrokerState;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/**
 * Readiness: the public ports are open, the broker delivers messages to this pod, and the pod is
 * not draining. A pod whose broker refuses publishes stays ready: its readers are served, and no
 * other pod could publish either. The answer then says why publishing fails. Nor does one of
 * several servers make a pod unready when it is away: every pod would become so, and the rooms of
 * the other servers would have no pod left. The answer names the server.
 */
@Readiness
@Singleton
public final class DeliveryCheck implements HealthCheck {

    private final Broker broker;
    private final Drain drain;
    private final PublicPorts ports;
    private final HealthLog log =
            new HealthLog("Ready: messages are delivered", "Not ready", false);

    DeliveryCheck(Broker broker, Drain drain, PublicPorts ports) {
        this.broker = broker;
        this.drain = drain;
        this.ports = ports;
    }

    @Override
    public HealthCheckResponse call() {
        if (drain.hasStarted()) {
            return down("draining");
        }
        if (!ports.areOpen()) {
            // Each start passes through this: no line in the log.
            return answer(PublicPorts.CLOSED);
        }
        BrokerState state = broker.state();
        if (state instanceof BrokerState.Down down) {
            return down(down.reason());
        }
        log.onUp();
        var answer = HealthCheckResponse.named("delivery").up();
        if (state instanceof BrokerState.Up up) {
            up.publishingProblem().ifPresent(reason -> answer.withData("publishing", reason));
            up.silent().forEach((server, reason) -> answer.withData("server " + server, reason));
        }
        return answer.build();
    }

    private HealthCheckResponse down(String reason) {
        log.onDown(reason);
        return answer(reason);
    }

    private static HealthCheckResponse answer(String reason) {
        return HealthCheckResponse.named("delivery").down().withData("reason", reason).build();
    }
}
