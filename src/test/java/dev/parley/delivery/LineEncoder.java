package dev.parley.delivery;

import dev.parley.log.Format;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Encodes each message and each control event as one line of words. */
final class LineEncoder implements StreamEncoder {

    static String message(StoredMessage message) {
        return message.id() + " " + message.message().text();
    }

    @Override
    public byte[] encode(StoredMessage message, Format format) {
        return line(message(message));
    }

    @Override
    public byte[] plain(Message message, Format format) {
        return line("plain " + message.text());
    }

    @Override
    public byte[] position(Room room, String id) {
        return line("at " + id);
    }

    @Override
    public byte[] opening() {
        return line("connected");
    }

    @Override
    public byte[] resumed(EventId from, long replayed) {
        return line("resumed " + from + " " + replayed);
    }

    @Override
    public byte[] gap(Gap gap) {
        String oldest = gap.oldest().map(EventId::toString).orElse("none");
        return line("gap " + gap.requested() + " " + oldest + " " + gap.newest());
    }

    @Override
    public byte[] goodbye(DisconnectReason reason) {
        return line("goodbye " + reason.label());
    }

    @Override
    public byte[] heartbeat() {
        return line("heartbeat");
    }

    @Override
    public byte[] heartbeatEvent(Duration pause) {
        return line("heartbeat event " + pause.toSeconds());
    }

    private static byte[] line(String text) {
        return (text + "\n").getBytes(StandardCharsets.UTF_8);
    }
}
