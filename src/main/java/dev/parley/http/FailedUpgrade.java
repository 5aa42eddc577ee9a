package dev.parley.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.util.ReferenceCountUtil;

/**
 * Closes a connection whose first request asks for HTTP/2 ({@code Upgrade: h2c}) in a way that is
 * not valid. Vert.x answers it without a length, so that the answer ends with the connection (RFC
 * 9112 §6.3), and leaves the connection open: the client would wait until the idle timeout, or take
 * the next answer for the body of this one.
 *
 * <p>Removes itself with the first answer of a connection. Runs on the connection's event loop.
 */
final class FailedUpgrade extends ChannelOutboundHandlerAdapter {

    /** The index of the status in an answer of HTTP/1. */
    private static final int STATUS = "HTTP/1.1 ".length();

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        ChannelPipeline pipeline = context.pipeline();
        pipeline.remove(this);
        // Vert.x adds its server before the first answer of that, and otherwise upgrades or fails.
        if (pipeline.get(ServerHandlers.SERVER) != null || isInterim(message)) {
            context.write(message, promise);
            return;
        }
        pipeline.addAfter(ServerHandlers.DECODER, null, new Drop());
        LingeringClose.begin(pipeline);
        context.write(message, promise.unvoid().addListener(ChannelFutureListener.CLOSE));
    }

    /** Tells whether an answer has a status of 1xx, such as 101 Switching Protocols. */
    private static boolean isInterim(Object message) {
        return message instanceof ByteBuf answer
                && answer.readableBytes() > STATUS
                && answer.getByte(answer.readerIndex() + STATUS) == '1';
    }

    /** Drops the requests that came in the same bytes, which the decoder still passes on. */
    private static final class Drop extends ChannelInboundHandlerAdapter {

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ReferenceCountUtil.release(message);
        }
    }
}
