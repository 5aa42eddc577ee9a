package dev.parley.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the first request of a connection as the bytes that have come, while it waits for its turn
 * because many ask for streams in the same moment ({@link OpeningTurn}). It is the first handler of
 * a connection, and leaves it with the first bytes that it passes on.
 *
 * <p>A request that has been read is some five kilobytes of objects, those of the connection
 * included. In a native executable the collector has one thread, and copies all objects that are in
 * use when the young generation is full. When thousands of clients connect together, that was half
 * of the CPU of a connection. What waits as bytes is two hundred of them.
 *
 * <p>On a JVM it is not used: there a connection of such a storm took a tenth to a fifth more CPU
 * with it, perhaps because the compiler has code ready sooner if all requests are read first and
 * served then.
 *
 * <p>With TLS or HTTP/2 the first bytes are others, and nothing is kept. Then, and behind the first
 * request, {@link StreamOpenings} makes requests wait. What is kept needs no bound of its own: it
 * is at most {@link #MAX_BYTES} for each of {@code parley.limits.sockets}.
 */
final class WaitingOpening extends ChannelInboundHandlerAdapter {

    /**
     * A first read above this is passed on at once. A browser's request is below, cookies included.
     */
    static final int MAX_BYTES = 2048;

    /** A path that only begins like this one may wait too: it is answered in its turn. */
    private static final byte[] BEGINNING =
            ("GET " + Endpoint.EVENTS.path()).getBytes(StandardCharsets.US_ASCII);

    private final Supplier<OpeningTurn> turns;
    private byte @Nullable [] request;

    /**
     * @param turns returns the turn of the connection's event loop, on that loop
     */
    WaitingOpening(Supplier<OpeningTurn> turns) {
        this.turns = turns;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        OpeningTurn turn = turns.get();
        if (request == null
                && turn.isOver()
                && message instanceof ByteBuf bytes
                && isOpening(bytes)) {
            request = ByteBufUtil.getBytes(bytes);
            bytes.release();
            turn.awaitAsBytes(() -> passInTurn(context));
        } else {
            pass(context);
            context.fireChannelRead(message);
        }
    }

    private void passInTurn(ChannelHandlerContext context) {
        // Removed if the client has closed the connection, or sent more.
        if (!context.isRemoved()) {
            pass(context);
            context.fireChannelReadComplete();
        }
    }

    private void pass(ChannelHandlerContext context) {
        context.pipeline().remove(this);
        byte[] waited = request;
        request = null;
        if (waited != null) {
            context.fireChannelRead(context.alloc().ioBuffer(waited.length).writeBytes(waited));
        }
    }

    private static boolean isOpening(ByteBuf bytes) {
        int at = bytes.readerIndex();
        if (bytes.readableBytes() < BEGINNING.length || bytes.readableBytes() > MAX_BYTES) {
            return false;
        }
        for (int i = 0; i < BEGINNING.length; i++) {
            if (bytes.getByte(at + i) != BEGINNING[i]) {
                return false;
            }
        }
        return true;
    }
}
