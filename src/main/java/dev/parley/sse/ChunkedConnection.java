package dev.parley.sse;

import dev.parley.delivery.Connection;
import dev.parley.http.ConnectionGuard;
import dev.parley.http.PipelinedRequests;
import dev.parley.http.ServerHandlers;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelOutboundHandler;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.unix.Socket;
import io.netty.channel.unix.UnixChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A connection on HTTP/1.1 that is taken over from the server once it has written the head of the
 * answer. From then on every byte of the stream is written here.
 *
 * <p>A chunk (RFC 9112 §7.1) is made once for all connections of an event loop. It bypasses the
 * server's encoder and, where possible, goes straight into the socket. Where possible the exchange
 * is completed right after that ({@link EventStream}): the server then releases the request and all
 * objects that belong to it, which is most of the memory that an idle stream would take. What the
 * server writes to end its answer is dropped here, and so is everything that the client still
 * sends.
 */
public final class ChunkedConnection extends ChannelDuplexHandler implements Connection {

    /**
     * Bounds of the bytes that may wait in the process for a client: above the upper one a
     * connection is not writable, below the lower one it is again. The upper bound is twice the
     * size at which a batch ends, so that one batch alone makes a connection unwritable only if it
     * has a message whose encoded form is longer than that size.
     */
    private static final WriteBufferWaterMark WATER_MARK =
            new WriteBufferWaterMark(32 * 1024, 128 * 1024);

    private static final byte[] LINE_END = {'\r', '\n'};

    /** Ends a chunked answer: an empty chunk, and no trailers. */
    private static final byte[] LAST_CHUNK = "0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    /** Most bytes that are gathered while a stream is opened. */
    private static final int MOST_GATHERED = 2 * 1024;

    /** A chunk in native memory, shared by all connections of an event loop. */
    private record Chunk(ByteBuf bytes) implements SharedBuffer.Prepared {

        @Override
        public void release() {
            bytes.release();
        }
    }

    private final Channel channel;
    private @Nullable ChannelHandlerContext context;
    private @Nullable DirectSocket socket;

    /** Whether TLS makes each chunk anew for this client. */
    private boolean isEncrypted;

    private Runnable onDrain = () -> {};
    private Runnable onClose = () -> {};

    /** Bytes in memory for this client alone that wait, because the kernel has not taken them. */
    private int backlog;

    /** Bytes that had to wait and that the kernel has taken since, in whole chunks. */
    private long takenLater;

    /** What was written since the connection was taken over; null if writes go to the socket. */
    private @Nullable ByteBuf gathered;

    private ChunkedConnection(Channel channel) {
        this.channel = channel;
    }

    /** Tells whether a request's connection can be taken over. */
    public static boolean suits(HttpServerRequest request) {
        return request.version() == HttpVersion.HTTP_1_1
                && request.response().isChunked()
                && PipelinedRequests.pipeline(request).context(ServerHandlers.ENCODER) != null;
    }

    /**
     * Takes the connection over. Called on its event loop in a separate task: while the server's
     * handlers are running, the pipeline must not change.
     */
    public static ChunkedConnection takeOver(HttpServerRequest request) {
        ChannelPipeline pipeline = PipelinedRequests.pipeline(request);
        var connection = new ChunkedConnection(pipeline.channel());
        connection.channel.config().setWriteBufferWaterMark(WATER_MARK);
        PipelinedRequests.onTakenOver(pipeline);
        HeldHead.letGo(pipeline);
        // Replaces the decoder. The decoder passes what it has buffered to this handler, which
        // drops it.
        pipeline.replace(ServerHandlers.DECODER, "eventStream", connection);
        pipeline.remove(ServerHandlers.ENCODER);
        // The idle handler sees none of the hub's writes and would close an active stream as idle.
        if (pipeline.get(ServerHandlers.IDLE) != null) {
            pipeline.remove(ServerHandlers.IDLE);
        }
        return connection;
    }

    /**
     * Gathers what is written from now on, up to a bound, so that the head and the first events of
     * a stream leave in one write; until {@link #sendGathered} is called, within the same task.
     */
    void gather() {
        gathered = PooledByteBufAllocator.DEFAULT.directBuffer(MOST_GATHERED, MOST_GATHERED);
    }

    /** Sends the head and what was gathered; what is written afterwards is sent at once. */
    void sendGathered() {
        ByteBuf first = gathered;
        if (first != null) {
            gathered = null;
            if (first.isReadable()) {
                send(first, true);
            } else {
                channel.flush();
            }
            first.release();
        }
    }

    /** Sets the handler that is called when the connection has closed. */
    public void onClose(Runnable handler) {
        onClose = handler;
    }

    @Override
    public boolean isWritable() {
        return channel.isWritable();
    }

    @Override
    public boolean mayBeSentBacklog() {
        return ConnectionGuard.mayHoldBacklog(channel);
    }

    @Override
    public boolean copiesShared() {
        return isEncrypted;
    }

    @Override
    public boolean holdsBacklog() {
        return backlog > 0;
    }

    /** Counts what the kernel has taken of the chunk that it is taking now, too. */
    @Override
    public long taken() {
        ChannelOutboundBuffer waiting = channel.unsafe().outboundBuffer();
        return waiting == null ? takenLater : takenLater + waiting.currentProgress();
    }

