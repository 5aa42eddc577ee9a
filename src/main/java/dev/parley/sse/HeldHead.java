package dev.parley.sse;

import dev.parley.http.PipelinedRequests;
import dev.parley.http.ServerHandlers;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.LastHttpContent;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;

/**
 * Holds back the head of a stream's answer on HTTP/1.1 until the connection is taken over, which is
 * a task later: the head and the first events then leave in one write, and in one packet.
 *
 * <p>The head waits in the channel, unflushed. For the server it counts as written at once, since
 * the framework takes up the stream only then. An answer that is not a stream, such as an error, is
 * not held.
 */
final class HeldHead extends ChannelOutboundHandlerAdapter {

    private boolean holds;

    private HeldHead() {}

    /** Holds the head of the answer to a request, if it is one of a stream. */
    static void of(HttpServerRequest request) {
        ChannelPipeline pipeline = PipelinedRequests.pipeline(request);
        if (request.version() == HttpVersion.HTTP_1_1
                && pipeline.context(ServerHandlers.ENCODER) != null
                && pipeline.get(HeldHead.class) == null) {
            pipeline.addAfter(ServerHandlers.ENCODER, null, new HeldHead());
        }
    }

    /**
     * Lets go of the head: it leaves with what is written and flushed next.
     *
     * @return whether it was held
     */
    static boolean letGo(ChannelPipeline pipeline) {
        boolean isHeld = pipeline.get(HeldHead.class) != null;
        if (isHeld) {
            pipeline.remove(HeldHead.class);
        }
        return isHeld;
    }

    /** Sends the head, if it is held. */
    static void send(ChannelPipeline pipeline) {
        if (letGo(pipeline)) {
            pipeline.flush();
        }
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (!holds && isHeadOfStream(message)) {
            holds = true;
            context.write(message);
            promise.trySuccess();
        } else {
            context.write(message, promise);
        }
    }

    @Override
    public void flush(ChannelHandlerContext context) {
        if (!holds) {
            context.flush();
        }
    }

    private static boolean isHeadOfStream(Object message) {
        return message instanceof HttpResponse head
                && !(message instanceof LastHttpContent)
                && StreamHeaders.CONTENT_TYPE.equals(
                        head.headers().get(HttpHeaderNames.CONTENT_TYPE));
    }
}
