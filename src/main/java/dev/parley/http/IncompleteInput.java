package dev.parley.http;

import dev.parley.http.ServerBounds.Bound;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The bytes that a connection holds of what the server cannot take yet: of heads and HTTP/2 frames
 * that are not complete, or of requests that wait for the answers to earlier ones. They are counted
 * in a {@link ByteBudget}; heads also have a deadline. A connection that exceeds either is cut.
 * Runs on the connection's event loop.
 */
final class IncompleteInput {

    private final ServerBounds bounds;
    private final ByteBudget budget;
    private final Bound bound;
    private final ServerBounds.Peer peer;
    private final Optional<Duration> timeout;
    private long counted;
    private @Nullable Future<?> deadline;

    /**
     * @param bound that is met when the bytes do not fit in the budget
     * @param timeout from the first bytes to the end; empty if another one limits them
     */
    private IncompleteInput(
            ServerBounds bounds,
            ByteBudget budget,
            Bound bound,
            ServerBounds.Peer peer,
            Optional<Duration> timeout) {
        this.bounds = bounds;
        this.budget = budget;
        this.bound = bound;
        this.peer = peer;
        this.timeout = timeout;
    }

    /** Makes the count of a connection's heads that are incomplete, which have a deadline. */
    static IncompleteInput ofHeads(ServerBounds bounds, ServerBounds.Peer peer) {
        return new IncompleteInput(
                bounds, bounds.heads(), Bound.HEAD_BYTES, peer, Optional.of(bounds.headTimeout()));
    }

    /**
     * Makes the count of a connection's requests that wait for the answers to earlier ones. They
     * have no deadline: an answer may be a stream.
     */
    static IncompleteInput ofWaitingRequests(ServerBounds bounds, ServerBounds.Peer peer) {
        return new IncompleteInput(
                bounds, bounds.heads(), Bound.HEAD_BYTES, peer, Optional.empty());
    }

    /**
     * Makes the count of a connection's frames of bodies that are incomplete. The request has a
     * deadline of its own.
     */
    static IncompleteInput ofBodies(ServerBounds bounds, ServerBounds.Peer peer) {
        return new IncompleteInput(
                bounds, bounds.bodies(), Bound.BODY_BYTES, peer, Optional.empty());
    }

    /**
     * Notes how many bytes are held now, whatever their deadline.
     *
     * @return false if the connection is cut
     */
    boolean count(ChannelHandlerContext context, long bytes) {
        if (bytes > counted && !budget.tryTake(peer, bytes - counted)) {
            bounds.onMet(bound, peer);
            ConnectionGuard.cut(context.channel());
            return false;
        }
        if (bytes < counted) {
            budget.release(peer.address(), counted - bytes);
        }
        counted = bytes;
        return true;
    }

    /** Notes how many bytes are held now. The deadline, if any, begins with the first call. */
    void hold(ChannelHandlerContext context, long bytes) {
        if (count(context, bytes) && deadline == null && timeout.isPresent()) {
            deadline =
                    context.executor()
                            .schedule(
                                    () -> {
                                        bounds.onMet(Bound.HEAD_TIMEOUT);
                                        ConnectionGuard.cut(context.channel());
                                    },
                                    timeout.get().toMillis(),
                                    TimeUnit.MILLISECONDS);
        }
    }

    /** Notes that nothing is held any more, or that the connection has closed. */
    void end() {
        budget.release(peer.address(), counted);
        counted = 0;
        if (deadline != null) {
            deadline.cancel(false);
            deadline = null;
        }
    }
}
