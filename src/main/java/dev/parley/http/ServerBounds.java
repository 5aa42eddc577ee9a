package dev.parley.http;

import dev.parley.delivery.StreamLimitsConfig;
import io.github.bucket4j.Bandwidth;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.quarkus.runtime.configuration.MemorySize;
import io.vertx.core.http.HttpServerRequest;
import jakarta.inject.Singleton;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Counts and bounds what all connections of the HTTP server hold. Thread-safe. */
@Singleton
final class ServerBounds {

    /** Connections that are not streams: of publishers, pages, and clients that send nothing. */
    private static final int OTHERS = 4000;

    /** Connections of one address that are not streams. */
    private static final int OTHERS_OF_ADDRESS = 1000;

    private static final Duration RESETS_PERIOD = Duration.ofSeconds(30);

    private final int maxSockets;
    private final int maxSocketsPerAddress;
    private final int maxHandshakesPerAddress;
    private final int maxControlFrames;
    private final Bandwidth resetsPerAddress;
    private final TokenBuckets<String> resets = new TokenBuckets<>();
    private final ClientAddress clients;
    private final ProxyAdvice proxyAdvice;
    private final Duration headTimeout;
    private final Duration answerTimeout;
    private final ByteBudget heads;
    private final ByteBudget bodies;
    private final ByteBudget pending;
    private final ByteBudget answers;
    private final ByteBudget backlogs;
    private final AtomicInteger sockets = new AtomicInteger();

    /** Has an entry only for addresses with connections. */
    private final Map<String, Integer> socketsByAddress = new ConcurrentHashMap<>();

    /** Has an entry only for addresses with handshakes. */
    private final Map<String, Integer> handshakesByAddress = new ConcurrentHashMap<>();

    private final MeterRegistry meters;

    ServerBounds(
            ServerLimitsConfig config,
            StreamLimitsConfig streams,
            ClientAddress clients,
            ProxyAdvice proxyAdvice,
            MeterRegistry meters) {
        this.proxyAdvice = proxyAdvice;
        this.maxSockets =
                Math.min(
                        config.sockets().orElse(plus(streams.connections(), OTHERS)),
                        withinOpenFiles());
        this.maxSocketsPerAddress =
                config.socketsPerAddress()
                        .orElse(plus(streams.connectionsPerAddress(), OTHERS_OF_ADDRESS));
        this.clients = clients;
        this.maxHandshakesPerAddress = config.handshakesPerAddress();
        this.maxControlFrames = config.controlFrames();
        this.resetsPerAddress =
                Bandwidth.builder()
                        .capacity(config.resetsPerAddress())
                        .refillGreedy(config.resetsPerAddress(), RESETS_PERIOD)
                        .build();
        this.headTimeout = config.headTimeout();
        this.answerTimeout = config.answerTimeout();
        this.heads = new ByteBudget(config.headBytes().asLongValue());
        // One byte of a body, which arrives in one piece.
        this.bodies = budget(Bound.BODY_BYTES, config.bodyBytes(), 1L + RequestCost.PIECE);
        this.pending =
                budget(
                        Bound.PENDING_BYTES,
                        config.pendingBytes(),
                        1L + PendingPublishes.PUBLISH_BYTES);
        this.answers = new ByteBudget(config.answerBytes().asLongValue());
        this.backlogs = new ByteBudget(config.backlogBytes().asLongValue());
        this.meters = meters;
        for (Bound bound : Bound.values()) {
            counter(bound);
        }
        Gauge.builder("parley.sockets", sockets, AtomicInteger::get)
                .description("Connections of clients")
                .register(meters);
        gauge(meters, "heads", heads);
        gauge(meters, "bodies", bodies);
        gauge(meters, "pending", pending);
        gauge(meters, "answers", answers);
        gauge(meters, "backlogs", backlogs);
    }

    /**
     * Makes a budget.
     *
     * @param least what one address has to be able to hold; otherwise every publish is refused
     */
    private static ByteBudget budget(Bound bound, MemorySize size, long least) {
        var budget = new ByteBudget(size.asLongValue());
        if (budget.mostOfAddress() < least) {
            throw new ConfigurationException(
                    "%s is too small: a quarter of it, which one address may hold, has no room for a single publish; at least %d bytes are needed"
                            .formatted(bound.setting(), least * ByteBudget.SHARES));
        }
        return budget;
    }

    /** A bound that a client met, as the metrics name it. */
    enum Bound {
        SOCKETS,
        HANDSHAKES,
        TLS_RECORDS,
        CONTROL_FRAMES,
        RESETS,
        HEAD_TIMEOUT,
        HEAD_BYTES,
        BODY_BYTES,
        PENDING_BYTES,
        ANSWER_BYTES,
        ANSWER_TIMEOUT;

        private String label() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        /** The setting of a bound in bytes. */
        private String setting() {
            return "parley.limits." + label();
        }
    }

    /** Counts a client that met a bound. */
    void onMet(Bound bound) {
        counter(bound).increment();
    }

