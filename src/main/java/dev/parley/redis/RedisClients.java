package dev.parley.redis;

import io.quarkus.redis.client.RedisOptionsCustomizer;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.net.NetClientOptions;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisClientType;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.impl.RedisURI;
import jakarta.inject.Singleton;
import java.net.URI;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Makes clients of the Redis that {@code quarkus.redis.*} describes, and of further servers with
 * the same options. When the program starts, the framework makes a client, which Parley does not
 * use; before that it passes the options here.
 */
@Singleton
public final class RedisClients implements RedisOptionsCustomizer {

    private static final Logger LOG = Logger.getLogger(RedisClients.class);

    /**
     * Commands without an answer that the client accepts on a connection: twice as many as may be
     * pending, because it also keeps those whose time was over, and the probes come on top.
     */
    private static final int QUEUE = 2 * RedisConfig.MAX_PENDING;

    /** How long one Sentinel may take to answer, and as long again while event loops are busy. */
    private static final Duration SENTINEL_TIMEOUT = Duration.ofSeconds(2);

    private final List<String> hosts;

    private volatile @Nullable RedisOptions options;

    /**
     * @param hosts the addresses as they were configured
     */
    RedisClients(@ConfigProperty(name = "quarkus.redis.hosts") Optional<List<String>> hosts) {
        this.hosts = hosts.orElse(List.of());
    }

    /**
     * Keeps the options, with the addresses in the order of the configuration and without what
     * would work against {@link RedisLink}.
     */
    @Override
    public void customize(String clientName, RedisOptions options) {
        options.setEndpoints(inOrder(options.getEndpoints(), hosts));
        options.setMaxWaitingHandlers(Math.max(options.getMaxWaitingHandlers(), QUEUE));
        removeIdleTimeouts(options.getNetClientOptions());
        this.options = options;
    }

    /**
     * Returns the addresses in the order in which they were configured. The framework reads them
     * into a set, and may add a name of the client to each.
     */
    static List<String> inOrder(List<String> endpoints, List<String> configured) {
        List<String> order = configured.stream().map(RedisClients::server).toList();
        return endpoints.stream()
                .sorted(Comparator.comparingInt(endpoint -> order.indexOf(server(endpoint))))
                .toList();
    }

    /** Returns account, host and port of an address. */
    private static String server(String address) {
        return String.valueOf(URI.create(address.strip()).getRawAuthority());
    }

    /**
     * A connection may have nothing but the probe's messages to carry, for as long as no room is
     * used. An idle timeout that is shorter than the pauses between them would close it again and
     * again. A connection that hangs is noticed by the probe.
     */
    private static void removeIdleTimeouts(NetClientOptions net) {
        if (net.getIdleTimeout() + net.getReadIdleTimeout() + net.getWriteIdleTimeout() > 0) {
            LOG.warn(
                    "quarkus.redis.tcp.idle-timeout, .read-idle-timeout and .write-idle-timeout are"
                            + " ignored: they would close connections that have nothing to say;"
                            + " parley.redis.probe-timeout ends those that hang");
            net.setIdleTimeout(0).setReadIdleTimeout(0).setWriteIdleTimeout(0);
        }
    }

    /**
     * Returns what makes a further client at each call; the caller closes the client.
     *
     * @throws NullPointerException if the framework has not made its client yet, or no Redis is
     *     configured
     */
    public Supplier<Redis> on(Vertx vertx) {
        RedisOptions known = Objects.requireNonNull(options);
        if (known.getType() == RedisClientType.SENTINEL) {
            return new SentinelClients(
                    known.getEndpoints(),
                    sentinels ->
                            Redis.createClient(
                                    GatheredWrites.on(vertx),
                                    new RedisOptions(known).setEndpoints(sentinels)),
                    sentinel -> askForPrimary(vertx, sentinel, known),
                    System::nanoTime);
        }
        return () -> Redis.createClient(GatheredWrites.on(vertx), known);
    }

    /** Asks one Sentinel for the address of the primary, and ends the connection. */
    private static Future<String> askForPrimary(Vertx vertx, String sentinel, RedisOptions known) {
        Redis client =
                Redis.createClient(
                        GatheredWrites.on(vertx),
                        new RedisOptions(known)
                                .setType(RedisClientType.STANDALONE)
                                // Without the database, which a Sentinel does not have.
                                .setEndpoints(List.of(new RedisURI(sentinel).baseUri())));
        Request question =
                Request.cmd(Command.SENTINEL)
                        .arg("GET-MASTER-ADDR-BY-NAME")
                        .arg(known.getMasterName());
        Future<String> answer =
                client.connect()
                        .compose(connection -> connection.send(question))
                        .compose(
                                address ->
                                        address == null
                                                ? Future.failedFuture("it knows no such name")
                                                : Future.succeededFuture(
                                                        address.get(0) + ":" + address.get(1)));
        return AnswerTimeout.limit(vertx, answer, SENTINEL_TIMEOUT)
                .onComplete(done -> vertx.getOrCreateContext().runOnContext(now -> client.close()));
    }

    /**
     * Returns what makes clients of the nodes of a Cluster.
     *
     * @throws NullPointerException if the framework has not made its client yet, or no Redis is
     *     configured
     */
    public ClusterClients nodes(Vertx vertx) {
        return new ClusterClients(vertx, Objects.requireNonNull(options));
    }

    /**
     * Returns what makes a client of the server at this address at each call; the caller closes the
     * client. The other options are those of {@link #on}.
     *
     * @param address one URL; its user, password and database take precedence
     * @throws NullPointerException if the framework has not made its client yet
     */
    public Supplier<Redis> on(Vertx vertx, String address) {
        RedisOptions known = Objects.requireNonNull(options);
        // A copy of the options shares those of the connection with the original.
        var net = new NetClientOptions(known.getNetClientOptions());
        var at =
                new RedisOptions(known)
                        .setEndpoints(List.of(address))
                        .setNetClientOptions(net.setSsl(address.startsWith("rediss:")));
        return () -> Redis.createClient(GatheredWrites.on(vertx), at);
    }
}
