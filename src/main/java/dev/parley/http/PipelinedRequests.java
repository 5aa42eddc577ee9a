package dev.parley.http;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.impl.ConnectionBase;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * What a client sends on a connection of HTTP/1 before its last request is answered (pipelining,
 * RFC 9112 §9.3.2), held until it is.
 *
 * <p>The server would take such requests in at once. But when the connection closes while one
 * waits, Vert.x fails over the answer that is not begun: it writes stack traces into the log, and
 * keeps what it has of the connection for good. So it gets to see one request at a time. Lives on
 * the connection's event loop.
 */
public final class PipelinedRequests extends ChannelDuplexHandler {

    /** The name that the server gives to the handler that answers. */
    private static final String SERVER = "handler";

    private final Queue<Object> held = new ArrayDeque<>();

    /** The server has a request, and its answer is not written to the end. */
    private boolean answering = true;

    private PipelinedRequests() {}

    /**
     * Has the requests on this one's connection come one at a time; nothing changes where they do
     * already.
     *
     * @param request that the server has just got
     */
    public static void hold(HttpServerRequest request) {
        if (request.version() != HttpVersion.HTTP_2) {
            ChannelPipeline pipeline = pipeline(request);
            if (pipeline.get(PipelinedRequests.class) == null) {
                pipeline.addBefore(SERVER, null, new PipelinedRequests());
            }
        }
    }

    /** Drops what is held, and holds no more: no further request is to reach the server. */
    public static void drop(ChannelPipeline pipeline) {
        if (pipeline.get(PipelinedRequests.class) != null) {
            pipeline.remove(PipelinedRequests.class);
        }
    }

    /** The handlers of the connection that a request came on. */
    public static ChannelPipeline pipeline(HttpServerRequest request) {
        return ((ConnectionBase) request.connection()).channel().pipeline();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (held.isEmpty() && !mustWait(message)) {
            pass(context, message);
        } else {
            held.add(message);
            read(context, false);
        }
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (endsAnswer(message)) {
            answering = false;
            if (!held.isEmpty()) {
                // Not in the midst of what the server does to end the answer.
                context.executor().execute(() -> release(context));
            }
        }
        context.write(message, promise);
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

    private void release(ChannelHandlerContext context) {
        // First, since the server may want to read no more of what it gets now.
        read(context, true);
        while (!held.isEmpty() && !mustWait(held.element())) {
            pass(context, held.remove());
        }
        if (!held.isEmpty()) {
            read(context, false);
        }
        context.fireChannelReadComplete();
    }

    private void pass(ChannelHandlerContext context, Object message) {
        if (message instanceof HttpRequest) {
            answering = true;
        }
        context.fireChannelRead(message);
    }

    private boolean mustWait(Object message) {
        return answering && message instanceof HttpRequest;
    }

    private void discard(ChannelHandlerContext context) {
        if (!held.isEmpty()) {
            held.forEach(ReferenceCountUtil::release);
            held.clear();
            read(context, true);
        }
    }

    private static void read(ChannelHandlerContext context, boolean more) {
        context.channel().config().setAutoRead(more);
    }

    /** An interim answer (RFC 9110 §15.2) is whole, but not the answer. */
    private static boolean endsAnswer(Object message) {
        boolean interim =
                message instanceof HttpResponse response
                        && response.status().codeClass() == HttpStatusClass.INFORMATIONAL;
        return message instanceof LastHttpContent && !interim;
    }
}
