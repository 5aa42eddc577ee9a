package dev.parley.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.TimeUnit;

/**
 * Lets the client of an HTTP/1 connection read the answer to a request that was refused before its
 * body had arrived. If a connection is closed while bytes wait to be read, the kernel resets it,
 * and the client may lose an answer that it has received. So only the output is ended, which tells
 * the client that nothing more comes, and what it still sends is read and dropped, undecoded, for a
 * while and up to a bound; then the connection is closed, unless the client has done it. Runs on
 * the connection's event loop.
 */
final class LingeringClose extends ChannelDuplexHandler {

    /** Longest time between the answer and the end of the connection. */
    static final long MILLIS = 1000;

    /** Most bytes that are dropped. */
    static final long MAX_BYTES = 1024 * 1024;

    private long dropped;

    private LingeringClose() {}

    /** Drops what comes from now on, and delays the closing of the connection. */
    static void begin(ChannelPipeline pipeline) {
        if (pipeline.get(LingeringClose.class) == null
                && pipeline.get(ServerHandlers.DECODER) != null) {
            pipeline.addBefore(ServerHandlers.DECODER, null, new LingeringClose());
            if (pipeline.get(Http1LineGuard.class) != null) {
                // It would count what is dropped as what the decoder holds.
                pipeline.remove(Http1LineGuard.class);
            }
            pipeline.channel().config().setAutoRead(true);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (message instanceof ByteBuf bytes) {
            dropped += bytes.readableBytes();
        }
        ReferenceCountUtil.release(message);
        if (dropped > MAX_BYTES) {
            context.close();
        }
    }

    @Override
    public void close(ChannelHandlerContext context, ChannelPromise promise) {
        endOutput(context.channel());
        // Not with the promise: it is completed below, and can be completed only once.
        var timer =
                context.executor().schedule(() -> context.close(), MILLIS, TimeUnit.MILLISECONDS);
        context.channel()
                .closeFuture()
                .addListener(
                        closed -> {
                            timer.cancel(false);
                            promise.trySuccess();
                        });
    }

    private static void endOutput(Channel channel) {
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        if (tls != null) {
            tls.closeOutbound();
        } else if (channel instanceof DuplexChannel duplex) {
            duplex.shutdownOutput();
        }
    }
}
