package dev.parley.access;

import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** Settings of access, read as the program reads them. */
public final class AccessSettings {

    private final Map<String, String> file = new LinkedHashMap<>();
    private final Map<String, String> environment = new LinkedHashMap<>();

    private AccessSettings() {}

    /** No settings. */
    public static AccessSettings none() {
        return new AccessSettings();
    }

    /** Mode token with an issuer {@code dev}, which has the key of the tests. */
    public static AccessSettings withSecret() {
        return withIssuer().set("parley.access.issuers.dev.secret", TestTokens.SECRET);
    }

    /** Mode token with an issuer {@code dev} that has no key yet. */
    public static AccessSettings withIssuer() {
        return none().set("parley.access.mode", "token")
                .set("parley.access.issuers.dev.issuer", TestTokens.ISSUER)
                .set("parley.access.issuers.dev.audience", TestTokens.AUDIENCE);
    }

    /** Sets a setting as in a file. */
    public AccessSettings set(String key, String value) {
        file.put(key, value);
        return this;
    }

    /** Sets a setting of the issuer {@code dev}. */
    public AccessSettings dev(String key, String value) {
        return set("parley.access.issuers.dev." + key, value);
    }

    /** Sets an environment variable. */
    public AccessSettings variable(String name, String value) {
        environment.put(name, value);
        return this;
    }

    /** Reads them. */
    public AccessConfig read() {
        return new SmallRyeConfigBuilder()
                .withSources(new PropertiesConfigSource(file, "file", 100))
                .withSources(new EnvConfigSource(environment, 300))
                .withConverter(Duration.class, 200, new DurationConverter())
                .withMapping(AccessConfig.class)
                .build()
                .getConfigMapping(AccessConfig.class);
    }
}
