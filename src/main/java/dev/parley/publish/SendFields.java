package dev.parley.publish;

import dev.parley.message.EventType;
import dev.parley.message.InvalidRequest;
import dev.parley.message.Message;
import dev.parley.message.Room;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A message as a publisher wrote it, not looked at yet. Absent and empty mean the same.
 *
 * @param msg the text
 * @param room where to say it, the lobby if absent
 * @param from who says it
 * @param event the type to dispatch it as, {@code message} if absent
 */
record SendFields(
        @Nullable String msg,
        @Nullable String room,
        @Nullable String from,
        @Nullable String event) {

    /** This one; what it leaves out is taken from another. */
    SendFields orElse(SendFields other) {
        return new SendFields(
                first(msg, other.msg),
                first(room, other.room),
                first(from, other.from),
                first(event, other.event));
    }

    /**
     * The message that it stands for.
     *
     * @throws InvalidRequest if it can not be published as it is
     * @throws TextTooLarge if the text is longer than the limit
     */
    Message message(long maxBytes, Instant at) {
        String text = given(msg).orElseThrow(() -> new InvalidRequest("msg missing"));
        if (Utf8.length("msg", text) > maxBytes) {
            throw new TextTooLarge(maxBytes);
        }
        given(from).ifPresent(name -> Utf8.length("from", name));
        given(event).ifPresent(name -> Utf8.length("event", name));
        return new Message(
                given(room).map(Room::new).orElse(Room.LOBBY),
                text,
                given(from),
                given(event).map(EventType::new),
                at.truncatedTo(ChronoUnit.MILLIS));
    }

    private static @Nullable String first(@Nullable String one, @Nullable String other) {
        return given(one).isPresent() ? one : other;
    }

    private static Optional<String> given(@Nullable String value) {
        return Optional.ofNullable(value).filter(v -> !v.isEmpty());
    }
}
