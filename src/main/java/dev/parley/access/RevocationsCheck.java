package dev.parley.access;

import jakarta.inject.Singleton;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/**
 * Readiness: the pod knows what is revoked, if that matters. Until then it admits no token, so a
 * pod that has just started does not take the place of one that does. On a Redis Cluster the node
 * that has the revocations may be away while others deliver.
 */
@Readiness
@Singleton
final class RevocationsCheck implements HealthCheck {

    private final Authenticator authenticator;
    private final Revocations revocations;

    RevocationsCheck(Authenticator authenticator, Revocations revocations) {
        this.authenticator = authenticator;
        this.revocations = revocations;
    }

    @Override
    public HealthCheckResponse call() {
        var check = HealthCheckResponse.named("revocations");
        return !authenticator.isTokenMode() || revocations.isLoaded()
                ? check.up().build()
                : check.down().withData("reason", "Redis has not told what is revoked yet").build();
    }
}
