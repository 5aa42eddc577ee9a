package dev.parley.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/**
 * Counts what Netty's HTTP/1 decoder holds, in the bytes that TLS has decrypted: the lines of a
 * head, or of the trailers behind a chunked body, whose end has not come, and the line before a
 * chunk. Netty bounds the length of the lines without their ends, not what it makes of them: a line
 * of two bytes is a header of a hundred bytes.
 *
 * <p>The decoder does not tell what it holds. But a head and trailers end with an empty line, so it
 * holds nothing of what came before the last one; and it passes the bytes of a body on as they
 * come. So what is behind the last empty line is counted, and where a body came behind it in the
 * same read, what is not of the body. That is exact but for two lines, and for the bytes of the
 * lines before the chunks of that read, which are counted until the next read.
 *
 * <pre>
 *   POST /send HTTP/1.1⏎ … ⏎⏎   5⏎hello⏎   0⏎ a:⏎ a:⏎ a:⏎
 *   └── passed on at once ───┘  └ passed ┘  └── counted ──┘
 * </pre>
 *
 * <p>Runs on the connection's event loop.
 */
final class Http1LineGuard extends ChannelInboundHandlerAdapter {

    private static final byte LF = '\n';
    private static final byte CR = '\r';

    /** Line ends that belong to a chunk: the one behind its size, and the one behind its data. */
    private static final int CHUNK_LINES = 2;

    /** What has come of a line. */
    private enum Line {
        EMPTY,
        CR_ALONE,
        FILLED
    }

    private final ConnectionGuard connection;

    private Line line = Line.EMPTY;
    private long bytes;
    private long lines;

    /** Complete lines behind the last empty one, of the input that was last read. */
    private int linesBehind;

    // What the decoder has passed on of bodies, of the input that is being counted.

    private boolean counting;
    private long decodedBytes;
    private long decodedLines;

    Http1LineGuard(ConnectionGuard connection) {
        this.connection = connection;
    }

    /** Returns the bytes that the decoder holds, as they are in memory. */
    long held() {
        return bytes + lines * RequestCost.HEADER;
    }

    /** Notes that the decoder has passed on a piece of a body. */
    void onDecoded(ByteBuf piece) {
        if (counting && piece.isReadable()) {
            decodedBytes += piece.readableBytes();
            decodedLines += lines(piece) + CHUNK_LINES;
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!(message instanceof ByteBuf input)) {
            context.fireChannelRead(message);
            return;
        }
        int rest = endOfLastEmptyLine(input);
        if (rest == input.writerIndex()) {
            // Before it is passed on, since a request that is complete may be answered meanwhile.
            clear();
            context.fireChannelRead(input);
            return;
        }
        if (rest > input.readerIndex()) {
            // In two parts, because a body in the first one says nothing of the second.
            clear();
            context.fireChannelRead(input.readRetainedSlice(rest - input.readerIndex()));
        }
        passRest(context, input);
    }

    private void passRest(ChannelHandlerContext context, ByteBuf input) {
        // Before it is passed on: the decoder releases it.
        long moreBytes = input.readableBytes();
        long moreLines = linesBehind;
        int lineEnd = lineEnd(input);
        boolean endsInCr = input.getByte(input.writerIndex() - 1) == CR;
        counting = true;
        decodedBytes = 0;
        decodedLines = 0;
        context.fireChannelRead(input);
        counting = false;
        if (context.isRemoved()) {
            return;
        }
        if (decodedBytes > 0) {
            clear();
        }
        long left = moreBytes - decodedBytes;
        if (decodedBytes > 0 && left <= lineEnd) {
            // A line end behind a body or a chunk, which the decoder skips (RFC 9112 §2.2, §7.1).
            line = left == 1 && endsInCr ? Line.CR_ALONE : Line.EMPTY;
            return;
        }
        bytes += left;
        lines += Math.max(0, moreLines - decodedLines);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.fireChannelReadComplete();
        // TLS may pass bytes on after the read that brought them.
        connection.countHead();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        clear();
    }

    private void clear() {
        bytes = 0;
        lines = 0;
    }

    /** Returns how many bytes at the end are a line end, or the first half of one: 0 to 2. */
    private static int lineEnd(ByteBuf input) {
        int last = input.writerIndex() - 1;
        return switch (input.getByte(last)) {
            case LF -> last > input.readerIndex() && input.getByte(last - 1) == CR ? 2 : 1;
            case CR -> 1;
            default -> 0;
        };
    }

    /** Follows the lines, and returns the index behind the last empty one, or the first index. */
    private int endOfLastEmptyLine(ByteBuf input) {
        linesBehind = 0;
        int behind = input.readerIndex();
        int end = input.writerIndex();
        for (int at = behind; at < end; ) {
            int lf = input.indexOf(at, end, LF);
            int stop = lf < 0 ? end : lf;
            if (stop > at) {
                boolean cr = line == Line.EMPTY && stop == at + 1 && input.getByte(at) == CR;
                line = cr ? Line.CR_ALONE : Line.FILLED;
            }
            if (lf >= 0) {
                if (line == Line.FILLED) {
                    linesBehind++;
                } else {
                    behind = lf + 1;
                    linesBehind = 0;
                }
                line = Line.EMPTY;
            }
            at = stop + 1;
        }
        return behind;
    }

    private static long lines(ByteBuf input) {
        int end = input.writerIndex();
        long found = 0;
        int lf = input.indexOf(input.readerIndex(), end, LF);
        while (lf >= 0) {
            found++;
            lf = input.indexOf(lf + 1, end, LF);
        }
        return found;
    }
}