    /** Counts a connection that met a bound of what its address holds in bytes. */
    void onMet(Bound bound, Peer peer) {
        onMet(bound);
        if (!peer.isProxy()) {
            proxyAdvice.onLimitMet(peer, bound.setting());
        }
    }

    /** Counts a request that met a bound of what its address holds in bytes. */
    void onMet(Bound bound, HttpServerRequest request) {
        onMet(bound);
        proxyAdvice.onLimitMet(request, bound.setting());
    }

    /**
     * The other end of a connection.
     *
     * @param isProxy whether it is a trusted proxy, whose connections are those of many clients,
     *     and which has no limits of an address
     * @param isPrivate whether it is in a private network
     */
    record Peer(String address, boolean isProxy, boolean isPrivate) {}

    /** Returns the other end of a connection. */
    Peer peer(@Nullable SocketAddress remote) {
        if (remote instanceof InetSocketAddress socket && socket.getAddress() != null) {
            byte[] address = ClientAddress.withoutMapping(socket.getAddress().getAddress());
            return new Peer(
                    ClientAddress.text(address),
                    clients.isProxy(address),
                    ProxyAdvice.isPrivate(address));
        }
        return new Peer("local", false, true);
    }

    /**
     * Counts a connection in.
     *
     * @return whether it may stay; if not, it was not counted
     */
    boolean tryOpen(Peer peer) {
        if (sockets.incrementAndGet() > maxSockets) {
            sockets.decrementAndGet();
            return false;
        }
        if (!tryCount(socketsByAddress, peer, maxSocketsPerAddress)) {
            sockets.decrementAndGet();
            proxyAdvice.onLimitMet(peer, "parley.limits.sockets-per-address");
            return false;
        }
        return true;
    }

    /** Counts a connection out. */
    void close(Peer peer) {
        sockets.decrementAndGet();
        discount(socketsByAddress, peer);
    }

    /** Tells whether a client is connected. */
    boolean hasSockets() {
        return sockets.get() > 0;
    }

    /**
     * Counts a TLS handshake in.
     *
     * @return whether it may go on; if not, it was not counted
     */
    boolean tryBeginHandshake(Peer peer) {
        boolean mayBegin = tryCount(handshakesByAddress, peer, maxHandshakesPerAddress);
        if (!mayBegin) {
            proxyAdvice.onLimitMet(peer, "parley.limits.handshakes-per-address");
        }
        return mayBegin;
    }

    /** Counts a TLS handshake out. */
    void endHandshake(Peer peer) {
        discount(handshakesByAddress, peer);
    }

    private static boolean tryCount(Map<String, Integer> counts, Peer peer, int max) {
        if (counts.merge(peer.address(), 1, Integer::sum) > max && !peer.isProxy()) {
            discount(counts, peer);
            return false;
        }
        return true;
    }

    private static void discount(Map<String, Integer> counts, Peer peer) {
        counts.computeIfPresent(peer.address(), (a, count) -> count == 1 ? null : count - 1);
    }

    /** Frames that nothing asked for which an HTTP/2 connection may send in 30 s. */
    int maxControlFrames() {
        return maxControlFrames;
    }

    /**
     * Counts an HTTP/2 stream that is reset.
     *
     * @return whether its connection may stay
     */
    boolean tryReset(Peer peer) {
        if (peer.isProxy() || resets.tryTake(peer.address(), resetsPerAddress).isEmpty()) {
            return true;
        }
        proxyAdvice.onLimitMet(peer, "parley.limits.resets-per-address");
        return false;
    }

    /** Incomplete heads. */
    ByteBudget heads() {
        return heads;
    }

    /** Incomplete bodies. */
    ByteBudget bodies() {
        return bodies;
    }

    /** Publishes that wait for the broker. */
    ByteBudget pending() {
        return pending;
    }

    /** History that is being read, or that clients have not received. */
    ByteBudget answers() {
        return answers;
    }

    /** What streams that were behind have been sent and their clients have not taken. */
    ByteBudget backlogs() {
        return backlogs;
    }

    Duration headTimeout() {
        return headTimeout;
    }

    Duration answerTimeout() {
        return answerTimeout;
    }

    private Counter counter(Bound bound) {
        return Counter.builder("parley.bounds.met")
                .description("Clients that were refused or cut because they met a bound")
                .tag("bound", bound.label())
                .register(meters);
    }

    private static void gauge(MeterRegistry meters, String kind, ByteBudget budget) {
        Gauge.builder("parley.held", budget, ByteBudget::held)
                .description("Bytes of heads, bodies, publishes and answers that are on their way")
                .baseUnit("bytes")
                .tag("kind", kind)
                .register(meters);
    }

    private static int plus(int one, int other) {
        return (int) Math.min(Integer.MAX_VALUE, (long) one + other);
    }

    /** Leaves files for Redis and the program itself. */
    private static int withinOpenFiles() {
        return FileLimit.ofProcess().map(limit -> limit.leaving(500, 8)).orElse(Integer.MAX_VALUE);
    }
}
