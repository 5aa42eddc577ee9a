package dev.parley.http;

import dev.parley.http.ServerBounds.Bound;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.util.concurrent.Future;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one connection within the {@link ServerBounds}. It is the first handler of the connection,
 * from the moment in which it is accepted, and so sees each byte before TLS and HTTP do. Runs on
 * the connection's event loop.
 *
 * <pre>
 *            first byte           head complete             answered
 *   IDLE ───────────────▶ HEAD ──────────────────▶ REQUEST ───────────▶ IDLE
 *                          │ after parley.limits.head-timeout, or too many bytes ──▶ closed
 * </pre>
 *
 * <p>On HTTP/2 the state stays REQUEST after the first request: the framework bounds the size of an
 * incomplete frame and of a header list itself.
 */
final class ConnectionGuard extends ChannelInboundHandlerAdapter {

    /** A head above this leaves a large buffer in the decoder, so its connection is not reused. */
    static final int LARGE_HEAD = 8 * 1024;

    private enum State {
        /** No byte of a request has come. */
        IDLE,
        /** A part of a head, or of a TLS handshake, has come. */
        HEAD,
        /** A head is complete, and its request not answered. */
        REQUEST
    }

    private final ServerBounds bounds;
    private final String address;
    private final boolean refused;
    private final List<Body> bodies = new ArrayList<>();

    /** What to do when an HTTP/2 stream has closed, by its number. */
    private final Map<Integer, Runnable> onStreamClosed = new HashMap<>();

    private State state = State.IDLE;
    private long headBytes;
    private long countedHeadBytes;
    private boolean listensToStreams;
    private @Nullable Future<?> deadline;
    private @Nullable ChannelHandlerContext context;

    private ConnectionGuard(ServerBounds bounds, String address, boolean refused) {
        this.bounds = bounds;
        this.address = address;
        this.refused = refused;
    }

    /** A body that is arriving: how much of it is counted, and what refuses the request. */
    private static final class Body {

        private final HttpServerRequest request;
        private final String client;
        private final Runnable refuse;
        private long counted;

        Body(HttpServerRequest request, String client, Runnable refuse) {
            this.request = request;
            this.client = client;
            this.refuse = refuse;
        }
    }

    /** Guards a connection that was just accepted; closes it if there are too many. */
    static void guard(Channel channel, ServerBounds bounds) {
        String address =
                channel.remoteAddress() instanceof InetSocketAddress peer
                                && peer.getAddress() != null
                        ? ClientAddress.text(peer.getAddress().getAddress())
                        : "local";
        boolean open = bounds.tryOpen(address);
        if (open) {
            channel.closeFuture().addListener(closed -> bounds.close(address));
        } else {
            bounds.onMet(Bound.SOCKETS);
        }
        channel.pipeline().addFirst(new ConnectionGuard(bounds, address, !open));
    }

    /** Returns the guard of the connection on which a request came, if it has one. */
    static @Nullable ConnectionGuard of(HttpServerRequest request) {
        return PipelinedRequests.pipeline(request).get(ConnectionGuard.class);
    }

    /**
     * Notes that the head of a request is complete.
     *
     * @return whether more than {@link #LARGE_HEAD} bytes have come, part of which may be the body
     */
    boolean onRequest(HttpServerRequest request) {
        boolean large = headBytes > LARGE_HEAD;
        endHead(State.REQUEST);
        if (request.version() == HttpVersion.HTTP_2) {
            listenToStreams();
            return false;
        }
        return large;
    }

    /** Notes that the answer has been written, though perhaps not been taken by the client. */
    @SuppressWarnings("ReferenceEquality") // This very request: another one has a body of its own.
    void onAnswered(HttpServerRequest request) {
        bodies.removeIf(
                body -> {
                    boolean ended = body.request == request;
                    if (ended) {
                        bounds.bodies().give(body.client, body.counted);
                    }
                    return ended;
                });
        if (request.version() != HttpVersion.HTTP_2) {
            if (state == State.REQUEST) {
                state = State.IDLE;
            }
            if (pendingBytes() > 0) {
                limitAnswer(request, () -> cut(channel()));
            }
        }
    }

    /**
     * Counts the body of a request from now on, as far as it has not arrived with the head.
     *
     * @param client address that the body counts for
     * @param refuse called when the body does not fit in the budget
     */
    void onBody(HttpServerRequest request, String client, Runnable refuse) {
        bodies.add(new Body(request, client, refuse));
    }

