package dev.parley.delivery;

/** The transport's end of a stream: takes bytes for one client. Used on its event loop only. */
public interface Connection {

    /**
     * Tells whether bytes are accepted now. After a false, {@link #onDrain} tells of the change.
     */
    boolean isWritable();

    /** Sends bytes, which are not changed afterwards and may be shared with other connections. */
    void write(byte[] bytes);

    /** Sends bytes that other connections of the event loop are sent too. */
    default void write(SharedBuffer buffer) {
        write(buffer.bytes());
    }

    /** Sends the last bytes and ends the stream in good order. */
    void end(byte[] last);

    /** Ends the stream at once; what the client has not taken is lost. */
    void abort();

    /**
     * Sets what is called when the connection accepts bytes again, which may happen inside {@code
     * write}.
     */
    void onDrain(Runnable handler);
}
