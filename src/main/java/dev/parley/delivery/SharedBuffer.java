package dev.parley.delivery;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Bytes that are sent to many connections of one event loop. What a transport makes of them in
 * order to send them, such as a chunk in native memory, is made once and shared too. Used on that
 * event loop only.
 */
public final class SharedBuffer implements AutoCloseable {

    /** What a transport made of the bytes. */
    public interface Prepared {

        /** Gives its memory back once the last write is through. */
        void release();
    }

    private final byte[] bytes;
    private @Nullable Prepared prepared;

    SharedBuffer(byte[] bytes) {
        this.bytes = bytes;
    }

    /** The bytes; they must not be changed. */
    public byte[] bytes() {
        return bytes;
    }

    /**
     * Returns the bytes as a transport sends them. The buffer owns the result.
     *
     * @param type what the transport makes; all transports that ask must make the same
     * @param prepare makes it; called once
     */
    public <P extends Prepared> P prepared(Class<P> type, Function<byte[], P> prepare) {
        Prepared known = prepared;
        if (known == null) {
            known = prepare.apply(bytes);
            prepared = known;
        }
        return type.cast(known);
    }

    /** Releases what the transport made. */
    @Override
    public void close() {
        if (prepared != null) {
            prepared.release();
            prepared = null;
        }
    }
}
