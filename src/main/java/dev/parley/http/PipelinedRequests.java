package dev.parley.http;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.impl.ConnectionBase;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Holds the requests that a client sends on an HTTP/1 connection before the previous one is
 * answered (pipelining, RFC 9112 §9.3.2), and passes them to the server one at a time.
 *
 * <p>Without this, the server reads such requests at once. If the connection then closes while one
 * waits, Vert.x throws when it fails the answer that has not begun: it logs stack traces and never
 * releases what it holds of the connection.
 *
 * <p>What is held counts as incomplete heads: one read of 64 KB can contain thousands of requests,
 * each of which is twenty times as large in memory. Up to a bound, the connection goes on being
 * read meanwhile: with the JDK's transport that is the only way to notice that the client has
 * closed it (epoll reports it in any case). Beyond the bound what the client sends waits in the
 * kernel. With the JDK's transport, a client that closes the connection then is noticed only when
 * the present answer ends.
 *
 * <p>The body of a request that is not a publish or a form is discarded as it arrives: no call
 * reads it, and the server would keep it for as long as the answer lasts. Runs on the connection's
 * event loop.
 */
public final class PipelinedRequests extends ChannelDuplexHandler {

    /** Heap of a request that is held, beside its head and its body. */
    private static final int OVERHEAD_BYTES = 600;

    /** No more is read while this much is held; what one read brought may exceed it. */
    private static final int MAX_HELD_BYTES = 16 * 1024;

    /**
     * How far the server is in closing the connection.
     *
     * <pre>
     *       pass                write                     channelRead, release
     *   NO ──────▶ AFTER_ANSWER ──────▶ LAST_ANSWER_BEGUN ────────────────────▶ DISCARDING
     *    └──────────────────────────────────────▲
     *       write, if the answer alone says that it is the last
     * </pre>
     */
    private enum Closing {
        /** The request that the server has does not make it close the connection. */
        NO,
        /** The server closes the connection after the answer to the request that it has. */
        AFTER_ANSWER,
        /**
         * That answer has begun. No further request is passed on then (RFC 9112 §9.6): its client
         * takes it for one that was not carried out. The server would drop the body of such a
         * request without releasing its pieces, whose memory would be lost for good.
         */
        LAST_ANSWER_BEGUN,
        /** A request has come after that; it is discarded, with all that follows. */
        DISCARDING
    }

    private final @Nullable ConnectionGuard connection;
    private final @Nullable IncompleteInput counted;
    private final Queue<Object> held = new ArrayDeque<>();
    private long heldBytes;

    /** Whether the server has a request that is not completely answered. */
    private boolean answering = true;

    private Closing closing;

    /** Whether a call may read the body of the request that arrives. */
    private boolean hasReadableBody;

    private PipelinedRequests(HttpServerRequest first, @Nullable ConnectionGuard connection) {
        this.hasReadableBody = first.method().name().equals(HttpMethod.POST.name());
        this.closing =
                closing(
                        first.version() == HttpVersion.HTTP_1_1,
                        first.version() == HttpVersion.HTTP_1_0,
                        option -> first.headers().contains(HttpHeaders.CONNECTION, option, true));
        this.connection = connection;
        this.counted = connection == null ? null : connection.heldRequests();
    }

    /**
     * Makes further requests on a connection wait for their turn. Does nothing on HTTP/2, or if the
     * connection has this handler already.
     *
     * @param request the request that the server has just received
     */
    public static void hold(HttpServerRequest request) {
        if (request.version() != HttpVersion.HTTP_2) {
            ChannelPipeline pipeline = pipeline(request);
            if (pipeline.get(PipelinedRequests.class) == null) {
                pipeline.addBefore(
                        ServerHandlers.SERVER,
                        null,
                        new PipelinedRequests(request, ConnectionGuard.of(request)));
            }
        }
    }

    /**
     * Removes what guards further requests from the pipeline of a connection that a stream takes
     * over: no other request will be served, those that are held are discarded, and nothing of what
     * the client sends from now on is kept.
     */
    public static void onTakenOver(ChannelPipeline pipeline) {
        if (pipeline.get(PipelinedRequests.class) != null) {
            pipeline.remove(PipelinedRequests.class);
        }
        if (pipeline.get(Http1LineGuard.class) != null) {
            pipeline.remove(Http1LineGuard.class);
        }
        ConnectionGuard connection = pipeline.get(ConnectionGuard.class);
        if (connection != null) {
            connection.onTakenOver();
        }
    }

    /** Tells whether a stream has taken the connection over. */
    static boolean isTakenOver(HttpServerRequest request) {
        return pipeline(request).get(PipelinedRequests.class) == null;
    }

    /** Returns the pipeline of the connection on which a request came. */
    public static ChannelPipeline pipeline(HttpServerRequest request) {
        return ((ConnectionBase) request.connection()).channel().pipeline();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object decoded) {
        if (connection != null && decoded instanceof HttpContent content) {
            connection.onDecoded(content.content());
        }
        if (closing == Closing.LAST_ANSWER_BEGUN && decoded instanceof HttpRequest) {
            closing = Closing.DISCARDING;
        }
        if (closing == Closing.DISCARDING) {
            ReferenceCountUtil.release(decoded);
            return;
        }
        Object message = withoutTrailers(decoded);
        if (held.isEmpty() && !mustWait(context, message)) {
            pass(context, message);
        } else {
            hold(context, message);
        }
    }

