package dev.parley;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigSourceInterceptor;
import io.smallrye.config.ConfigSourceInterceptorContext;
import io.smallrye.config.ConfigValue;
import io.smallrye.config.Priorities;
import jakarta.annotation.Priority;
import java.net.URI;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The list of Redis servers, {@code parley.redis.servers.NAME}: what it may contain, and how the
 * framework's options reach them. The framework makes options for a client (TLS, timeouts) only if
 * {@code quarkus.redis.hosts} is set, so with a list it gets one of the addresses as that setting.
 * Parley uses the options for every server.
 */
@Priority(Priorities.APPLICATION + 200)
public final class RedisServerList implements ConfigSourceInterceptor {

    private static final long serialVersionUID = 1L;

    private static final String HOSTS = "quarkus.redis.hosts";
    private static final String SERVERS = "parley.redis.servers.";
    private static final String TLS = "rediss:";
    private static final int DEFAULT_PORT = 6379;

    /**
     * Letters and digits alone: an environment variable can spell no other name, as it ignores
     * case.
     */
    private static final Pattern NAME = Pattern.compile("[a-z0-9]{1,32}");

    @Override
    public @Nullable ConfigValue getValue(ConfigSourceInterceptorContext context, String name) {
        ConfigValue value = context.proceed(name);
        if (!name.equals(HOSTS)) {
            return value;
        }
        Optional<ConfigValue> server = server(context);
        if (server.isEmpty()) {
            return value;
        }
        if (value != null && value.getValue() != null && !value.getValue().isBlank()) {
            throw new ConfigurationException(
                    HOSTS
                            + " and "
                            + server.get().getName()
                            + " are both set: name every server as parley.redis.servers.NAME, the"
                            + " one of "
                            + HOSTS
                            + " too, and remove "
                            + HOSTS);
        }
        // The framework would take a comma for the end of the address.
        String address = server.get().getValue().replace(",", "\\,");
        return server.get().from().withName(HOSTS).withValue(address).build();
    }

    /** Returns one of the servers, by TLS if one is: the framework then prepares for it. */
    private static Optional<ConfigValue> server(ConfigSourceInterceptorContext context) {
        var names = new TreeSet<String>();
        for (Iterator<String> all = context.iterateNames(); all.hasNext(); ) {
            String name = all.next();
            if (name.startsWith(SERVERS)) {
                names.add(name);
            }
        }
        Optional<ConfigValue> found = Optional.empty();
        for (String name : names) {
            ConfigValue one = context.proceed(name);
            boolean isSet = one != null && one.getValue() != null && !one.getValue().isBlank();
            if (isSet && (found.isEmpty() || one.getValue().startsWith(TLS))) {
                found = Optional.of(one);
            }
        }
        return found;
    }

    /**
     * Refuses a list that cannot be used. No part of an address is repeated, since it may be the
     * password.
     *
     * @param servers addresses by name, each of which {@link RedisAddressCheck} lets pass
     * @param clientType {@code quarkus.redis.client-type}
     */
    static void check(Map<String, String> servers, String clientType) {
        if (!clientType.toLowerCase(Locale.ROOT).equals("standalone")) {
            throw new ConfigurationException(
                    "quarkus.redis.client-type is "
                            + clientType
                            + ", but each of parley.redis.servers has to be a single Redis; use"
                            + " quarkus.redis.hosts for Sentinel or a Cluster");
        }
        Map<String, String> names = new HashMap<>();
        servers.forEach(
                (name, address) -> {
                    if (!NAME.matcher(name).matches()) {
                        throw new ConfigurationException(
                                SERVERS
                                        + name
                                        + ": the name of a server is 1 to 32 lower-case letters"
                                        + " and digits");
                    }
                    String same = names.put(place(address), name);
                    if (same != null) {
                        throw new ConfigurationException(
                                SERVERS
                                        + same
                                        + " and "
                                        + SERVERS
                                        + name
                                        + " are the same server; remove one of them");
                    }
                });
    }

    /** Returns what tells servers apart: databases of one server share its channels. */
    private static String place(String address) {
        URI uri = URI.create(address.strip());
        if (uri.getHost() == null) {
            return String.valueOf(uri.getPath());
        }
        int port = uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort();
        return uri.getHost().toLowerCase(Locale.ROOT) + ":" + port;
    }
}
