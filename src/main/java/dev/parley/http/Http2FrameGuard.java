package dev.parley.http;

import dev.parley.http.ServerBounds.Bound;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;

/**
 * Bounds what Netty's HTTP/2 decoder leaves without a bound. It follows the frames (RFC 9113 §4.1)
 * in the bytes that TLS has decrypted:
 *
 * <ul>
 *   <li>A frame, and a header block over several frames, of which a part has come: the part is
 *       counted as an incomplete head, or as an incomplete body if it is DATA, and the head has a
 *       deadline. Netty bounds the length of each.
 *   <li>Frames that carry neither a request nor an answer (PING, SETTINGS, PRIORITY and unknown
 *       ones): only a number of them in a while. Netty bounds only the answers to them that wait to
 *       be sent, which is not a bound if the client takes these.
 *   <li>WINDOW_UPDATE, RST_STREAM and DATA of few bytes that does not end its stream: a client
 *       sends these because of a request or of DATA that it got, so the pod pays for two of each of
 *       those. Others count as the frames above. Netty bounds RST_STREAM and empty DATA only on
 *       streams that are open.
 *   <li>Streams that are reset, by the client or because of a frame of it that is wrong: such a
 *       client does not wait for answers and stays below the number of streams at a time, but the
 *       pod has the work. Netty bounds them for each connection, this class for all connections of
 *       an address.
 * </ul>
 *
 * <p>It passes on a few requests at a time. A read of 64 KB can contain two thousand, and each
 * connection of an event loop is read before the others have their next turn, so a client with many
 * connections would keep the others waiting for seconds. While many requests for streams wait for
 * their turn ({@link OpeningTurn#isFull}), it passes on the first of each connection alone. What
 * waits counts as heads.
 *
 * <p>It also keeps the failure of one stream from ending the others: see {@link #exceptionCaught}
 * and {@link Http2MethodCheck}.
 *
 * <p>On a connection that does not begin with HTTP/2's preface an {@link Http1LineGuard} takes its
 * place. Runs on the connection's event loop.
 */
final class Http2FrameGuard extends ChannelDuplexHandler {

    private static final byte[] PREFACE =
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    /** The length of what precedes the payload of a frame. */
    private static final int FRAME_HEADER = 9;

    private static final long PERIOD_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** A body in frames below this takes more memory for the frames than for its bytes. */
    private static final int SMALL_DATA = 64;

    /** Requests that are passed on before it is the turn of other connections. */
    private static final int REQUESTS_IN_TURN = 16;

    /** GOAWAY (RFC 9113 §6.8) with ENHANCE_YOUR_CALM and the highest number of a stream. */
    private static final byte[] GO_AWAY = {
        0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7F, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 0, 0, 0, 11
    };

    /** The length of a frame of RST_STREAM, and in it the index of the last byte of its code. */
    private static final int RST_STREAM_FRAME = FRAME_HEADER + 4;

    private static final int RST_STREAM_CODE = FRAME_HEADER + 3;

    /** Returned in the place of an index when the connection is cut. */
    private static final int CUT = -1;

    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int RST_STREAM = 3;
    private static final int PUSH_PROMISE = 5;
    private static final int WINDOW_UPDATE = 8;
    private static final int CONTINUATION = 9;
    private static final int END_STREAM = 1;
    private static final int END_HEADERS = 4;

    private final ServerBounds bounds;
    private final ServerBounds.Peer peer;
    private final ConnectionGuard connection;
    private final boolean upgraded;
    private final IncompleteInput head;
    private final IncompleteInput body;

    // The frame that is arriving.

    private int prefaceBytes;
    private int headerBytes;
    private long length;
    private int type;
    private int flags;
    private long payloadBytes;

    /** Bytes of the frames of a header block whose last one has not come. */
    private long blockBytes;

    private boolean checksMethods;

    // What waits for the next turn.

    private final Deque<ByteBuf> waiting = new ArrayDeque<>();
    private final IncompleteInput waitingInput;
    private int requestsInTurn;

    // Frames that carry neither a request nor an answer.

    /** WINDOW_UPDATE, RST_STREAM and small DATA that the client may still send. */
    private long paid;

    private int controlFrames;
    private long periodBegan;

