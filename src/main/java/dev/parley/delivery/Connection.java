package dev.parley.delivery;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A client's connection, as the transport provides it. Used on its event loop only. */
public interface Connection {

    /**
     * Tells whether the connection accepts bytes now. If not, the handler of {@link #onDrain} is
     * called when it does again.
     */
    boolean isWritable();

    /**
     * Tells whether more bytes may wait in memory for this client alone. Such bytes are mostly what
     * it is behind; their sum over all clients has a bound, and that of an address too. If not, the
     * stream asks again later.
     */
    default boolean mayBeSentBacklog() {
        return true;
    }

    /**
     * Tells whether bytes that other connections send too are made anew for this one, as encryption
     * does. While they wait, they are in memory for this client alone.
     */
    default boolean copiesShared() {
        return false;
    }

    /** Tells whether bytes wait that are in memory for this client alone. */
    default boolean holdsBacklog() {
        return false;
    }

    /**
     * Returns a count that changes whenever the client takes some of the bytes that wait in memory.
     */
    default long taken() {
        return 0;
    }

    /**
     * Sends bytes, which may be shared with other connections and are never changed. While the
     * connection is not writable, they wait in memory; once it has closed, they are dropped. Must
     * not be called after {@link #end} or {@link #cut}.
     */
    void write(byte[] bytes);

    /** Sends bytes that other connections of the event loop send too. */
    default void write(SharedBuffer buffer) {
        write(buffer.bytes());
    }

    /**
     * Sends the last bytes, and ends the stream as the protocol prescribes.
     *
     * @param last may be empty
     */
    void end(byte[] last);

    /** Closes the connection at once; bytes that the client has not taken are lost. */
    void cut();

    /**
     * Sets the handler that is called when the connection accepts bytes again. It may be called
     * inside {@code write}.
     */
    void onDrain(Runnable handler);

    /**
     * Bytes that are sent to many connections of one event loop. A transport may need them in
     * another form, such as a chunk in native memory; that form is made once and shared too. Used
     * on that event loop only.
     */
    final class SharedBuffer implements AutoCloseable {

        /** The bytes in the form in which a transport sends them. */
        public interface Prepared {

            /** Releases the memory. Writes that are under way keep it until they are done. */
            void release();
        }

        private final byte[] bytes;
        private @Nullable Prepared prepared;

        SharedBuffer(byte[] bytes) {
            this.bytes = bytes;
        }

        /** Returns the bytes. The caller must not change them. */
        public byte[] bytes() {
            return bytes;
        }

        /**
         * Returns the bytes in a transport's form. The buffer owns the result.
         *
         * @param type the class of that form; all callers must use the same
         * @param prepare makes that form; called at most once
         */
        public <P extends Prepared> P prepared(Class<P> type, Function<byte[], P> prepare) {
            Prepared known = prepared;
            if (known == null) {
                known = prepare.apply(bytes);
                prepared = known;
            }
            return type.cast(known);
        }

        /** Releases the transport's form. */
        @Override
        public void close() {
            if (prepared != null) {
                prepared.release();
                prepared = null;
            }
        }
    }
}
