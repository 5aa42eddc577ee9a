package dev.parley;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigSourceInterceptor;
import io.smallrye.config.ConfigSourceInterceptorContext;
import io.smallrye.config.ConfigValue;
import io.smallrye.config.Priorities;
import jakarta.annotation.Priority;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Refuses a Redis address that cannot be used, whenever the framework reads it. The framework
 * itself would print the whole address, with the password, or end with a NullPointerException. No
 * part of the address is repeated: in one that is written wrongly, any part may be the password.
 */
@Priority(Priorities.APPLICATION + 100)
public final class RedisAddressCheck implements ConfigSourceInterceptor {

    private static final long serialVersionUID = 1L;

    private static final Pattern KEY =
            Pattern.compile("quarkus\\.redis\\.(.+\\.)?hosts|parley\\.redis\\.servers\\..+");

    private static final String SERVERS = "parley.redis.servers.";
    private static final String CLIENT_TYPE = "quarkus.redis.client-type";
    private static final String STANDALONE = "standalone";

    /** Commas separate addresses, but for those after a backslash. */
    private static final Pattern SEPARATOR = Pattern.compile("(?<!\\\\),");

    private static final Pattern DATABASE = Pattern.compile("/?|/[0-9]{1,9}");
    private static final Pattern DATABASE_PARAMETER = Pattern.compile("(?:^|&)db=([^&]*)");
    private static final int MAX_PORT = 65_535;

    @Override
    public ConfigValue getValue(ConfigSourceInterceptorContext context, String name) {
        ConfigValue value = context.proceed(name);
        if (value != null && value.getValue() != null && KEY.matcher(name).matches()) {
            problem(name, value.getValue(), clientType(context))
                    .ifPresent(
                            problem -> {
                                throw new ConfigurationException(name + ": " + problem);
                            });
        }
        return value;
    }

    private static String clientType(ConfigSourceInterceptorContext context) {
        ConfigValue type = context.proceed(CLIENT_TYPE);
        return type == null || type.getValue() == null ? STANDALONE : type.getValue().strip();
    }

    /**
     * Says in one sentence what is wrong with a setting; empty if nothing is.
     *
     * @param setting its name
     * @param clientType {@code quarkus.redis.client-type}
     */
    static Optional<String> problem(String setting, String addresses, String clientType) {
        if (setting.startsWith(SERVERS)) {
            // The framework would fail at the comma, with a stack trace.
            return SEPARATOR.matcher(addresses.strip()).find()
                    ? Optional.of(
                            "one address is expected, and not a list; a comma in a password is"
                                    + " written %2C")
                    : problem(addresses);
        }
        if (!addresses.isBlank() && clientType.equalsIgnoreCase("replication")) {
            return Optional.of(
                    CLIENT_TYPE
                            + " is replication, with which Parley does not work; there are"
                            + " standalone, sentinel and cluster");
        }
        Optional<String> problem = problem(addresses);
        if (problem.isEmpty()
                && SEPARATOR.split(addresses, 0).length > 1
                && clientType.equalsIgnoreCase(STANDALONE)) {
            return Optional.of(
                    "several addresses are set, but "
                            + CLIENT_TYPE
                            + " is standalone; write one, or set that to sentinel or cluster, or"
                            + " name independent servers as parley.redis.servers.NAME");
        }
        return problem;
    }

    /** Says in one sentence what is wrong with a list of addresses; empty if nothing is. */
    static Optional<String> problem(String addresses) {
        String[] all = SEPARATOR.split(addresses, 0);
        if (all.length == 0) {
            return Optional.of("there is no address between the commas");
        }
        for (int i = 0; i < all.length; i++) {
            String address = all[i].replace("\\,", ",").strip();
            String which = all.length == 1 ? "the address " : "address " + (i + 1) + " ";
            Optional<String> problem =
                    addresses.isBlank() ? Optional.empty() : problemOfOne(address);
            if (problem.isPresent()) {
                return problem.map(
                        text ->
                                which
                                        + text
                                        + "; write redis://:password@host:6379, with special"
                                        + " characters of the password percent-encoded");
            }
        }
        return Optional.empty();
    }

    private static Optional<String> problemOfOne(String address) {
        if (address.isEmpty()) {
            return Optional.of("is empty");
        }
        URI uri;
        try {
            uri = new URI(address);
        } catch (URISyntaxException e) {
            // Its message would repeat the address.
            return Optional.of("is not a URL: " + e.getReason() + " at index " + e.getIndex());
        }
        String scheme = uri.getScheme();
        if (scheme == null) {
            return Optional.of("has no scheme such as redis://");
        }
        return switch (scheme) {
            case "redis", "rediss" -> problemOfHost(uri).or(() -> problemOfDatabase(uri));
            case "unix" ->
                    uri.getPath() == null || uri.getPath().isEmpty()
                            ? Optional.of("has no path of a socket")
                            : Optional.empty();
            default -> Optional.of("does not begin with redis://, rediss:// or unix://");
        };
    }

    private static Optional<String> problemOfHost(URI uri) {
        if (uri.getHost() == null) {
            return Optional.of("has no host, or a port that is not a number");
        }
        return uri.getPort() == 0 || uri.getPort() > MAX_PORT
                ? Optional.of("has a port that does not exist")
                : Optional.empty();
    }

    private static Optional<String> problemOfDatabase(URI uri) {
        String query = Optional.ofNullable(uri.getQuery()).orElse("");
        Matcher parameter = DATABASE_PARAMETER.matcher(query);
        boolean isNumber =
                DATABASE.matcher(uri.getPath()).matches()
                        && (!parameter.find()
                                || DATABASE.matcher("/" + parameter.group(1)).matches());
        return isNumber
                ? Optional.empty()
                : Optional.of("has a database after the host that is not a number");
    }
}
