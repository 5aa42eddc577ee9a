package dev.parley.delivery;

import dev.parley.log.Format;
import dev.parley.log.FrameEncoder;
import dev.parley.message.EventId;
import dev.parley.message.Message;

/** Turns everything that a stream says into bytes: messages, and the words about the stream. */
public interface StreamEncoder extends FrameEncoder {

    /** Encodes the first bytes of a stream. */
    byte[] opening();

    /** Encodes a message without an id, which a client does not remember as its position. */
    byte[] plain(Message message, Format format);

    /**
     * Encodes the position from which a client resumes if it receives nothing more.
     *
     * @param id a position, or what the client itself gave as one; one line without NUL
     */
    byte[] position(String id);

    /** Encodes the news that a reader continues where it was. */
    byte[] resumed(EventId from, long replayed);

    /** Encodes the news that messages between a reader's position and what follows are gone. */
    byte[] gap(Gap gap);

    /**
     * Encodes the last words of a stream that the server ends, with the pause that the client
     * should make before it comes back.
     */
    byte[] goodbye(DisconnectReason reason);

    /** Encodes a comment that keeps an idle stream alive through proxies. */
    byte[] heartbeat();
}
