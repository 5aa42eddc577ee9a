package dev.parley.http;

import dev.parley.http.ServerBounds.Bound;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.ssl.AbstractSniHandler;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one connection within the {@link ServerBounds}. It is the first handler of the connection,
 * from the moment in which it is accepted, and so sees each byte before TLS and HTTP do. Runs on
 * the connection's event loop.
 *
 * <pre>
 *            first byte           head complete             answered
 *   IDLE ───────────────▶ HEAD ──────────────────▶ REQUEST ───────────▶ IDLE, or HEAD if a
 *                          │                          │                 part of the next has come
 *                          │                          └ a stream takes it over ──▶ TAKEN_OVER
 *                          └ after parley.limits.head-timeout ──▶ closed
 * </pre>
 *
 * <p>What has come and is not complete is counted in each state, and the connection closed above
 * the bytes that it may have: on HTTP/1 what {@link Http1LineGuard} counts, and with TLS the record
 * that is arriving. In the state HEAD it has a deadline; while a request is not answered, that one
 * may have one.
 *
 * <p>On HTTP/2 the state stays REQUEST after the first request, and {@link Http2FrameGuard} counts
 * what is incomplete behind TLS.
 *
 * <p>A TLS handshake costs the pod far more than the client, so {@link ServerBounds} bounds how
 * many one address has under way. One that has not succeeded counts until its deadline, even if the
 * client has closed the connection, which it could otherwise do a thousand times a second.
 */
public final class ConnectionGuard extends ChannelInboundHandlerAdapter {

    /** A head above this leaves a large buffer in the decoder, so its connection is not reused. */
    static final int LARGE_HEAD = 8 * 1024;

    private enum State {
        /** No byte of a request has come. */
        IDLE,
        /** A part of a head, or of a TLS handshake, has come. */
        HEAD,
        /** A head is complete, and its request not answered. */
        REQUEST,
        /** A stream writes to the connection, and drops what comes. */
        TAKEN_OVER
    }

    private final ServerBounds bounds;
    private final ServerBounds.Peer peer;
    private final boolean refused;
    private final IncompleteInput head;
    private final List<Body> bodies = new ArrayList<>();

    /**
     * What is counted for the requests that are not answered. Begins with room for one, which a
     * connection of HTTP/1 never exceeds: the default size would take 270 bytes of each stream.
     */
    private final IdentityHashMap<HttpServerRequest, Held> requests = new IdentityHashMap<>(1);

    /** What to do when an HTTP/2 stream has closed, by its number. */
    private final Map<Integer, Runnable> onStreamClosed = new HashMap<>();

    private State state = State.IDLE;

    /** Bytes that have come in the state HEAD, those of TLS included. */
    private long headBytes;

    /** Counts what is incomplete on HTTP/1; null before the protocol is known, and on HTTP/2. */
    private @Nullable Http1LineGuard lines;

    /** Pieces of bodies that have come since the bodies were counted. */
    private int pieces;

    private boolean hasInput;
    private boolean listensToStreams;

    /** Timer that frees the handshake's place at its deadline; null without TLS. */
    private @Nullable Future<?> handshake;

    private boolean listensToHandshake;
    private boolean isEstablished;

    /** Counts the records of TLS; null without TLS. */
    private @Nullable TlsRecordGuard tlsRecords;

    private @Nullable ChannelHandlerContext context;

    private ConnectionGuard(ServerBounds bounds, ServerBounds.Peer peer, boolean refused) {
        this.bounds = bounds;
        this.peer = peer;
        this.refused = refused;
        this.head = IncompleteInput.ofHeads(bounds, peer);
    }

    /** Why a body is refused while it arrives. */
    enum BodyFault {
        /** It is longer than a body may be, which a chunked one does not announce. */
        TOO_LARGE,
        /** It does not fit in the budget of all bodies. */
        TOO_MANY
    }

    /** A body that is arriving: how much of it is counted, and what refuses the request. */
    private static final class Body {

        private final HttpServerRequest request;
        private final long max;
        private final String client;
        private final Consumer<BodyFault> refuse;
        private long bytes;
        private long counted;

        Body(HttpServerRequest request, long max, String client, Consumer<BodyFault> refuse) {
            this.request = request;
            this.max = max;
            this.client = client;
            this.refuse = refuse;
        }

        /** Bytes that have come since they were counted; 0 if the body is complete. */
        long arrived() {
            return request.isEnded() ? 0 : request.bytesRead() - bytes;
        }
    }