    /**
     * Drops the trailers of a body, which no call reads: they may take a megabyte for as long as
     * the request waits.
     */
    private static Object withoutTrailers(Object message) {
        return message instanceof LastHttpContent last
                        && last.decoderResult().isSuccess()
                        && !last.trailingHeaders().isEmpty()
                ? new DefaultLastHttpContent(last.content())
                : message;
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (message instanceof HttpResponse answer) {
            onAnswerBegun(answer);
        }
        if (endsAnswer(message)) {
            answering = false;
            if (!held.isEmpty()) {
                // Deferred, because the server is still inside the code that ends the answer.
                context.executor().execute(() -> release(context));
            }
        }
        context.write(message, promise);
    }

    /** Notes that an answer begins, or an interim response before it. */
    private void onAnswerBegun(HttpResponse answer) {
        if (!hasLastAnswerBegun() && (closing == Closing.AFTER_ANSWER || closes(answer))) {
            closing = Closing.LAST_ANSWER_BEGUN;
        }
    }

    private boolean hasLastAnswerBegun() {
        return closing == Closing.LAST_ANSWER_BEGUN || closing == Closing.DISCARDING;
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        context.fireChannelWritabilityChanged();
        if (context.channel().isWritable() && !held.isEmpty() && !answering) {
            // Deferred, because this can be called from inside a write.
            context.executor().execute(() -> release(context));
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        discard(context);
        context.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        discard(context);
    }

    private void hold(ChannelHandlerContext context, Object message) {
        held.add(message);
        heldBytes += cost(message);
        if (heldBytes >= MAX_HELD_BYTES) {
            setReading(context, false);
        }
        if (counted != null) {
            counted.hold(context, heldBytes);
        }
        if (!context.channel().isOpen()) {
            // Too much was held. The rest of what was read still comes.
            discard(context);
        }
    }

    private static long cost(Object message) {
        if (message instanceof HttpRequest request) {
            return OVERHEAD_BYTES + RequestCost.ofHead(request.uri(), request.headers());
        }
        return message instanceof HttpContent content
                ? RequestCost.PIECE + content.content().readableBytes()
                : 0;
    }

    private void release(ChannelHandlerContext context) {
        // Before passing requests on, because one of them may make the server stop reading.
        setReading(context, true);
        while (!held.isEmpty() && !mustWait(context, held.element())) {
            if (hasLastAnswerBegun() && held.element() instanceof HttpRequest) {
                closing = Closing.DISCARDING;
                discard(context);
                break;
            }
            Object next = held.remove();
            heldBytes -= cost(next);
            pass(context, next);
        }
        if (heldBytes >= MAX_HELD_BYTES) {
            setReading(context, false);
        }
        if (counted != null) {
            counted.hold(context, heldBytes);
        }
        context.fireChannelReadComplete();
        if (connection != null) {
            // Counted now, because perhaps nothing more is read, after which it would be counted.
            connection.countInput();
        }
    }

    private void pass(ChannelHandlerContext context, Object message) {
        if (message instanceof HttpRequest request) {
            answering = true;
            hasReadableBody = request.method().equals(HttpMethod.POST);
            var version = request.protocolVersion();
            closing =
                    closing(
                            version.equals(io.netty.handler.codec.http.HttpVersion.HTTP_1_1),
                            version.equals(io.netty.handler.codec.http.HttpVersion.HTTP_1_0),
                            option ->
                                    request.headers()
                                            .contains(HttpHeaders.CONNECTION, option, true));
        } else if (!hasReadableBody && message instanceof HttpContent) {
            ReferenceCountUtil.release(message);
            if (message instanceof LastHttpContent) {
                context.fireChannelRead(LastHttpContent.EMPTY_LAST_CONTENT);
            }
            return;
        } else if (connection != null) {
            connection.onPiece();
        }
        context.fireChannelRead(message);
    }

    /**
     * Tells whether a message has to wait. A request also waits while the client does not take the
     * earlier answers, which would otherwise pile up in the channel.
     */
    private boolean mustWait(ChannelHandlerContext context, Object message) {
        return message instanceof HttpRequest && (answering || !context.channel().isWritable());
    }

    private void discard(ChannelHandlerContext context) {
        if (!held.isEmpty()) {
            held.forEach(ReferenceCountUtil::release);
            held.clear();
            heldBytes = 0;
            if (counted != null) {
                counted.end();
            }
            setReading(context, true);
        }
    }

    private static void setReading(ChannelHandlerContext context, boolean more) {
        context.channel().config().setAutoRead(more);
    }

    /**
     * Returns whether the server closes the connection after the answer to a request, by its rules.
     * On HTTP/1.0 its answer does not say so, because that is the default there.
     *
     * @param hasOption whether a header {@code Connection} consists of this option
     */
    private static Closing closing(
            boolean isHttp11, boolean isHttp10, Predicate<CharSequence> hasOption) {
        boolean staysOpen =
                isHttp11
                        ? !hasOption.test(HttpHeaders.CLOSE)
                        : isHttp10 && hasOption.test(HttpHeaders.KEEP_ALIVE);
        return staysOpen ? Closing.NO : Closing.AFTER_ANSWER;
    }

    private static boolean closes(HttpResponse answer) {
        return answer.headers()
                .containsValue(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE, true);
    }

    /**
     * Tells whether a message ends the answer. An interim response (RFC 9110 §15.2) is not the
     * answer.
     */
    private static boolean endsAnswer(Object message) {
        boolean interim =
                message instanceof HttpResponse response
                        && response.status().codeClass() == HttpStatusClass.INFORMATIONAL;
        return message instanceof LastHttpContent && !interim;
    }
}
