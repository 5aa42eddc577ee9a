package dev.parley.events;

import dev.parley.hub.Connection;
import dev.parley.hub.Payload;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.WriteBufferWaterMark;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.impl.ConnectionBase;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * A reader on HTTP/1.1, written to with as little work as there can be: the chunk (RFC 9112 §7.1)
 * is made once for all readers of an event loop, and goes past the server's encoder.
 *
 * <p>Head and end of the answer still are the server's: it is told that the answer is chunked, and
 * counts nothing of what it does not see.
 */
final class ChunkedConnection implements Connection {

    /** Names that the server gives to its handlers. */
    private static final String ENCODER = "httpEncoder";

    private static final String IDLE = "idle";

    /**
     * What may wait in the process for a reader. The upper one is above the largest batch, so that
     * one batch alone never makes a reader look slow.
     */
    private static final WriteBufferWaterMark WATER_MARK =
            new WriteBufferWaterMark(32 * 1024, 128 * 1024);

    private static final byte[] LINE_END = {'\r', '\n'};

    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final ChannelHandlerContext wire;
    private final Channel channel;
    private final Runnable complete;

    private ChunkedConnection(
            HttpServerRequest request, ChannelHandlerContext wire, Runnable complete) {
        this.request = request;
        this.response = request.response();
        this.wire = wire;
        this.channel = wire.channel();
        this.complete = complete;
    }

    /**
     * Takes the connection over, if it speaks HTTP/1.1 and its head is sent.
     *
     * @param complete ends the exchange
     */
    static Optional<Connection> of(HttpServerRequest request, Runnable complete) {
        if (request.version() != HttpVersion.HTTP_1_1 || !request.response().isChunked()) {
            return Optional.empty();
        }
        ChannelPipeline pipeline = ((ConnectionBase) request.connection()).channel().pipeline();
        ChannelHandlerContext encoder = pipeline.context(ENCODER);
        if (encoder == null) {
            return Optional.empty();
        }
        // It sees none of these writes, and would end a stream as silent.
        if (pipeline.get(IDLE) != null) {
            pipeline.remove(IDLE);
        }
        encoder.channel().config().setWriteBufferWaterMark(WATER_MARK);
        return Optional.of(new ChunkedConnection(request, encoder, complete));
    }

    @Override
    public boolean isWritable() {
        return channel.isWritable();
    }

    @Override
    public void write(byte[] bytes) {
        if (bytes.length > 0) {
            send(chunk(bytes));
        }
    }

    @Override
    public void write(Payload payload) {
        send(payload.framed(ChunkedConnection::chunk).retainedDuplicate());
    }

    @Override
    public void end(byte[] last) {
        write(last);
        complete.run();
        request.connection().close();
    }

    /**
     * Without lingering, and past the server, which would close only after what is queued: else the
     * connection stays until the reader takes it.
     */
    @Override
    public void abort() {
        if (channel.isOpen()) {
            channel.config().setOption(ChannelOption.SO_LINGER, 0);
            wire.close();
        }
    }

    @Override
    public void onDrain(Runnable handler) {
        response.drainHandler(drained -> handler.run());
    }

    /** A failure closes the connection, which is all that there is to know about it. */
    private void send(ByteBuf chunk) {
        wire.writeAndFlush(chunk, wire.voidPromise());
    }

    private static ByteBuf chunk(byte[] bytes) {
        byte[] size = Integer.toHexString(bytes.length).getBytes(StandardCharsets.US_ASCII);
        int length = size.length + bytes.length + 2 * LINE_END.length;
        return PooledByteBufAllocator.DEFAULT
                .directBuffer(length, length)
                .writeBytes(size)
                .writeBytes(LINE_END)
                .writeBytes(bytes)
                .writeBytes(LINE_END);
    }
}