    /** What a request counts for an address. */
    private record Held(String client, long bytes) {}

    /** Guards a connection that was just accepted; closes it if there are too many. */
    static void guard(Channel channel, ServerBounds bounds) {
        ServerBounds.Peer peer = bounds.peer(channel.remoteAddress());
        boolean open = bounds.tryOpen(peer);
        if (open) {
            channel.closeFuture().addListener(closed -> bounds.close(peer));
        } else {
            bounds.onMet(Bound.SOCKETS);
        }
        channel.pipeline().addFirst(new ConnectionGuard(bounds, peer, !open));
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

    /**
     * Counts what a request takes in memory until its client has its answer. Above the budget, cuts
     * the connection, or resets the stream on HTTP/2.
     *
     * @param client address that the bytes count for
     * @param bytes more than 0
     * @return whether the request may go on
     */
    boolean tryHold(HttpServerRequest request, String client, long bytes) {
        if (!bounds.heads().tryTake(client, bytes)) {
            bounds.onMet(Bound.HEAD_BYTES, request);
            // Frees the headers now. A connection that is closed is freed only after the event loop
            // has read all others that have sent something.
            request.headers().clear();
            giveUp(request, Http2Error.REFUSED_STREAM);
            return false;
        }
        requests.put(request, new Held(client, bytes));
        if (request.version() == HttpVersion.HTTP_2) {
            whenTaken(request, () -> letGo(request));
        }
        return true;
    }

    private void letGo(HttpServerRequest request) {
        Held held = requests.remove(request);
        if (held != null) {
            bounds.heads().release(held.client(), held.bytes());
        }
    }

    /** Notes that a piece of a body has come. */
    void onPiece() {
        pieces++;
    }

    /** Notes that the connection begins with HTTP/1. */
    void onHttp1(Http1LineGuard guard) {
        lines = guard;
    }

    /** Notes that the decoder of HTTP/1 has passed on a piece of a body. */
    void onDecoded(ByteBuf piece) {
        if (lines != null) {
            lines.onDecoded(piece);
        }
    }

    /** Notes that a stream has taken the connection over, and no further request is served. */
    void onTakenOver() {
        // Not kept by each of thousands of streams.
        lines = null;
        endHead(State.TAKEN_OVER);
    }

    /** Stops counting what has come of a body. */
    @SuppressWarnings("ReferenceEquality") // This very request: another one has a body of its own.
    void endBody(HttpServerRequest request) {
        bodies.removeIf(
                body -> {
                    boolean ended = body.request == request;
                    if (ended) {
                        bounds.bodies().release(body.client, body.counted);
                    }
                    return ended;
                });
    }

    /** Notes that the answer has been written, though perhaps not been taken by the client. */
    void onAnswered(HttpServerRequest request) {
        endBody(request);
        if (request.version() != HttpVersion.HTTP_2) {
            letGo(request);
            if (state == State.REQUEST) {
                state = State.IDLE;
                // A part of the next head may have come behind this request.
                countHead();
            }
            if (pendingBytes() > 0) {
                limitAnswer(request);
            }
        }
    }

    /**
     * Counts the body of a request from now on, as far as it has not arrived with the head.
     *
     * @param max the longest body
     * @param client address that the body counts for
     * @param refuse called at most once
     */
    void onBody(HttpServerRequest request, long max, String client, Consumer<BodyFault> refuse) {
        bodies.add(new Body(request, max, client, refuse));
    }

    /** Makes the count of the requests that wait for the answers to earlier ones. */
    IncompleteInput heldRequests() {
        return IncompleteInput.ofWaitingRequests(bounds, peer);
    }

    /**
     * Sets the deadline for the client to take the answer of a request. When it is over, the stream
     * is reset or, on HTTP/1, the connection cut.
     */
    void limitAnswer(HttpServerRequest request) {
        Future<?> timer = afterAnswerTimeout(() -> giveUp(request, Http2Error.CANCEL));
        whenTaken(request, () -> timer.cancel(false));
    }

    /**
     * Sets the deadline for the client to take the last bytes of a stream that has taken the
     * connection over. When it is over, the connection is cut. Called when those bytes are written,
     * and the connection is going to be closed behind them.
     */
    public static void limitEnd(Channel channel) {
        ConnectionGuard guard = channel.pipeline().get(ConnectionGuard.class);
        // It has been closed already if the kernel took all bytes at once.
        if (guard != null && channel.isOpen()) {
            Future<?> timer = guard.afterAnswerTimeout(() -> cut(channel));
            channel.closeFuture().addListener(closed -> timer.cancel(false));
        }
    }

    private Future<?> afterAnswerTimeout(Runnable giveUp) {
        return channel()
                .eventLoop()
                .schedule(
                        () -> {
                            bounds.onMet(Bound.ANSWER_TIMEOUT);
                            giveUp.run();
                        },
                        bounds.answerTimeout().toMillis(),
                        TimeUnit.MILLISECONDS);
    }

    /**
     * Ends the exchange of a request: resets its stream on HTTP/2, on which other streams go on,
     * and cuts the connection on HTTP/1. Does nothing if the stream has closed.
     *
     * <p>Resets below Vert.x, whose own reset does nothing once the whole answer is written, even
     * if Netty holds it because the client's window is 0.
     */
    static void giveUp(HttpServerRequest request, Http2Error reason) {
        ChannelPipeline pipeline = PipelinedRequests.pipeline(request);
        ChannelHandlerContext server = pipeline.context(ServerHandlers.SERVER);
        if (request.version() != HttpVersion.HTTP_2
                || server == null
                || !(server.handler() instanceof Http2ConnectionHandler http2)) {
            cut(pipeline.channel());
        } else if (http2.connection().stream(request.streamId()) != null) {
            http2.encoder()
                    .writeRstStream(server, request.streamId(), reason.code(), server.newPromise());
            server.flush();
        }
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

    /**
     * Closes the connection when it fails before its first request is complete. Vert.x adds its
     * handler with the first request, so nothing else would take the failure, and Netty would log
     * it: a client can reset as many connections as it likes.
     */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (cause instanceof IOException && context.pipeline().get(ServerHandlers.SERVER) == null) {
            context.close();
        } else {
            context.fireExceptionCaught(cause);
        }
    }

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
    }

