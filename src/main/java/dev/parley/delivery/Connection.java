package dev.parley.delivery;

/** A reader's end of the wire. Used on its event loop only. */
public interface Connection {

    /** Whether bytes are accepted now. After a false the drain handler tells of the change. */
    boolean isWritable();

    /** Sends bytes, which are not changed afterwards and may be shared with other connections. */
    void write(byte[] bytes);

    /** Sends bytes that other connections are sent too. */
    default void write(Payload payload) {
        write(payload.bytes());
    }

    /** Sends the last bytes and ends the stream in good order. */
    void end(byte[] last);

    /** Ends the stream at once; what the reader has not taken is lost. */
    void abort();

    /** To be called when the connection accepts bytes again, perhaps during a write. */
    void onDrain(Runnable handler);
}
