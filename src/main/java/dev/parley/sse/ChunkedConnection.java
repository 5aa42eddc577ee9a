package dev.parley.sse;

import dev.parley.delivery.Connection;
import dev.parley.delivery.Payload;
import dev.parley.http.PipelinedRequests;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A reader on HTTP/1.1, taken over from the server once the head of its answer is sent: what
 * follows is the hub's alone, to the last byte.
 *
 * <p>A chunk (RFC 9112 §7.1) is made once for all readers of an event loop and goes past the
 * server's encoder, where possible straight into the socket. As soon as it can be, the exchange is
 * over for the server: it forgets the request and all that it made for it, which is most of what an
 * idle reader would hold. What it then writes to end its answer is dropped here, as is whatever the
 * client still sends.
 */
public final class ChunkedConnection extends ChannelDuplexHandler implements Connection {

    /** Names that the server gives to its handlers. */
    private static final String DECODER = "httpDecoder";

    private static final String ENCODER = "httpEncoder";
    private static final String IDLE = "idle";

    /**
     * What may wait in the process for a reader. The upper one is above the largest batch, so that
     * one batch alone never makes a reader look slow.
     */
    private static final WriteBufferWaterMark WATER_MARK =
            new WriteBufferWaterMark(32 * 1024, 128 * 1024);

    private static final byte[] LINE_END = {'\r', '\n'};

    /** Ends a chunked answer: a chunk of nothing, and no trailers. */
    private static final byte[] LAST_CHUNK = "0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private final Channel channel;
    private @Nullable ChannelHandlerContext wire;
    private @Nullable DirectSocket socket;
    private Runnable onDrain = () -> {};
    private Runnable onClose = () -> {};

    private ChunkedConnection(Channel channel) {
        this.channel = channel;
    }

    /** Whether the reader's connection is one that can be taken over. */
    public static boolean suits(HttpServerRequest request) {
        return request.version() == HttpVersion.HTTP_1_1
                && request.response().isChunked()
                && PipelinedRequests.pipeline(request).context(ENCODER) != null;
    }

    /**
     * Takes the connection over; on its event loop, not in the midst of what the server does there.
     */
    public static ChunkedConnection takeOver(HttpServerRequest request) {
        ChannelPipeline pipeline = PipelinedRequests.pipeline(request);
        var connection = new ChunkedConnection(pipeline.channel());
        connection.channel.config().setWriteBufferWaterMark(WATER_MARK);
        PipelinedRequests.drop(pipeline);
        // In its place, so that what it has read already comes here.
        pipeline.replace(DECODER, "eventStream", connection);
        pipeline.remove(ENCODER);
        // It sees none of the hub's writes, and would end a stream as silent.
        if (pipeline.get(IDLE) != null) {
            pipeline.remove(IDLE);
        }
        return connection;
    }

    /** To be called when the reader has gone, or was cut. */
    public void onClose(Runnable handler) {
        onClose = handler;
    }

    @Override
    public boolean isWritable() {
        return channel.isWritable();
    }

    @Override
    public void write(byte[] bytes) {
        if (bytes.length > 0) {
            ByteBuf chunk = chunk(bytes, 0);
            send(chunk);
            chunk.release();
        }
    }

    @Override
    public void write(Payload payload) {
        send(payload.framed(bytes -> chunk(bytes, 0)));
    }

    @Override
    public void end(byte[] last) {
        ByteBuf end = chunk(last, LAST_CHUNK.length).writeBytes(LAST_CHUNK);
        wire().writeAndFlush(end).addListener(sent -> wire().close());
    }

    @Override
    public void abort() {
        cut(channel);
    }

    /**
     * Closes a connection at once: without lingering, and past all handlers, since the server's
     * closes only after what is queued, so with a reader that takes nothing never.
     */
    public static void cut(Channel channel) {
        if (channel.isOpen()) {
            channel.config().setOption(ChannelOption.SO_LINGER, 0);
            channel.pipeline().firstContext().close();
        }
    }

    @Override
    public void onDrain(Runnable handler) {
        onDrain = handler;
    }

    /** Nothing that a client says on a stream means anything. */
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ReferenceCountUtil.release(message);
    }

    /** Bytes pass; what the server would have its encoder write, which is gone, does not. */
    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (message instanceof ByteBuf) {
            context.write(message, promise);
        } else {
            ReferenceCountUtil.release(message);
            promise.trySuccess();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (channel.isWritable()) {
            onDrain.run();
        }
        context.fireChannelWritabilityChanged();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        onClose.run();
        context.fireChannelInactive();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        wire = context;
        socket = DirectSocket.before(context).orElse(null);
    }

    /** What the socket does not take at once waits in the channel. */
    private void send(ByteBuf chunk) {
        int sent = socket == null ? 0 : socket.send(chunk);
        int left = chunk.readableBytes() - sent;
        if (left > 0) {
            // A failure closes the connection, which is all that there is to know about it.
            wire().writeAndFlush(
                            chunk.retainedSlice(chunk.readerIndex() + sent, left),
                            channel.voidPromise());
        }
    }

    private ChannelHandlerContext wire() {
        return Objects.requireNonNull(wire);
    }

    private static ByteBuf chunk(byte[] bytes, int room) {
        byte[] size = Integer.toHexString(bytes.length).getBytes(StandardCharsets.US_ASCII);
        int length = size.length + bytes.length + 2 * LINE_END.length;
        return PooledByteBufAllocator.DEFAULT
                .directBuffer(length + room, length + room)
                .writeBytes(size)
                .writeBytes(LINE_END)
                .writeBytes(bytes)
                .writeBytes(LINE_END);
    }
}
