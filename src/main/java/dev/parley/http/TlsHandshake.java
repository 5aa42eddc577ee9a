package dev.parley.http;

import dev.parley.http.ServerBounds.Bound;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The first TLS handshake of one connection. It costs the pod far more than the client, so {@link
 * ServerBounds} bounds how many one address has under way. One that has not succeeded counts until
 * its deadline, even if the client has closed the connection, which it could otherwise do a
 * thousand times a second. Runs on the connection's event loop.
 */
final class TlsHandshake {

    private final ServerBounds bounds;
    private final ServerBounds.Peer peer;

    /** Timer that counts the handshake out at its deadline. */
    private final Future<?> deadline;

    private boolean isAwaited;
    private boolean hasSucceeded;

    private TlsHandshake(ServerBounds bounds, ServerBounds.Peer peer, Future<?> deadline) {
        this.bounds = bounds;
        this.peer = peer;
        this.deadline = deadline;
    }

    /** Counts a handshake in; returns empty if its address has too many under way. */
    static Optional<TlsHandshake> tryBegin(
            ServerBounds bounds, ServerBounds.Peer peer, EventExecutor loop) {
        if (!bounds.tryBeginHandshake(peer)) {
            bounds.onMet(Bound.HANDSHAKES);
            return Optional.empty();
        }
        Future<?> deadline =
                loop.schedule(
                        () -> bounds.endHandshake(peer),
                        bounds.headTimeout().toMillis(),
                        TimeUnit.MILLISECONDS);
        return Optional.of(new TlsHandshake(bounds, peer, deadline));
    }

    /**
     * Counts the handshake out when it has succeeded. To be called behind each read, because the
     * handler of TLS may be added only when the client has named a server (SNI).
     */
    void await(ChannelPipeline pipeline) {
        SslHandler tls = pipeline.get(SslHandler.class);
        if (tls != null && !isAwaited) {
            isAwaited = true;
            tls.handshakeFuture()
                    .addListener(
                            done -> {
                                hasSucceeded |= done.isSuccess();
                                if (done.isSuccess() && deadline.cancel(false)) {
                                    bounds.endHandshake(peer);
                                }
                            });
        }
    }

    /** Tells whether the handshake has succeeded. */
    boolean hasSucceeded() {
        return hasSucceeded;
    }
}
