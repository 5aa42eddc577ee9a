package dev.parley.delivery;

/** A client's connection, as the transport provides it. Used on its event loop only. */
public interface Connection {

    /**
     * Tells whether bytes are accepted now. If not, the handler of {@link #onDrain} is called when
     * they are again.
     */
    boolean isWritable();

    /** Sends bytes, which may be shared with other connections and are never changed. */
    void write(byte[] bytes);

    /** Sends bytes that are sent to other connections of the event loop too. */
    default void write(SharedBuffer buffer) {
        write(buffer.bytes());
    }

    /** Sends the last bytes, of which there may be none, and ends the stream in good order. */
    void end(byte[] last);

    /** Closes the connection at once; bytes that the client has not taken are lost. */
    void abort();

    /**
     * Sets the handler that is called when the connection accepts bytes again. It may be called
     * inside {@code write}.
     */
    void onDrain(Runnable handler);
}
