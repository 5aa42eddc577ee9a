package dev.parley.http;

import dev.parley.delivery.EventsConfig;
import io.quarkus.vertx.http.HttpServerOptionsCustomizer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.JdkSSLEngineOptions;
import jakarta.inject.Singleton;
import java.time.Duration;

/**
 * Sets socket options of the HTTP server, and the bounds of its connections before it accepts any.
 * TCP_USER_TIMEOUT takes effect with epoll only; with the JDK's transport {@link
 * HalfOpenConnections} does the same.
 */
@Singleton
final class ServerOptions implements HttpServerOptionsCustomizer {

    /** Connections waiting to be accepted, as when the readers of a lost pod reconnect at once. */
    private static final int ACCEPT_BACKLOG = 4096;

    /** Lets the hub cut a stalled reader, with a reason in the metrics, before the kernel does. */
    private static final Duration GRACE = Duration.ofSeconds(5);

    private final Duration userTimeout;
    private final ServerBounds bounds;
    private final int sendBuffer;

    ServerOptions(EventsConfig config, ServerLimitsConfig limits, ServerBounds bounds) {
        this.bounds = bounds;
        sendBuffer = (int) Math.min(Integer.MAX_VALUE, limits.sendBuffer().asLongValue());
        userTimeout = userTimeout(config);
    }

    /** Returns for how long bytes may stay unacknowledged before their connection is ended. */
    static Duration userTimeout(EventsConfig config) {
        return longer(config.heartbeat(), config.slowTimeout().plus(GRACE));
    }

    @Override
    public void customizeHttpServer(HttpServerOptions options) {
        customize(options);
    }

    @Override
    public void customizeHttpsServer(HttpServerOptions options) {
        customize(options);
        if (options.getSslEngineOptions() == null) {
            // A handshake takes milliseconds, in which its event loop would serve no other client.
            options.setSslEngineOptions(new JdkSSLEngineOptions().setUseWorkerThread(true));
        }
    }

    /**
     * Limits how long bytes may stay unacknowledged (tcp(7), TCP_USER_TIMEOUT). A reader whose
     * network is gone acknowledges nothing; the kernel would retransmit for a quarter of an hour.
     * With this limit it ends the connection 15 seconds (with the default settings) after the first
     * bytes that were not acknowledged, a heartbeat at the latest.
     *
     * <p>Also limits what the kernel holds for a client. Left alone, Linux lets it grow to 4 MB for
     * each one that does not read: a few hundred of them would take the memory of the pod.
     */
    private void customize(HttpServerOptions options) {
        options.setTcpUserTimeout((int) Math.min(Integer.MAX_VALUE, userTimeout.toMillis()));
        options.setTcpKeepAlive(true);
        options.setSendBufferSize(sendBuffer);
        options.setAcceptBacklog(ACCEPT_BACKLOG);
        ConnectionGuardInstaller.use(bounds);
    }

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? other : one;
    }
}