    @Override
    public void write(byte[] bytes) {
        if (bytes.length > 0) {
            ByteBuf chunk = chunk(bytes, 0);
            send(chunk, true);
            chunk.release();
        }
    }

    @Override
    public void write(SharedBuffer buffer) {
        send(
                buffer.prepared(Chunk.class, bytes -> new Chunk(chunk(bytes, 0))).bytes(),
                isEncrypted);
    }

    @Override
    public void end(byte[] last) {
        sendGathered();
        ByteBuf end =
                last.length == 0
                        ? Unpooled.wrappedBuffer(LAST_CHUNK)
                        : chunk(last, LAST_CHUNK.length).writeBytes(LAST_CHUNK);
        context().writeAndFlush(end).addListener(sent -> context().close());
        ConnectionGuard.limitEnd(channel);
    }

    @Override
    public void cut() {
        ConnectionGuard.cut(channel);
    }

    @Override
    public void onDrain(Runnable handler) {
        onDrain = handler;
    }

    /** Drops what a client sends after its request for a stream. */
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ReferenceCountUtil.release(message);
    }

    /**
     * Passes bytes on, and drops objects that the server wrote for its encoder, which is removed.
     */
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
        discardGathered();
        onClose.run();
        context.fireChannelInactive();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        this.context = context;
        socket = DirectSocket.before(context).orElse(null);
        isEncrypted = context.pipeline().get(SslHandler.class) != null;
    }

    /**
     * Sends a chunk, unless it is gathered; what the socket does not accept waits in the channel.
     *
     * @param isOwn whether it is in memory for this client alone while it waits
     */
    private void send(ByteBuf chunk, boolean isOwn) {
        ByteBuf first = gathered;
        if (first != null && first.writableBytes() >= chunk.readableBytes()) {
            first.writeBytes(chunk, chunk.readerIndex(), chunk.readableBytes());
            return;
        }
        sendGathered();
        if (!chunk.isReadable()) {
            return;
        }
        int sent = socket == null ? 0 : socket.send(chunk);
        int left = chunk.readableBytes() - sent;
        if (left > 0) {
            // A failure closes the connection, and channelInactive is called.
            ByteBuf rest = chunk.retainedSlice(chunk.readerIndex() + sent, left);
            if (isOwn) {
                countUntilTaken(context().writeAndFlush(rest), left);
            } else {
                context().writeAndFlush(rest, channel.voidPromise());
            }
        }
    }

    private void countUntilTaken(ChannelFuture written, int bytes) {
        if (!written.isDone()) {
            Runnable release = ConnectionGuard.holdBacklog(channel, bytes);
            backlog += bytes;
            written.addListener(
                    taken -> {
                        backlog -= bytes;
                        takenLater += bytes;
                        release.run();
                    });
        }
    }

    private void discardGathered() {
        if (gathered != null) {
            gathered.release();
            gathered = null;
        }
    }

    private ChannelHandlerContext context() {
        return Objects.requireNonNull(context);
    }

    /**
     * Makes a chunk in native memory.
     *
     * @param spare how many more bytes the caller appends
     */
    private static ByteBuf chunk(byte[] bytes, int spare) {
        byte[] size = Integer.toHexString(bytes.length).getBytes(StandardCharsets.US_ASCII);
        int length = size.length + bytes.length + 2 * LINE_END.length;
        return PooledByteBufAllocator.DEFAULT
                .directBuffer(length + spare, length + spare)
                .writeBytes(size)
                .writeBytes(LINE_END)
                .writeBytes(bytes)
                .writeBytes(LINE_END);
    }

    /**
     * The socket of a connection whose bytes are not changed by another handler, such as
     * encryption. Bytes are sent directly (send(2)) while none wait in the channel. Exists with the
     * native transport only. Used on the connection's event loop only.
     */
    private static final class DirectSocket {

        private final Channel channel;
        private final Socket socket;

        private DirectSocket(Channel channel, Socket socket) {
            this.channel = channel;
            this.socket = socket;
        }

        /** Returns the socket, if bytes that this handler writes reach it unchanged. */
        static Optional<DirectSocket> before(ChannelHandlerContext handler) {
            Channel channel = handler.channel();
            if (channel instanceof UnixChannel unix
                    && unix.fd() instanceof Socket socket
                    && isFirstToWrite(handler)) {
                return Optional.of(new DirectSocket(channel, socket));
            }
            return Optional.empty();
        }

        /**
         * Sends as much as the socket accepts now. On an error nothing is sent; the channel gets
         * the same error at its next write and closes the connection.
         *
         * @param bytes in native memory; not changed
         * @return how many bytes were sent, 0 or more
         */
        int send(ByteBuf bytes) {
            ChannelOutboundBuffer waiting = channel.unsafe().outboundBuffer();
            if (waiting == null || waiting.totalPendingWriteBytes() > 0) {
                return 0;
            }
            try {
                return socket.sendAddress(
                        bytes.memoryAddress(), bytes.readerIndex(), bytes.writerIndex());
            } catch (IOException e) {
                return 0;
            }
        }

        /** Tells whether no other handler sees what this one writes. */
        private static boolean isFirstToWrite(ChannelHandlerContext handler) {
            return handler.equals(handler.pipeline().context(ChannelOutboundHandler.class));
        }
    }
}
