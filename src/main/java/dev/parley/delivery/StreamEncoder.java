package dev.parley.delivery;

import dev.parley.log.Format;
import dev.parley.log.FrameEncoder;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Room;
import java.time.Duration;

/** Encodes everything that is written to a stream: messages, and the stream's control events. */
public interface StreamEncoder extends FrameEncoder {

    /** Encodes the first bytes of a stream. */
    byte[] opening();

    /** Encodes a message without an id, which does not change the client's position. */
    byte[] plain(Message message, Format format);

    /**
     * Encodes the position in a room from which a client resumes if it receives nothing more.
     *
     * @param id a position, or what the client gave as one; one line without NUL
     */
    byte[] position(Room room, String id);

    /**
     * Encodes the event that says that a client continues where it was.
     *
     * @param from the position that it continues from
     * @param replayed how many earlier messages follow before live ones, 0 or more
     */
    byte[] resumed(EventId from, long replayed);

    /** Encodes the event that says that messages after a client's position are gone. */
    byte[] gap(Gap gap);

    /**
     * Encodes the last event of a stream that the server ends, with the pause after which the
     * client should come back.
     */
    byte[] goodbye(DisconnectReason reason);

    /** Encodes a comment that keeps an idle stream alive through proxies. */
    byte[] heartbeat();

    /**
     * Encodes a heartbeat as an event, which a page can see.
     *
     * @param pause the longest time until the next one
     */
    byte[] heartbeatEvent(Duration pause);
}
