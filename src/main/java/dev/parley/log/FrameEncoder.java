package dev.parley.log;

import dev.parley.message.StoredMessage;

/** Turns a message into the bytes in which a stream carries it. */
public interface FrameEncoder {

    /** Encodes a message under its id. The result is shared by all readers and never changed. */
    byte[] encode(StoredMessage message, Format format);
}
