package dev.parley.ops;

import dev.parley.testsupport.ConfigKeys;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The names under which the program is known to manifests, rules and dashboard: its settings,
 * metrics and paths. A name that is not here is a spelling mistake, which only a test can find:
 * Prometheus answers a query for an unknown series with an empty result.
 */
final class ProgramNames {
    private ProgramNames() {}

    /** The environment variables of the program: its own, and those of the framework in use. */
    static Set<String> knownKeys() {
        Set<String> known = new HashSet<>();
        for (ConfigKeys.Key key : ConfigKeys.all()) {
            for (String issuer : List.of("LOGIN", "APP")) {
                for (String server : List.of("NORTH", "SOUTH")) {
                    String name =
                            key.name()
                                    .replace(".NAME.", "." + issuer + ".")
                                    .replace("servers.*", "servers." + server);
                    known.add(new ConfigKeys.Key(name, key.defaultValue()).environmentVariable());
                }
            }
        }
        known.addAll(
                Set.of(
                        "QUARKUS_REDIS_HOSTS",
                        "QUARKUS_REDIS_PASSWORD",
                        "QUARKUS_REDIS_CLIENT_TYPE",
                        "QUARKUS_REDIS_MASTER_NAME",
                        "QUARKUS_HTTP_CORS_ORIGINS",
                        "QUARKUS_HTTP_PROXY_PROXY_ADDRESS_FORWARDING",
                        "QUARKUS_HTTP_PROXY_TRUSTED_PROXIES",
                        "QUARKUS_SHUTDOWN_TIMEOUT",
                        "QUARKUS_LOG_CONSOLE_JSON_ENABLED"));
        return known;
    }

    /**
     * The series that {@code /q/metrics} on the management port exposes, by the names that
     * Prometheus sees.
     */
    static final Set<String> METRICS =
            Set.of(
                    "parley_connected_clients",
                    "parley_connection_limit",
                    "parley_rooms",
                    "parley_messages_published_total",
                    "parley_messages_received_total",
                    "parley_deliveries_total",
                    "parley_delivered_bytes_total",
                    "parley_disconnects_total",
                    "parley_resumes_total",
                    "parley_replayed_messages_total",
                    "parley_backfills_total",
                    "parley_slow_readers",
                    "parley_fanout_seconds_bucket",
                    "parley_redis_roundtrip_seconds_bucket",
                    "parley_redis_may_evict",
                    "parley_redis_nodes_silent",
                    "parley_redis_refusals_total",
                    "parley_redis_evicted_total",
                    "parley_histories_lost_total",
                    "parley_access_denied_total",
                    "parley_bounds_met_total",
                    "parley_held_bytes",
                    "parley_sockets",
                    "parley_subscription_up");

    /** The upper bounds of the buckets of those series that are histograms, in seconds. */
    static final Map<String, Set<Double>> BUCKETS =
            Map.of(
                    "parley_fanout_seconds_bucket",
                    Set.of(
                            0.001,
                            0.002,
                            0.005,
                            0.01,
                            0.025,
                            0.05,
                            0.1,
                            0.25,
                            0.5,
                            1.0,
                            2.5,
                            Double.POSITIVE_INFINITY),
                    "parley_redis_roundtrip_seconds_bucket",
                    Set.of(0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 2.0, Double.POSITIVE_INFINITY));

    /** Those of them that only a pod on a Redis Cluster has. */
    static final Set<String> METRICS_OF_A_CLUSTER = Set.of("parley_redis_nodes_silent");

    private static final Pattern BUCKET =
            Pattern.compile("(parley_\\w+_bucket)\\{([^}]*?)(?:, ?)?le=\"([^\"]+)\"}");

    /**
     * The histograms in a text, each with the upper bounds of its buckets, in seconds.
     *
     * @return by the name of the series and its other labels
     */
    static Map<String, Set<Double>> histograms(String text) {
        return BUCKET.matcher(text)
                .results()
                .collect(
                        Collectors.groupingBy(
                                bucket -> bucket.group(1) + "{" + bucket.group(2) + "}",
                                Collectors.mapping(
                                        bucket ->
                                                Double.valueOf(
                                                        bucket.group(3)
                                                                .replace("+Inf", "Infinity")),
                                        Collectors.toSet())));
    }

    /** The labels of those series with a closed list of values. */
    static final Map<String, Set<String>> LABEL_VALUES =
            Map.of(
                    "result", Set.of("ok", "duplicate", "rejected", "failed", "limited"),
                    "reason",
                            Set.of(
                                    "client",
                                    "slow-consumer",
                                    "drain",
                                    "limit",
                                    "rotation",
                                    "unavailable",
                                    "expired",
                                    "revoked",
                                    "error",
                                    // Of what is denied.
                                    "malformed",
                                    "algorithm",
                                    "issuer",
                                    "audience",
                                    "unknown-key",
                                    "signature",
                                    "not-yet-valid",
                                    "no-keys",
                                    "no-token",
                                    "forbidden",
                                    "other-sender",
                                    "unknown-ticket",
                                    "misplaced",
                                    "other-origin",
                                    "cookie-without-origins",
                                    "too-many"),
                    "outcome", Set.of("resumed", "gap"));

    /** The name of the port of health, metrics and API description, which stays in the cluster. */
    static final String MANAGEMENT = "management";

    static final String STARTED = "/q/health/started";
    static final String READY = "/q/health/ready";
    static final String LIVE = "/q/health/live";
    static final String METRICS_PATH = "/q/metrics";

    /** An example of each public call. */
    static final Set<String> CALLS =
            Set.of("/", "/send", "/events", "/clock", "/rooms/lobby/messages");
}
