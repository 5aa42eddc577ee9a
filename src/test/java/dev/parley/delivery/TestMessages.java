package dev.parley.delivery;

import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.StoredMessage;
import java.time.Instant;

/** Messages of the epoch {@code e}, for tests without a broker. */
final class TestMessages {

    private TestMessages() {}

    static StoredMessage message(long offset) {
        return message(offset, "text" + offset);
    }

    static Frame frame(long offset, String text) {
        return new Frame(message(offset, text), new LineEncoder());
    }

    private static StoredMessage message(long offset, String text) {
        var message = Message.of(ScriptedBroker.ROOM, text, Instant.EPOCH);
        return new StoredMessage(new EventId("e", offset), message);
    }
}
