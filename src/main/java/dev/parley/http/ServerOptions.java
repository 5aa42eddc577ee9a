package dev.parley.http;

import dev.parley.delivery.EventsConfig;
import io.quarkus.vertx.http.HttpServerOptionsCustomizer;
import io.vertx.core.http.HttpServerOptions;
import jakarta.inject.Singleton;
import java.time.Duration;

/** Settings of the HTTP server's sockets; the first has effect on epoll, that is on Linux, only. */
@Singleton
final class ServerOptions implements HttpServerOptionsCustomizer {

    /** As many as come back at once when a pod is lost; the kernel may allow fewer. */
    private static final int ACCEPT_BACKLOG = 4096;

    /** So that a stalled reader is found by the hub, which tells why, before the kernel does. */
    private static final Duration GRACE = Duration.ofSeconds(5);

    private final Duration userTimeout;

    ServerOptions(EventsConfig config) {
        userTimeout = longer(config.heartbeat(), config.slowTimeout().plus(GRACE));
    }

    @Override
    public void customizeHttpServer(HttpServerOptions options) {
        customize(options);
    }

    @Override
    public void customizeHttpsServer(HttpServerOptions options) {
        customize(options);
    }

    /**
     * A reader whose network is gone acknowledges nothing. The kernel would try again for a quarter
     * of an hour; so it gives up soon after the first heartbeat that is lost (tcp(7),
     * TCP_USER_TIMEOUT).
     */
    private void customize(HttpServerOptions options) {
        options.setTcpUserTimeout((int) Math.min(Integer.MAX_VALUE, userTimeout.toMillis()));
        options.setTcpKeepAlive(true);
        options.setAcceptBacklog(ACCEPT_BACKLOG);
    }

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? other : one;
    }
}