    /**
     * Comes back when a request has changed the protocol from HTTP/1 to HTTP/2 (Upgrade: h2c):
     * Vert.x then removes every handler but its own. The preface of HTTP/2 comes next.
     */
    @Override
    public void handlerRemoved(ChannelHandlerContext removed) {
        lines = null;
        if (removed.channel().isActive()) {
            removed.pipeline().addFirst(this);
            removed.pipeline()
                    .addAfter(
                            context().name(), null, new Http2FrameGuard(bounds, peer, this, true));
        }
    }

    /** Lets it be added again. It still belongs to one connection. */
    @Override
    public boolean isSharable() {
        return true;
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
        if (!hasInput) {
            hasInput = true;
            if (!onFirstInput(context)) {
                ReferenceCountUtil.release(message);
                return;
            }
        }
        if (state == State.IDLE) {
            state = State.HEAD;
        }
        if (state == State.HEAD && message instanceof ByteBuf bytes) {
            headBytes += bytes.readableBytes();
        }
        if (tlsRecords != null && message instanceof ByteBuf bytes) {
            passRecords(context, tlsRecords, bytes);
        } else {
            context.fireChannelRead(message);
        }
    }

    private void passRecords(ChannelHandlerContext context, TlsRecordGuard records, ByteBuf bytes) {
        int count = records.onInput(bytes);
        while (count < bytes.readableBytes()) {
            context.fireChannelRead(bytes.readRetainedSlice(count));
            if (!records.check(context, isEstablished)) {
                bytes.release();
                return;
            }
            count = records.onInput(bytes);
        }
        context.fireChannelRead(bytes);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.fireChannelReadComplete();
        countInput();
        if (handshake != null) {
            listenToHandshake(handshake);
        }
        if (tlsRecords != null) {
            tlsRecords.check(context, isEstablished);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        endHead(State.IDLE);
        bodies.forEach(body -> bounds.bodies().release(body.client, body.counted));
        bodies.clear();
        requests.values().forEach(held -> bounds.heads().release(held.client(), held.bytes()));
        requests.clear();
        List<Runnable> waiting = List.copyOf(onStreamClosed.values());
        onStreamClosed.clear();
        waiting.forEach(Runnable::run);
        context.fireChannelInactive();
    }

    /**
     * Closes a connection at once, and discards what waits to be sent. Passes the handlers by: the
     * server's would wait until that is sent, which never happens if the client takes no bytes.
     */
    public static void cut(Channel channel) {
        if (channel.isOpen()) {
            channel.config().setOption(ChannelOption.SO_LINGER, 0);
            channel.pipeline().firstContext().close();
        }
    }

    /**
     * Puts the guard of HTTP/2 behind TLS, which is there by now if the port has it.
     *
     * @return false if the connection is cut, because its address has too many handshakes under way
     */
    private boolean onFirstInput(ChannelHandlerContext context) {
        ChannelHandlerContext tls = tls(context.pipeline());
        context.pipeline()
                .addAfter(
                        tls == null ? context.name() : tls.name(),
                        null,
                        new Http2FrameGuard(bounds, peer, this, false));
        if (tls == null) {
            return true;
        }
        tlsRecords = new TlsRecordGuard(bounds);
        context.pipeline().addAfter(tls.name(), null, tlsRecords);
        if (!bounds.tryBeginHandshake(peer)) {
            bounds.onMet(Bound.HANDSHAKES);
            cut(context.channel());
            return false;
        }
        handshake =
                context.executor()
                        .schedule(
                                () -> bounds.endHandshake(peer),
                                bounds.headTimeout().toMillis(),
                                TimeUnit.MILLISECONDS);
        return true;
    }

    /** Returns the handler of TLS, or the one that waits for the name of the server first. */
    private static @Nullable ChannelHandlerContext tls(ChannelPipeline pipeline) {
        ChannelHandlerContext ssl = pipeline.context(SslHandler.class);
        return ssl == null ? pipeline.context(AbstractSniHandler.class) : ssl;
    }

    /** Frees the place of a handshake when it has succeeded. */
    private void listenToHandshake(Future<?> timer) {
        SslHandler tls = channel().pipeline().get(SslHandler.class);
        if (tls != null && !listensToHandshake) {
            listensToHandshake = true;
            tls.handshakeFuture()
                    .addListener(
                            done -> {
                                isEstablished |= done.isSuccess();
                                if (done.isSuccess() && timer.cancel(false)) {
                                    bounds.endHandshake(peer);
                                }
                            });
        }
    }

    /** Tells whether the head of a request is complete. */
    boolean hasRequest() {
        return state == State.REQUEST;
    }

    private void endHead(State next) {
        state = next;
        headBytes = 0;
        head.end();
    }

    /**
     * Counts what has come and is not complete, after a read, or after requests that waited were
     * passed on.
     */
    void countInput() {
        countHead();
        countBodies();
    }

    /** Counts what has come of a head or of trailers. What arrives in one piece is not counted. */
    void countHead() {
        // TLS passes on what it still has when the connection has closed.
        if (!channel().isActive()) {
            return;
        }
        long held = held();
        if (state == State.IDLE && held > 0) {
            state = State.HEAD;
        } else if (state == State.HEAD && held == 0 && lines != null) {
            // What has come was the rest of a body, or an empty line between requests.
            endHead(State.IDLE);
        }
        if (state == State.HEAD) {
            head.hold(context(), held);
        } else {
            head.count(context(), held);
        }
    }

    private long held() {
        long record = tlsRecords == null ? 0 : tlsRecords.incomplete();
        if (lines != null) {
            return lines.held() + record;
        }
        return state == State.HEAD ? headBytes : record;
    }

    /** Counts what has come of bodies, and refuses those above their bounds. */
    void countBodies() {
        if (bodies.isEmpty()) {
            return;
        }
        long arrived = 0;
        for (Body body : bodies) {
            arrived += body.arrived();
        }
        long overhead = (long) pieces * RequestCost.PIECE;
        pieces = 0;
        if (arrived == 0) {
            return;
        }
        Map<Body, BodyFault> refused = new LinkedHashMap<>();
        for (Body body : bodies) {
            long more = body.arrived();
            if (more > 0) {
                body.bytes += more;
                long held = more + overhead * more / arrived;
                if (body.bytes > body.max) {
                    refused.put(body, BodyFault.TOO_LARGE);
                } else if (bounds.bodies().tryTake(body.client, held)) {
                    body.counted += held;
                } else {
                    bounds.onMet(Bound.BODY_BYTES);
                    refused.put(body, BodyFault.TOO_MANY);
                }
            }
        }
        bodies.removeAll(refused.keySet());
        refused.forEach(
                (body, fault) -> {
                    bounds.bodies().release(body.client, body.counted);
                    body.refuse.accept(fault);
                });
    }

    private boolean hasClosed(HttpServerRequest request) {
        return !(channel().pipeline().get(ServerHandlers.SERVER)
                        instanceof Http2ConnectionHandler http2)
                || http2.connection().stream(request.streamId()) == null;
    }

    private void listenToStreams() {
        if (!listensToStreams
                && channel().pipeline().get(ServerHandlers.SERVER)
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