    /**
     * @param connection counts everything that comes until the connection has had a request
     * @param upgraded whether the connection was HTTP/1 before, and can be HTTP/2 only
     */
    Http2FrameGuard(
            ServerBounds bounds,
            ServerBounds.Peer peer,
            ConnectionGuard connection,
            boolean upgraded) {
        this.bounds = bounds;
        this.peer = peer;
        this.connection = connection;
        this.upgraded = upgraded;
        this.head = IncompleteInput.ofHeads(bounds, peer);
        this.body = IncompleteInput.ofBodies(bounds, peer);
        this.waitingInput = IncompleteInput.ofWaitingRequests(bounds, peer);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!(message instanceof ByteBuf bytes)) {
            context.fireChannelRead(message);
        } else if (waiting.isEmpty()) {
            pass(context, bytes);
            if (!waiting.isEmpty()) {
                context.channel().config().setAutoRead(false);
                awaitNextTurn(context);
            }
        } else {
            waiting.add(bytes);
        }
    }

    /** Passes frames on. Those above the number of one turn wait. */
    private void pass(ChannelHandlerContext context, ByteBuf bytes) {
        int end = follow(context, bytes);
        if (end == CUT) {
            bytes.release();
        } else if (end == bytes.writerIndex()) {
            context.fireChannelRead(bytes);
        } else {
            int count = end - bytes.readerIndex();
            ByteBuf part = count == 0 ? Unpooled.EMPTY_BUFFER : bytes.readRetainedSlice(count);
            waiting.addFirst(bytes);
            context.fireChannelRead(part);
        }
    }

    private void awaitNextTurn(ChannelHandlerContext context) {
        Runnable next = () -> nextTurn(context);
        OpeningTurn openings = OpeningTurn.current();
        if (openings.isFull()) {
            openings.await(next);
        } else {
            context.executor().execute(next);
        }
    }

    private void nextTurn(ChannelHandlerContext context) {
        requestsInTurn = 0;
        while (!waiting.isEmpty()
                && requestsInTurn < mostInTurn()
                && context.channel().isActive()) {
            pass(context, waiting.remove());
        }
        if (!context.channel().isActive()) {
            end();
            return;
        }
        channelReadComplete(context);
        connection.countBodies();
        if (!waiting.isEmpty()) {
            awaitNextTurn(context);
        } else if (!context.isRemoved()) {
            context.channel().config().setAutoRead(true);
        }
    }

    private int mostInTurn() {
        if (!OpeningTurn.current().isFull()) {
            return REQUESTS_IN_TURN;
        }
        // The first of a connection is passed on, since it would meet the deadline for the first
        // head. And on HTTP/1 each connection may have one too.
        return connection.hasRequest() ? 0 : 1;
    }

    /** Netty writes a DATA frame in two pieces, and others in one or two. */
    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        // With the first frame after the settings, and so at the latest with the first answer.
        checksMethods = checksMethods || Http2MethodCheck.install(context.pipeline());
        paid++;
        boolean mayGoOn = !resetsForError(message) || bounds.tryReset(peer);
        context.write(message, promise);
        if (!mayGoOn) {
            sendGoAwayAndCut(context, Bound.RESETS);
        }
    }

    /**
     * Tells whether the server resets a stream because a frame of the client is wrong. Streams that
     * it refuses, or that it ends after an answer or for a client that takes no bytes, are bounded
     * otherwise.
     */
    private static boolean resetsForError(Object message) {
        if (!(message instanceof ByteBuf frame)
                || frame.readableBytes() != RST_STREAM_FRAME
                || frame.getByte(frame.readerIndex() + 3) != RST_STREAM) {
            return false;
        }
        int code = frame.getByte(frame.readerIndex() + RST_STREAM_CODE);
        return code != Http2Error.NO_ERROR.code()
                && code != Http2Error.REFUSED_STREAM.code()
                && code != Http2Error.CANCEL.code();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.fireChannelReadComplete();
        if (waiting.isEmpty()) {
            requestsInTurn = 0;
        }
        count(context, waitingInput, waiting.stream().mapToLong(ByteBuf::readableBytes).sum());
        if (!connection.hasRequest()) {
            return;
        }
        long held = headerBytes + payloadBytes;
        boolean ofBody = headerBytes == FRAME_HEADER && type == DATA;
        count(context, body, ofBody ? held : 0);
        count(context, head, blockBytes + (ofBody ? 0 : held));
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        end();
        context.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        end();
    }

    private void end() {
        head.end();
        body.end();
        waiting.forEach(ByteBuf::release);
        waiting.clear();
        waitingInput.end();
    }

    /**
     * Drops the exception of a write whose stream was reset while Netty held the bytes because the
     * client's window was 0. Vert.x writes an answer that ends without a promise of its own, so
     * Netty passes the exception to the pipeline; Vert.x would then close the connection, with the
     * streams of all other clients if it is that of a proxy.
     */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!Http2Exception.isStreamError(Http2CodecUtil.getEmbeddedHttp2Exception(cause))) {
            context.fireExceptionCaught(cause);
        }
    }

    private static void count(ChannelHandlerContext context, IncompleteInput input, long bytes) {
        if (bytes > 0) {
            input.hold(context, bytes);
        } else {
            input.end();
        }
    }

    /**
     * Follows the frames in some bytes, up to the last one of this turn.
     *
     * @return where it stopped; {@link #CUT} if the connection is cut
     */
    private int follow(ChannelHandlerContext context, ByteBuf bytes) {
        int at = bytes.readerIndex();
        int most = mostInTurn();
        while (at < bytes.writerIndex() && requestsInTurn < most) {
            if (prefaceBytes < PREFACE.length) {
                if (bytes.getByte(at++) != PREFACE[prefaceBytes++]) {
                    return onOtherProtocol(context) ? bytes.writerIndex() : CUT;
                }
                continue;
            }
            if (headerBytes < FRAME_HEADER) {
                onHeaderByte(bytes.getUnsignedByte(at++));
            } else {
                long part = Math.min(length - payloadBytes, bytes.writerIndex() - at);
                at += (int) part;
                payloadBytes += part;
            }
            if (headerBytes == FRAME_HEADER && payloadBytes == length && !onFrame(context)) {
                return CUT;
            }
        }
        return at;
    }

    /**
     * Goes on with HTTP/1.
     *
     * @return false if the connection is cut
     */
    private boolean onOtherProtocol(ChannelHandlerContext context) {
        if (upgraded) {
            ConnectionGuard.cut(context.channel());
            return false;
        }
        var lines = new Http1LineGuard(connection);
        connection.onHttp1(lines);
        context.pipeline().addAfter(context.name(), null, new FailedUpgrade());
        context.pipeline().replace(this, null, lines);
        return true;
    }

    private void onHeaderByte(int octet) {
        switch (headerBytes++) {
            case 0 -> length = octet;
            case 1, 2 -> length = length << 8 | octet;
            case 3 -> type = octet;
            case 4 -> flags = octet;
            default -> {
                // The number of the stream.
            }
        }
    }

    private boolean onFrame(ChannelHandlerContext context) {
        long whole = FRAME_HEADER + length;
        headerBytes = 0;
        payloadBytes = 0;
        return switch (type) {
            case HEADERS, PUSH_PROMISE, CONTINUATION -> {
                if (type == HEADERS) {
                    paid += 2;
                    requestsInTurn++;
                }
                blockBytes = (flags & END_HEADERS) == 0 ? blockBytes + whole : 0;
                yield true;
            }
            case DATA -> {
                connection.onPiece();
                boolean small = length == 0 || (length < SMALL_DATA && (flags & END_STREAM) == 0);
                yield !small || onPaidFrame(context);
            }
            case RST_STREAM -> onReset(context);
            case WINDOW_UPDATE -> onPaidFrame(context);
            default -> onControlFrame(context);
        };
    }

    private boolean onReset(ChannelHandlerContext context) {
        // Otherwise it is the reset of a stream that has ended, which costs nothing more.
        if (paid > 0 && !bounds.tryReset(peer)) {
            sendGoAwayAndCut(context, Bound.RESETS);
            return false;
        }
        return onPaidFrame(context);
    }

    private boolean onPaidFrame(ChannelHandlerContext context) {
        if (paid > 0) {
            paid--;
            return true;
        }
        return onControlFrame(context);
    }

    private boolean onControlFrame(ChannelHandlerContext context) {
        long now = System.nanoTime();
        if (controlFrames == 0 || now - periodBegan > PERIOD_NANOS) {
            controlFrames = 0;
            periodBegan = now;
        }
        controlFrames++;
        if (controlFrames <= bounds.maxControlFrames()) {
            return true;
        }
        sendGoAwayAndCut(context, Bound.CONTROL_FRAMES);
        return false;
    }

    /** Sends GOAWAY (ENHANCE_YOUR_CALM) and closes the connection. */
    private void sendGoAwayAndCut(ChannelHandlerContext context, Bound bound) {
        bounds.onMet(bound);
        context.writeAndFlush(Unpooled.wrappedBuffer(GO_AWAY));
        ConnectionGuard.cut(context.channel());
    }
}