    /**
     * Sets the deadline for the client to take the answer of a request.
     *
     * @param cut called when the client has not taken it in time
     */
    void limitAnswer(HttpServerRequest request, Runnable cut) {
        Future<?> timer =
                channel()
                        .eventLoop()
                        .schedule(
                                () -> {
                                    bounds.onMet(Bound.ANSWER_TIMEOUT);
                                    cut.run();
                                },
                                bounds.answerTimeout().toMillis(),
                                TimeUnit.MILLISECONDS);
        whenTaken(request, () -> timer.cancel(false));
    }

    /**
     * Runs an action when the kernel has taken all bytes of an answer that has been written (on
     * HTTP/2: when the stream has closed), or when the connection is closed.
     */
    void whenTaken(HttpServerRequest request, Runnable action) {
        if (request.version() == HttpVersion.HTTP_2) {
            if (hasClosed(request)) {
                action.run();
                return;
            }
            onStreamClosed.merge(
                    request.streamId(),
                    action,
                    (one, other) ->
                            () -> {
                                one.run();
                                other.run();
                            });
        } else {
            // Written behind the bytes of the answer, and so complete only after them.
            context().writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> action.run());
        }
    }

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        if (refused) {
            cut(context.channel());
        } else {
            context.fireChannelActive();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (state != State.REQUEST && message instanceof ByteBuf bytes) {
            state = State.HEAD;
            headBytes += bytes.readableBytes();
        }
        context.fireChannelRead(message);
    }

    /** Counts what has come and is not complete. What arrives in one piece is not counted. */
    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.fireChannelReadComplete();
        if (state == State.HEAD) {
            onIncompleteHead(context);
        }
        if (!bodies.isEmpty()) {
            countBodies();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        endHead(State.IDLE);
        bodies.forEach(body -> bounds.bodies().give(body.client, body.counted));
        bodies.clear();
        List<Runnable> waiting = List.copyOf(onStreamClosed.values());
        onStreamClosed.clear();
        waiting.forEach(Runnable::run);
        context.fireChannelInactive();
    }

    /** Closes a connection at once, and discards what waits to be sent. */
    static void cut(Channel channel) {
        if (channel.isOpen()) {
            channel.config().setOption(ChannelOption.SO_LINGER, 0);
            channel.pipeline().firstContext().close();
        }
    }

    private void onIncompleteHead(ChannelHandlerContext context) {
        long more = headBytes - countedHeadBytes;
        if (!bounds.heads().tryTake(address, more)) {
            bounds.onMet(Bound.HEAD_BYTES);
            cut(context.channel());
            return;
        }
        countedHeadBytes = headBytes;
        if (deadline == null) {
            deadline =
                    context.executor()
                            .schedule(
                                    () -> {
                                        bounds.onMet(Bound.HEAD_TIMEOUT);
                                        cut(context.channel());
                                    },
                                    bounds.headTimeout().toMillis(),
                                    TimeUnit.MILLISECONDS);
        }
    }

    private void endHead(State next) {
        state = next;
        headBytes = 0;
        bounds.heads().give(address, countedHeadBytes);
        countedHeadBytes = 0;
        if (deadline != null) {
            deadline.cancel(false);
            deadline = null;
        }
    }

    private void countBodies() {
        List<Body> tooMuch = new ArrayList<>();
        for (Body body : bodies) {
            long more = body.request.isEnded() ? 0 : body.request.bytesRead() - body.counted;
            if (more > 0) {
                if (bounds.bodies().tryTake(body.client, more)) {
                    body.counted += more;
                } else {
                    tooMuch.add(body);
                }
            }
        }
        bodies.removeAll(tooMuch);
        tooMuch.forEach(
                body -> {
                    bounds.onMet(Bound.BODY_BYTES);
                    bounds.bodies().give(body.client, body.counted);
                    body.refuse.run();
                });
    }

    private boolean hasClosed(HttpServerRequest request) {
        return !(channel().pipeline().get(PipelinedRequests.SERVER)
                        instanceof Http2ConnectionHandler http2)
                || http2.connection().stream(request.streamId()) == null;
    }

    private void listenToStreams() {
        if (!listensToStreams
                && channel().pipeline().get(PipelinedRequests.SERVER)
                        instanceof Http2ConnectionHandler http2) {
            listensToStreams = true;
            http2.connection()
                    .addListener(
                            new Http2ConnectionAdapter() {
                                @Override
                                public void onStreamClosed(Http2Stream stream) {
                                    Runnable action = onStreamClosed.remove(stream.id());
                                    if (action != null) {
                                        action.run();
                                    }
                                }
                            });
        }
    }

    private ChannelHandlerContext context() {
        return Objects.requireNonNull(context);
    }

    private Channel channel() {
        return context().channel();
    }

    private long pendingBytes() {
        ChannelOutboundBuffer pending = channel().unsafe().outboundBuffer();
        return pending == null ? 0 : pending.totalPendingWriteBytes();
    }
}
