package dev.parley.http;

import dev.parley.http.ServerBounds.Bound;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.concurrent.TimeUnit;

/**
 * Bounds the TLS records of a connection that contain nothing for HTTP: after the handshake these
 * are a new handshake (renegotiation, TLS 1.2), a change of keys (KeyUpdate, RFC 8446 §4.6.3) and
 * empty records. A client sends a change of keys in 27 bytes, and the pod computes keys for it on
 * the event loop that serves other clients.
 *
 * <p>It counts the records that go into TLS, and as the handler behind TLS what comes out: one read
 * for each record that has content. Runs on the connection's event loop.
 */
final class TlsRecordGuard extends ChannelInboundHandlerAdapter {

    /** Far more than a client has, which changes its keys after millions of records. */
    static final int MAX_EMPTY_RECORDS = 100;

    /** Records that go into TLS before they are checked: one read has room for thousands. */
    private static final int RECORDS_IN_TURN = 50;

    private static final long PERIOD_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** Type, version and length (RFC 8446 §5.1). */
    private static final int RECORD_HEADER = 5;

    private final ServerBounds bounds;

    // The record that is arriving.

    private int headerBytes;
    private int length;
    private int payloadBytes;

    /** Complete records of this period, less those that had content. */
    private int empty;

    private long periodBegan = System.nanoTime();

    TlsRecordGuard(ServerBounds bounds) {
        this.bounds = bounds;
    }

    /**
     * Notes bytes that go into TLS, up to the last record of this turn.
     *
     * @return their number
     */
    int onInput(ByteBuf bytes) {
        int at = bytes.readerIndex();
        int records = 0;
        while (at < bytes.writerIndex() && records < RECORDS_IN_TURN) {
            if (headerBytes < RECORD_HEADER) {
                length = (length << 8 | bytes.getUnsignedByte(at++)) & 0xFFFF;
                headerBytes++;
            } else {
                int part = Math.min(length - payloadBytes, bytes.writerIndex() - at);
                at += part;
                payloadBytes += part;
            }
            if (headerBytes == RECORD_HEADER && payloadBytes == length) {
                headerBytes = 0;
                payloadBytes = 0;
                empty++;
                records++;
            }
        }
        return at - bytes.readerIndex();
    }

    /** Returns the bytes of the record that has not come completely, which TLS holds. */
    int incomplete() {
        return headerBytes + payloadBytes;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        empty--;
        context.fireChannelRead(message);
    }

    /**
     * Cuts the connection above the number. To be called when TLS has read what was noted.
     *
     * @param established whether the first handshake has succeeded, which {@link TlsHandshake}
     *     bounds otherwise
     * @return whether the connection goes on
     */
    boolean check(ChannelHandlerContext context, boolean established) {
        long now = System.nanoTime();
        // Negative if records waited for the handshake.
        if (!established || empty < 0 || now - periodBegan > PERIOD_NANOS) {
            empty = 0;
            periodBegan = now;
        } else if (empty > MAX_EMPTY_RECORDS) {
            bounds.onMet(Bound.TLS_RECORDS);
            ConnectionGuard.cut(context.channel());
            return false;
        }
        return true;
    }
}
