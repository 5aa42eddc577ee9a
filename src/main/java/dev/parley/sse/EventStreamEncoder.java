package dev.parley.sse;

import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.parley.delivery.DisconnectReason;
import dev.parley.delivery.Gap;
import dev.parley.delivery.StreamEncoder;
import dev.parley.log.Format;
import dev.parley.message.EventId;
import dev.parley.message.EventType;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.MessageJson;
import dev.parley.message.Room;
import dev.parley.retry.Backoff;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes the event stream format (WHATWG HTML §9.2.5), UTF-8 without a byte order mark.
 *
 * <p>Every field is written with one space after its colon. A parser drops one space there, which
 * otherwise would be the first character of a value that begins with a space. Each line of the data
 * is one {@code data} field, also an empty last line.
 *
 * <p>The {@code id} field is the last one of its block, and every block with an id has data. Some
 * clients remember an id as soon as its line has arrived: if it came first, a message that is cut
 * in the middle would count as received. Others ignore the id of a block without data, or deliver
 * such a block as an empty message.
 */
public final class EventStreamEncoder implements StreamEncoder {

    /**
     * A comment line without the empty line that would end a block. Per the HTML standard, a block
     * that ends before the first {@code id} field resets the browser's last event id.
     */
    private static final byte[] HEARTBEAT = utf8(":\n");

    /** Bytes after an id: the end of its line, and the empty line that ends the block. */
    private static final int BLOCK_END = 2;

    private final ObjectMapper json = new ObjectMapper();
    private final Duration minRetry;
    private final Duration maxRetry;

    /**
     * Sets the bounds of the pause that a client makes before it reconnects. A pause is drawn for
     * each stream, so that clients that were disconnected together come back spread out.
     *
     * @param maxRetry raised to {@code minRetry} if it is shorter
     */
    public EventStreamEncoder(Duration minRetry, Duration maxRetry) {
        this.minRetry = minRetry;
        this.maxRetry = maxRetry.compareTo(minRetry) < 0 ? minRetry : maxRetry;
    }

    @Override
    public byte[] opening() {
        return utf8(": connected\n" + retry());
    }

    @Override
    public byte[] encode(StoredMessage message, Format format) {
        return event(message.id().toString(), message.message(), format);
    }

    @Override
    public byte[] plain(Message message, Format format) {
        return event(null, message, format);
    }

    @Override
    public byte[] position(Room room, String id) {
        return position("\"room\":" + quoted(room.name()), id);
    }

    @Override
    public byte[] position(List<Room> rooms, String position) {
        return position(
                rooms.stream()
                        .map(room -> quoted(room.name()))
                        .collect(joining(",", "\"rooms\":[", "]")),
                position);
    }

    /** Every stream begins with it, so it is written without a tree of JSON nodes. */
    private static byte[] position(String rooms, String id) {
        return utf8(
                "event: position\n"
                        + ("data: {" + rooms + ",\"id\":" + quoted(id) + "}\n")
                        + ("id: " + requireOneLine(id) + "\n\n"));
    }

    @Override
    public int endOfId(byte[] encoded) {
        return encoded.length - BLOCK_END;
    }

    @Override
    public byte[] resumed(Room room, EventId from, long replayed) {
        ObjectNode data =
                json.createObjectNode()
                        .put("room", room.name())
                        .put("from", from.toString())
                        .put("replayed", replayed);
        return utf8("event: resumed\n" + dataFields(data.toString()) + "\n");
    }

    @Override
    public byte[] gap(Room room, Gap gap) {
        ObjectNode data =
                json.createObjectNode()
                        .put("room", room.name())
                        .put("requested", gap.requested())
                        .put("oldest", gap.oldest().map(EventId::toString).orElse(null))
                        .put("newest", gap.newest().toString());
        return utf8("event: gap\n" + dataFields(data.toString()) + "\n");
    }

    @Override
    public byte[] denied(Room room, String reason) {
        ObjectNode data = json.createObjectNode().put("room", room.name()).put("reason", reason);
        return utf8("event: denied\n" + dataFields(data.toString()) + "\n");
    }

    @Override
    public byte[] goodbye(DisconnectReason reason) {
        ObjectNode data = json.createObjectNode().put("reason", reason.label());
        return utf8(retry() + "event: goodbye\n" + dataFields(data.toString()) + "\n");
    }

    @Override
    public byte[] heartbeat() {
        return HEARTBEAT.clone();
    }

    @Override
    public byte[] heartbeatEvent(Duration pause) {
        ObjectNode data = json.createObjectNode();
        if (pause.toMillisPart() == 0) {
            data.put("seconds", pause.toSeconds());
        } else {
            data.put("seconds", pause.toMillis() / 1000.0);
        }
        return utf8("event: heartbeat\n" + dataFields(data.toString()) + "\n");
    }

    /** Writes a message as an event; without an id if it is null. */
    private byte[] event(@Nullable String id, Message message, Format format) {
        var block = new StringBuilder(message.text().length() + 64);
        message.event()
                .ifPresent(type -> block.append("event: ").append(onOneLine(type)).append('\n'));
        block.append(dataFields(data(message, format)));
        if (id != null) {
            block.append("id: ").append(id).append('\n');
        }
        return utf8(block.append('\n').toString());
    }

    /**
     * Returns a type without LS and PS, at which some programs end a line. A publisher cannot
     * choose such a type; stored messages may have one.
     */
    private static String onOneLine(EventType type) {
        return type.name().replace('\u2028', ' ').replace('\u2029', ' ');
    }

    private static String data(Message message, Format format) {
        return switch (format) {
            case TEXT -> message.text();
            case JSON -> MessageJson.write(message);
        };
    }

    private static String requireOneLine(String value) {
        if (value.indexOf('\0') >= 0 || value.indexOf('\r') >= 0 || value.indexOf('\n') >= 0) {
            throw new IllegalArgumentException("a field is one line without NUL");
        }
        return value;
    }

    /** Writes a text as a JSON string. */
    private static String quoted(String text) {
        var written = new StringBuilder(text.length() + 2).append('"');
        JsonStringEncoder.getInstance().quoteAsString(text, written);
        return written.append('"').toString();
    }

    private String retry() {
        return "retry: " + Backoff.between(minRetry, maxRetry).toMillis() + "\n";
    }

    /** Writes a data field for each line of a text whose lines end in LF. */
    private static String dataFields(String text) {
        return "data: " + text.replace("\n", "\ndata: ") + "\n";
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
