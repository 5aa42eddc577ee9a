package dev.parley.http;

import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.config.ConfigProvider;

/** The port for health checks and metrics. */
public final class ManagementPort {

    private ManagementPort() {}

    /**
     * Returns its number; -1 if everything is on one port. A random one is known only once the
     * server listens.
     */
    public static int number() {
        Config config = ConfigProvider.getConfig();
        return config.getOptionalValue("quarkus.management.enabled", Boolean.class).orElse(false)
                ? config.getOptionalValue("quarkus.management.port", Integer.class).orElse(9000)
                : -1;
    }
}
