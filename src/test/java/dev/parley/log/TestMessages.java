package dev.parley.log;

import dev.parley.broker.Lineage;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Messages of the epoch {@code e}, and an encoder, for tests without a broker. */
public final class TestMessages {

    /** Writes a message as one line: its id and its text. */
    public static final FrameEncoder LINES =
            (message, format) ->
                    (message.id() + " " + message.message().text() + "\n")
                            .getBytes(StandardCharsets.UTF_8);

    private TestMessages() {}

    public static StoredMessage message(long offset) {
        return message(offset, "text" + offset);
    }

    /** A frame whose message is accepted now. */
    public static RoomLog.Frame frame(long offset, String text) {
        return new RoomLog.Frame(message(offset, text), LINES, System.nanoTime());
    }

    /** A frame whose message has expired. */
    public static RoomLog.Frame expiredFrame(long offset) {
        return briefFrame(offset, System.nanoTime() - Duration.ofSeconds(1).toNanos());
    }

    /** A frame whose message expires a second after it was accepted. */
    static RoomLog.Frame briefFrame(long offset, long acceptedNanos) {
        var brief =
                new Message(
                        ScriptedBroker.ROOM,
                        "brief",
                        Optional.empty(),
                        Optional.empty(),
                        Instant.EPOCH,
                        Optional.of(Duration.ofSeconds(1)));
        return new RoomLog.Frame(
                new StoredMessage(new EventId("e", offset), brief), LINES, acceptedNanos);
    }

    /** Appends a message that has expired. */
    public static void appendExpired(RoomLog log) {
        log.append(expiredFrame(log.head() + 1));
    }

    public static StoredMessage message(long offset, String text) {
        var message = Message.of(ScriptedBroker.ROOM, text, Instant.EPOCH);
        return new StoredMessage(new EventId("e", offset), message);
    }

    /** An empty log of the epoch {@code e} with room for a hundred messages. */
    public static RoomLog emptyLog() {
        return log(0, 100, 1 << 30, new RoomLog.Budget(1 << 30));
    }

    /** An empty log of the epoch {@code e} whose frames never grow too old. */
    static RoomLog log(long after, int capacity, long maxBytes, RoomLog.Budget budget) {
        return new RoomLog(
                Lineage.of("e"),
                after,
                capacity,
                maxBytes,
                budget,
                Long.MAX_VALUE,
                System::nanoTime);
    }

    /** Appends messages with texts of this length. */
    public static void append(RoomLog log, int count, int length) {
        for (int i = 0; i < count; i++) {
            log.append(frame(log.head() + 1, "x".repeat(length)));
        }
    }
}
