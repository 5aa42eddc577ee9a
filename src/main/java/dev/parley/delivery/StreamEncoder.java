package dev.parley.delivery;

import dev.parley.log.Format;
import dev.parley.log.FrameEncoder;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Room;
import java.time.Duration;
import java.util.List;

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
     * Encodes the position of a stream of several rooms.
     *
     * @param rooms the rooms that the stream reads
     * @param position as {@link dev.parley.message.StreamPosition} writes it
     */
    byte[] position(List<Room> rooms, String position);

    /**
     * Returns where the id of an encoded message ends, that is the index after its last byte. On a
     * stream that reads several rooms, the position in all of them takes the place of the id; the
     * other bytes are the same for all streams.
     *
     * @param encoded a message from {@link #encode}
     */
    int endOfId(byte[] encoded);

    /**
     * Encodes the event that says that a client continues in a room where it was.
     *
     * @param from the position that it continues from
     * @param replayed how many earlier messages follow before live ones, 0 or more
     */
    byte[] resumed(Room room, EventId from, long replayed);

    /**
     * Encodes the event that says that a client may not read a room which it asked for.
     *
     * @param reason a word
     */
    byte[] denied(Room room, String reason);

    /** Encodes the event that says that messages of a room after a client's position are gone. */
    byte[] gap(Room room, Gap gap);

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
