package dev.parley.delivery;

import io.netty.buffer.ByteBuf;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Bytes that are sent to many connections of one event loop. What a transport makes of them to send
 * them is made once and shared too. Used on that loop only.
 */
public final class Payload implements AutoCloseable {

    private final byte[] bytes;
    private @Nullable ByteBuf framed;

    Payload(byte[] bytes) {
        this.bytes = bytes;
    }

    /** The bytes; not to be changed. */
    public byte[] bytes() {
        return bytes;
    }

    /**
     * The bytes as the transport sends them. It belongs to the payload: who writes it retains it.
     *
     * @param framing makes it, once; all transports that ask must frame alike
     */
    public ByteBuf framed(Function<byte[], ByteBuf> framing) {
        ByteBuf known = framed;
        if (known == null) {
            known = framing.apply(bytes);
            framed = known;
        }
        return known;
    }

    /** Gives the transport's memory back once the last write is through. */
    @Override
    public void close() {
        if (framed != null) {
            framed.release();
            framed = null;
        }
    }
}
