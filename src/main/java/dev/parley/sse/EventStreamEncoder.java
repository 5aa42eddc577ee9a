package dev.parley.sse;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.parley.delivery.DisconnectReason;
import dev.parley.delivery.Format;
import dev.parley.delivery.FrameEncoder;
import dev.parley.delivery.Gap;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.StoredMessage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Writes the event stream format (WHATWG HTML §9.2.5), UTF-8 without a byte order mark.
 *
 * <p>Every field is written with one space after its colon: a parser drops one, and without it
 * would drop a leading space of the value. Data is one {@code data} field a line, also for an empty
 * last one.
 */
public final class EventStreamEncoder implements FrameEncoder {

    /**
     * Not a block: by the letter, the end of one before the first id would make a browser forget
     * its id.
     */
    private static final byte[] HEARTBEAT = utf8(":\n");

    private final ObjectMapper json = new ObjectMapper();
    private final long minRetryMillis;
    private final long maxRetryMillis;

    /**
     * Every stream is told to pause for a time between these before it reconnects, drawn anew each
     * time, so that those who are cut off together come back spread.
     */
    public EventStreamEncoder(Duration minRetry, Duration maxRetry) {
        this.minRetryMillis = minRetry.toMillis();
        this.maxRetryMillis = Math.max(minRetryMillis, maxRetry.toMillis());
    }

    @Override
    public byte[] opening() {
        return utf8(": connected\n" + retry());
    }

    @Override
    public byte[] message(StoredMessage message, Format format) {
        return event(message.id().toString(), message.message(), format);
    }

    @Override
    public byte[] plain(Message message, Format format) {
        return event(null, message, format);
    }

    @Override
    public byte[] position(String id) {
        return utf8("id: " + requireOneLine(id) + "\n\n");
    }

    @Override
    public byte[] resumed(EventId from, long replayed) {
        ObjectNode data =
                json.createObjectNode().put("from", from.toString()).put("replayed", replayed);
        return utf8("event: resumed\n" + data(data.toString()) + "\n");
    }

    @Override
    public byte[] gap(Gap gap) {
        ObjectNode data =
                json.createObjectNode()
                        .put("requested", gap.requested())
                        .put("oldest", gap.oldest().map(EventId::toString).orElse(null))
                        .put("newest", gap.newest().toString());
        return utf8("event: gap\n" + data(data.toString()) + "\n");
    }

    @Override
    public byte[] goodbye(DisconnectReason reason) {
        ObjectNode data = json.createObjectNode().put("reason", reason.label());
        return utf8(retry() + "event: goodbye\n" + data(data.toString()) + "\n");
    }

    @Override
    public byte[] heartbeat() {
        return HEARTBEAT.clone();
    }

    private byte[] event(@Nullable String id, Message message, Format format) {
        var block = new StringBuilder(message.text().length() + 64);
        if (id != null) {
            block.append("id: ").append(id).append('\n');
        }
        message.event().ifPresent(type -> block.append("event: ").append(type).append('\n'));
        block.append(data(format == Format.TEXT ? message.text() : asJson(message)));
        return utf8(block.append('\n').toString());
    }

    private String asJson(Message message) {
        ObjectNode object = json.createObjectNode().put("room", message.room().name());
        message.from().ifPresent(from -> object.put("from", from));
        object.put("text", message.text());
        message.event().ifPresent(event -> object.put("event", event.name()));
        return object.put("at", message.at().toString()).toString();
    }

    private static String requireOneLine(String value) {
        if (value.chars().anyMatch(c -> c == 0 || c == '\r' || c == '\n')) {
            throw new IllegalArgumentException("a field is one line without NUL");
        }
        return value;
    }

    private String retry() {
        long pause = ThreadLocalRandom.current().nextLong(minRetryMillis, maxRetryMillis + 1);
        return "retry: " + pause + "\n";
    }

    /** Lines of a message end in LF alone, so nothing else has to be looked for. */
    private static String data(String text) {
        return "data: " + text.replace("\n", "\ndata: ") + "\n";
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
