package dev.parley.log;

import dev.parley.message.Message.StoredMessage;

/** Encodes a message as the bytes of an event stream. */
public interface FrameEncoder {

    /** Encodes a message and its id. The result is written to many streams and never changed. */
    byte[] encode(StoredMessage message, Format format);
}
