package dev.parley.delivery;

import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.StoredMessage;

/** Turns what the hub has to say into the bytes of a stream. */
public interface FrameEncoder {

    /** A message, under its id. */
    byte[] message(StoredMessage message, Format format);

    /** A message without id, which is not remembered. */
    byte[] plain(Message message, Format format);

    /**
     * Where a reader stands; dispatches nothing, but is what it resumes from.
     *
     * @param id a position, or what the reader itself gave as one
     */
    byte[] position(String id);

    /** A reader continues where it was; this many messages follow at once. */
    byte[] resumed(EventId from, long replayed);

    /** A reader's position is no longer, or never was, in the log. */
    byte[] gap(Gap gap);

    /** The first bytes of a stream. */
    byte[] opening();

    /**
     * The last words of a stream that the server ends, with the pause to make before coming back.
     */
    byte[] goodbye(DisconnectReason reason);

    /** Silence, made audible. */
    byte[] heartbeat();
}
