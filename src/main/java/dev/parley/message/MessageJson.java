package dev.parley.message;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.parley.message.Message.StoredMessage;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The JSON form of a message: an object of {@code id}, {@code room}, {@code from}, {@code
 * verified}, {@code text}, {@code event}, {@code at} and {@code expires} (RFC 3339, UTC, to the
 * millisecond). {@code from}, {@code event} and {@code expires} are absent where the message has
 * none, and {@code verified} is absent unless it is true. In the data of a stream's event {@code
 * id} is absent too, because it is in the event's {@code id} field.
 *
 * <p>A shorter object, the <em>body</em>, has {@code text}, {@code from}, {@code verified}, {@code
 * event} and {@code ttl} (seconds) only: the Redis broker stores room, id and time beside it.
 */
public final class MessageJson {

    /** The longest age that a room can keep messages, and so the longest ttl, in seconds. */
    private static final long MAX_TTL = Duration.ofDays(36_500).toSeconds();

    /** Keeps no names: another program can publish bodies with any number of names. */
    private static final JsonFactory JSON =
            JsonFactory.builder()
                    .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                    .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                    .build();

    /**
     * Writes each time with three digits after the second. {@link Instant#toString} leaves out
     * those of a whole second, which one message in a thousand has: programs that read times in one
     * form, or sort them as text, would fail for that one.
     */
    private static final DateTimeFormatter TIME =
            new DateTimeFormatterBuilder().appendInstant(3).toFormatter(Locale.ROOT);

    private MessageJson() {}

    /**
     * Writes a message without an id, as one line for each reader of a stream. Some programs take
     * NEL, LS and PS for ends of a line too, as Python's {@code str.splitlines} does, so these are
     * escaped. All others that it knows are, because they are below the space.
     */
    public static String write(Message message) {
        return object(message.text().length(), json -> writeFields(json, message))
                .replace("\u0085", "\\u0085")
                .replace("\u2028", "\\u2028")
                .replace("\u2029", "\\u2029");
    }

    /** Writes a message with its id, as the next value of a larger JSON document. */
    public static void write(JsonGenerator json, StoredMessage stored) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", stored.id().toString());
        writeFields(json, stored.message());
        json.writeEndObject();
    }

    /** Writes the body of a message: its text, sender, event type and lifetime. */
    public static String writeBody(Message message) {
        return object(
                message.text().length(),
                json -> {
                    json.writeStringField("text", message.text());
                    writeFrom(json, message);
                    writeEvent(json, message);
                    if (message.ttl().isPresent()) {
                        json.writeNumberField("ttl", message.ttl().get().toSeconds());
                    }
                });
    }

    /**
     * Reads what {@link #writeBody} wrote. Ignores fields with other names, so that a later version
     * may add some, and fields whose value has another type.
     *
     * @throws IllegalArgumentException if the body is not JSON, or its fields are not a valid
     *     message
     */
    public static Message readBody(Room room, Instant at, String body) {
        try (JsonParser json = JSON.createParser(body)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new IllegalArgumentException("body is not a JSON object");
            }
            String text = "";
            String from = null;
            boolean verified = false;
            String event = null;
            Duration ttl = null;
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                if (name.equals("ttl")) {
                    ttl = seconds(json);
                    continue;
                }
                if (name.equals("verified")) {
                    verified = isTrue(json);
                    continue;
                }
                String value = value(json);
                switch (name) {
                    case "text" -> text = value == null ? "" : value;
                    case "from" -> from = value;
                    case "event" -> event = value;
                    default -> {}
                }
            }
            return new Message(
                    room,
                    text,
                    Optional.ofNullable(from),
                    verified && from != null,
                    Optional.ofNullable(event).map(EventType::new),
                    at,
                    Optional.ofNullable(ttl));
        } catch (IOException e) {
            throw new IllegalArgumentException("body is not JSON", e);
        }
    }

    /** Returns the field's text; skips a value of any other type and returns null. */
    private static @Nullable String value(JsonParser json) throws IOException {
        if (json.nextToken() == JsonToken.VALUE_STRING) {
            return json.getText();
        }
        json.skipChildren();
        return null;
    }

    /** Tells whether the field is true; skips a value of any other type. */
    private static boolean isTrue(JsonParser json) throws IOException {
        JsonToken value = json.nextToken();
        json.skipChildren();
        return value == JsonToken.VALUE_TRUE;
    }

    /** Returns the field's seconds; skips a value of any other type and returns null. */
    private static @Nullable Duration seconds(JsonParser json) throws IOException {
        if (json.nextToken() == JsonToken.VALUE_NUMBER_INT) {
            long seconds = json.getLongValue();
            if (Math.abs(seconds) > MAX_TTL) {
                throw new IllegalArgumentException("ttl is longer than any age: " + seconds);
            }
            return Duration.ofSeconds(seconds);
        }
        json.skipChildren();
        return null;
    }

    private static void writeFields(JsonGenerator json, Message message) throws IOException {
        json.writeStringField("room", message.room().name());
        writeFrom(json, message);
        json.writeStringField("text", message.text());
        writeEvent(json, message);
        json.writeStringField("at", TIME.format(message.at()));
        if (message.expires().isPresent()) {
            json.writeStringField("expires", TIME.format(message.expires().get()));
        }
    }

    private static void writeFrom(JsonGenerator json, Message message) throws IOException {
        if (message.from().isPresent()) {
            json.writeStringField("from", message.from().get());
        }
        if (message.verified()) {
            json.writeBooleanField("verified", true);
        }
    }

    private static void writeEvent(JsonGenerator json, Message message) throws IOException {
        if (message.event().isPresent()) {
            json.writeStringField("event", message.event().get().name());
        }
    }

    private interface Fields {
        void write(JsonGenerator json) throws IOException;
    }

    private static String object(int textLength, Fields fields) {
        var written = new StringWriter(textLength + 128);
        try (JsonGenerator json = JSON.createGenerator(written)) {
            json.writeStartObject();
            fields.write(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return written.toString();
    }
}
