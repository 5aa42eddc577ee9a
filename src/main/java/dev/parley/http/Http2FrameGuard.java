package dev.parley.http;

import dev.parley.http.ServerBounds.Bound;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Exception;
import java.nio.charset.StandardCharsets;
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
 *       ones): only a number of them in a while. Netty bounds the answers to them that wait to be
 *       sent, and so nothing if the client takes those.
 *   <li>WINDOW_UPDATE, RST_STREAM and DATA of few bytes that does not end its stream: a client
 *       sends these because of a request or of DATA that it got, so the pod pays for two of each of
 *       those. Others count as the frames above. Netty bounds RST_STREAM and empty DATA only on
 *       streams that are open.
 * </ul>
 *
 * <p>It also keeps the failure of one stream from ending the others: see {@link #exceptionCaught}.
 *
 * <p>On a connection that does not begin with HTTP/2's preface it removes itself. Runs on the
 * connection's event loop.
 */
final class Http2FrameGuard extends ChannelDuplexHandler {

    private static final byte[] PREFACE =
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    /** The length of what precedes the payload of a frame. */
    private static final int FRAME_HEADER = 9;

    private static final long PERIOD_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** A body in frames below this takes more memory for the frames than for its bytes. */
    private static final int SMALL_DATA = 64;

    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int RST_STREAM = 3;
    private static final int PUSH_PROMISE = 5;
    private static final int WINDOW_UPDATE = 8;
    private static final int CONTINUATION = 9;
    private static final int END_STREAM = 1;
    private static final int END_HEADERS = 4;

    private final ServerBounds bounds;
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

    // Frames that carry neither a request nor an answer.

    /** WINDOW_UPDATE, RST_STREAM and empty DATA that the client may still send. */
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
        this.connection = connection;
        this.upgraded = upgraded;
        this.head = IncompleteInput.ofHeads(bounds, peer);
        this.body = IncompleteInput.ofBodies(bounds, peer);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (message instanceof ByteBuf bytes && !follow(context, bytes)) {
            bytes.release();
            return;
        }
        context.fireChannelRead(message);
    }

    /** Netty writes a DATA frame in two pieces, and others in one or two. */
    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        paid++;
        context.write(message, promise);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.fireChannelReadComplete();
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
        head.end();
        body.end();
        context.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        head.end();
        body.end();
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
     * Follows the frames in some bytes.
     *
     * @return false if the connection is cut
     */
    private boolean follow(ChannelHandlerContext context, ByteBuf bytes) {
        int at = bytes.readerIndex();
        while (at < bytes.writerIndex()) {
            if (prefaceBytes < PREFACE.length) {
                if (bytes.getByte(at++) != PREFACE[prefaceBytes++]) {
                    return onOtherProtocol(context);
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
                return false;
            }
        }
        return true;
    }

    private boolean onOtherProtocol(ChannelHandlerContext context) {
        if (upgraded) {
            ConnectionGuard.cut(context.channel());
            return false;
        }
        context.pipeline().remove(this);
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
                }
                blockBytes = (flags & END_HEADERS) == 0 ? blockBytes + whole : 0;
                yield true;
            }
            case DATA -> {
                connection.onPiece();
                boolean small = length == 0 || (length < SMALL_DATA && (flags & END_STREAM) == 0);
                yield !small || onPaidFrame(context);
            }
            case RST_STREAM, WINDOW_UPDATE -> onPaidFrame(context);
            default -> onControlFrame(context);
        };
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
        bounds.onMet(Bound.CONTROL_FRAMES);
        ConnectionGuard.cut(context.channel());
        return false;
    }
}
