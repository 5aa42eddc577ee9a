package dev.parley.access;

import dev.parley.http.AllowedOrigins;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.configuration.ConfigurationException;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Refuses to start when any page may use the pod with the cookies of its visitors: {@code
 * quarkus.http.cors.access-control-allow-credentials} with {@link AllowedOrigins#areAll}. The
 * framework would repeat the origin of each page, so that no browser refuses it (Fetch Standard,
 * "CORS protocol and credentials").
 */
@Singleton
final class CredentialedOrigins {

    void check(
            @Observes StartupEvent event,
            @ConfigProperty(name = "quarkus.http.cors.origins") Optional<List<String>> origins,
            @ConfigProperty(
                            name = "quarkus.http.cors.access-control-allow-credentials",
                            defaultValue = "false")
                    boolean credentials) {
        if (credentials && new AllowedOrigins(origins).areAll()) {
            throw new ConfigurationException(
                    "quarkus.http.cors.access-control-allow-credentials lets pages use the cookies"
                            + " of their visitors, and quarkus.http.cors.origins lets any page do"
                            + " it; name the origins of your pages there");
        }
    }
}
