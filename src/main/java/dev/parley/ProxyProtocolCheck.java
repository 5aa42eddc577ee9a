package dev.parley;

import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.configuration.ConfigurationException;
import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.List;
import org.eclipse.microprofile.config.Config;

/**
 * Refuses the PROXY protocol. The framework would read its line, and only then prepare the
 * connection for TLS and HTTP. The guards of a connection are put in place with its first bytes,
 * before that: they would take the line for a request of HTTP/1, break every TLS handshake, and
 * leave HTTP/2 without bounds.
 */
@Singleton
final class ProxyProtocolCheck {

    /** Runs after the check of unknown settings, and before the program is assembled. */
    private static final int EARLY = 2;

    private static final List<String> SWITCHES =
            List.of(
                    "quarkus.http.proxy.use-proxy-protocol",
                    "quarkus.management.proxy.use-proxy-protocol");

    void check(@Observes @Priority(EARLY) StartupEvent event, Config config) {
        List<String> on =
                SWITCHES.stream()
                        .filter(name -> config.getOptionalValue(name, Boolean.class).orElse(false))
                        .toList();
        if (!on.isEmpty()) {
            throw new ConfigurationException(
                    "%s: Parley does not read the PROXY protocol; let the proxy send X-Forwarded-For, and set quarkus.http.proxy.proxy-address-forwarding and quarkus.http.proxy.trusted-proxies"
                            .formatted(String.join(", ", on)));
        }
    }
}
