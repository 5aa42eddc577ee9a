package dev.parley.http;

import dev.parley.http.ServerBounds.Bound;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.ssl.AbstractSniHandler;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.io.IOException;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one connection within the {@link ServerBounds}. It is the first handler of the connection
 * (but for a {@link WaitingOpening}), from the moment in which it is accepted, and so sees each
 * byte before TLS and HTTP do. Runs on the connection's event loop.
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
 * that is arriving. In the state HEAD the head has a deadline; in the state REQUEST the request may
 * have one.
 *
 * <p>On HTTP/2 the state stays REQUEST after the first request, and {@link Http2FrameGuard} counts
 * what is incomplete behind TLS.
 *
 * <p>The rest is done by {@link ArrivingBodies}, {@link OutgoingAnswers} and {@link TlsHandshake},
 * which are made when the connection first needs them. One with a stream, which may be open for
 * hours, seldom has the first two.
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

    private State state = State.IDLE;

    /** Bytes that have come in the state HEAD, those of TLS included. */
    private long headBytes;

    /** Counts what is incomplete on HTTP/1; null before the protocol is known, and on HTTP/2. */
    private @Nullable Http1LineGuard lines;

    private boolean hasInput;

    /** Null before the first body. */
    private @Nullable ArrivingBodies bodies;

    /** Null before the first request that takes much memory, or answer that is waited for. */
    private @Nullable OutgoingAnswers answers;

    /** Null without TLS. */
    private @Nullable TlsHandshake handshake;

    /** Counts the records of TLS; null without TLS. */
    private @Nullable TlsRecordGuard tlsRecords;

    private @Nullable ChannelHandlerContext context;

    private ConnectionGuard(ServerBounds bounds, ServerBounds.Peer peer, boolean refused) {
        this.bounds = bounds;
        this.peer = peer;
        this.refused = refused;
        this.head = IncompleteInput.ofHeads(bounds, peer);
    }

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
        return large && request.version() != HttpVersion.HTTP_2;
    }

    /** Calls {@link OutgoingAnswers#tryHold}. */
    boolean tryHold(HttpServerRequest request, String client, long bytes) {
        return answers().tryHold(context(), request, client, bytes);
    }

    /**
     * Calls {@link OutgoingAnswers#tryHold} for a request on HTTP/2 that may have been counted
     * less, unless its stream has closed.
     */
    boolean tryHoldAgain(HttpServerRequest request, String client, long bytes) {
        answers().letGo(request);
        return answers().isTaken(context(), request) || tryHold(request, client, bytes);
    }

    /** Calls {@link OutgoingAnswers#tryHoldMore}, unless the stream of the request has closed. */
    boolean tryHoldMore(HttpServerRequest request, String client, long bytes) {
        return answers().isTaken(context(), request)
                || answers().tryHoldMore(context(), request, client, bytes);
    }

    /**
     * Notes that a request on HTTP/2 has become a stream of events, whose number has bounds of its
     * own: it is not counted any more.
     */
    public static void onStreamOpened(HttpServerRequest request) {
        ConnectionGuard guard = of(request);
        if (guard != null && guard.answers != null) {
            guard.answers.letGo(request);
        }
    }

    /** Calls {@link ArrivingBodies#onPiece}. */
    void onPiece() {
        bodies().onPiece();
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

    /** Calls {@link ArrivingBodies#end}. */
    void endBody(HttpServerRequest request) {
        if (bodies != null) {
            bodies.end(request);
        }
    }

    /**
     * Notes that the answer has been written, though perhaps not been taken by the client. For a
     * stream that has taken the connection over this is its begin: {@link #limitEnd} sets the
     * deadline for its end.
     */
    void onAnswered(HttpServerRequest request) {
        endBody(request);
        if (request.version() != HttpVersion.HTTP_2) {
            if (answers != null) {
                answers.letGo(request);
            }
            if (state == State.REQUEST) {
                state = State.IDLE;
                // A part of the next head may have come behind this request.
                countHead();
            }
            if (state != State.TAKEN_OVER && pendingBytes() > 0) {
                limitAnswer(request);
            }
        }
    }

    /** Calls {@link ArrivingBodies#add}. */
    void onBody(
            HttpServerRequest request,
            long max,
            String client,
            Consumer<ArrivingBodies.Fault> refuse) {
        bodies().add(request, max, client, refuse);
    }

    /** Makes the count of the requests that wait for the answers to earlier ones. */
    IncompleteInput heldRequests() {
        return IncompleteInput.ofWaitingRequests(bounds, peer);
    }

    /** Calls {@link OutgoingAnswers#limit}. */
    void limitAnswer(HttpServerRequest request) {
        answers().limit(context(), request);
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
            Future<?> timer =
                    OutgoingAnswers.afterTimeout(channel, guard.bounds, () -> cut(channel));
            channel.closeFuture().addListener(closed -> timer.cancel(false));
        }
    }

    /** Tells whether the pod may hold more bytes for a stream's client alone. */
    public static boolean mayHoldBacklog(Channel channel) {
        ConnectionGuard guard = channel.pipeline().get(ConnectionGuard.class);
        return guard == null || guard.bounds.backlogs().hasRoom(guard.peer);
    }

    /**
     * Counts bytes that the pod holds for a stream's client alone, because the kernel has not taken
     * them.
     *
     * @return what to call when the kernel has taken them, or the connection is closed
     */
    public static Runnable holdBacklog(Channel channel, int bytes) {
        ConnectionGuard guard = channel.pipeline().get(ConnectionGuard.class);
        if (guard == null) {
            return () -> {};
        }
        String address = guard.peer.address();
        ByteBudget backlogs = guard.bounds.backlogs();
        backlogs.take(address, bytes);
        return () -> backlogs.release(address, bytes);
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

    /** Calls {@link OutgoingAnswers#whenTaken}. */
    void whenTaken(HttpServerRequest request, Runnable action) {
        answers().whenTaken(context(), request, action);
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
     * Adds itself again when a request has changed the protocol from HTTP/1 to HTTP/2 (Upgrade:
     * h2c): Vert.x then removes every handler but its own. The preface of HTTP/2 comes next.
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
            if (!records.check(context, isEstablished())) {
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
            handshake.await(context.pipeline());
        }
        if (tlsRecords != null) {
            tlsRecords.check(context, isEstablished());
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        endHead(State.IDLE);
        if (bodies != null) {
            bodies.endAll();
        }
        if (answers != null) {
            answers.onClosed();
        }
        context.fireChannelInactive();
    }

    /**
     * Closes a connection at once, and discards what waits to be sent. Bypasses the pipeline: the
     * server's handler would wait until that is sent, which never happens if the client takes no
     * bytes.
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
        handshake = TlsHandshake.tryBegin(bounds, peer, context.executor()).orElse(null);
        if (handshake == null) {
            cut(context.channel());
            return false;
        }
        return true;
    }

    /** Returns the handler of TLS, or the one that waits for the name of the server first. */
    private static @Nullable ChannelHandlerContext tls(ChannelPipeline pipeline) {
        ChannelHandlerContext ssl = pipeline.context(SslHandler.class);
        return ssl == null ? pipeline.context(AbstractSniHandler.class) : ssl;
    }

    private boolean isEstablished() {
        return handshake != null && handshake.hasSucceeded();
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

    /** Calls {@link ArrivingBodies#count}. */
    void countBodies() {
        if (bodies != null) {
            bodies.count();
        }
    }

    private ArrivingBodies bodies() {
        if (bodies == null) {
            bodies = new ArrivingBodies(bounds);
        }
        return bodies;
    }

    private OutgoingAnswers answers() {
        if (answers == null) {
            answers = new OutgoingAnswers(bounds);
        }
        return answers;
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
