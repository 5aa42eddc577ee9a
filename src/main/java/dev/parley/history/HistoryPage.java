package dev.parley.history;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import dev.parley.broker.Page;
import dev.parley.message.EventId;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.MessageJson;
import dev.parley.message.MessageSize;
import dev.parley.message.Room;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.io.IOException;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.media.SchemaProperty;
import org.jspecify.annotations.Nullable;

/**
 * A page of history as JSON.
 *
 * @param room the name of the room
 * @param messages oldest first, each as {@link MessageJson} writes it, without those that have
 *     expired
 * @param before the id to ask with for the messages before these; absent at the beginning
 * @param after the id to ask with for the messages after these, published already or later
 * @param gap whether messages are gone that followed the position in the request, or with {@code
 *     before} preceded it: next to it, whatever is retained beyond them
 */
@RegisterForReflection
@JsonInclude(JsonInclude.Include.NON_NULL)
public record HistoryPage(
        String room,
        @JsonSerialize(contentUsing = MessageSerializer.class)
                @Schema(type = SchemaType.ARRAY, implementation = MessageSchema.class)
                List<StoredMessage> messages,
        @Nullable String before,
        String after,
        boolean gap) {

    /**
     * The JSON around the values of a message, or of the page, in bytes at most: names, ids and
     * times.
     */
    private static final int JSON_BYTES = 300;

    /** Has the messages of the page written in the one JSON form that messages have. */
    @RegisterForReflection
    static final class MessageSerializer extends JsonSerializer<StoredMessage> {

        @Override
        public void serialize(StoredMessage stored, JsonGenerator json, SerializerProvider provider)
                throws IOException {
            MessageJson.write(json, stored);
        }
    }

    /** Describes what {@link MessageJson} writes, for the API description. */
    @Schema(
            name = "Message",
            type = SchemaType.OBJECT,
            requiredProperties = {"id", "room", "text", "at"},
            properties = {
                @SchemaProperty(name = "id", type = SchemaType.STRING),
                @SchemaProperty(name = "room", type = SchemaType.STRING),
                @SchemaProperty(name = "from", type = SchemaType.STRING),
                @SchemaProperty(
                        name = "verified",
                        type = SchemaType.BOOLEAN,
                        description = "true if a token proved who from is"),
                @SchemaProperty(name = "text", type = SchemaType.STRING),
                @SchemaProperty(name = "event", type = SchemaType.STRING),
                @SchemaProperty(name = "at", type = SchemaType.STRING, format = "date-time"),
                @SchemaProperty(name = "expires", type = SchemaType.STRING, format = "date-time")
            })
    private interface MessageSchema {}

    /**
     * Answers with a page.
     *
     * @param gap as in the record
     */
    static HistoryPage of(Room room, Page page, boolean gap) {
        List<StoredMessage> messages = page.messages();
        if (messages.isEmpty()) {
            return empty(room, page.tail(), gap);
        }
        EventId first = messages.get(0).id();
        EventId last = messages.get(messages.size() - 1).id();
        return new HistoryPage(
                room.name(),
                messages.stream().filter(message -> !page.isExpired(message)).toList(),
                first.offset() > page.oldest() ? first.toString() : null,
                last.toString(),
                gap);
    }

    /**
     * Answers a request for the messages before a position.
     *
     * @param position as requested, perhaps from another epoch than the page's
     * @param gap as in the record, if the page has messages
     */
    static HistoryPage before(EventId position, Room room, Page page, boolean gap) {
        if (!page.lineage().includes(position, Long.MAX_VALUE)) {
            return empty(room, page.tail(), true);
        }
        if (!page.messages().isEmpty()) {
            return of(room, page, gap);
        }
        // A client that reads on from here must not miss the message at the position itself.
        long last = lastBefore(position, page);
        return empty(room, page.lineage().idAt(last), last > 0);
    }

    /**
     * Tells whether the messages that followed a position in the log are gone: another program
     * deleted them.
     *
     * @param read the page after the position, with its messages that have expired. They are not
     *     gone: they keep their places, and a client steps over them without a gap.
     */
    static boolean isGapAfter(EventId position, Page read) {
        List<StoredMessage> messages = read.messages();
        return messages.isEmpty()
                ? position.offset() < read.newest()
                : position.offset() + 1 < messages.get(0).offset();
    }

    /**
     * Tells the same of those before a position.
     *
     * @param read the page before the position, with its messages that have expired
     */
    static boolean isGapBefore(EventId position, Page read) {
        List<StoredMessage> messages = read.messages();
        long last = messages.isEmpty() ? 0 : messages.get(messages.size() - 1).offset();
        return last < lastBefore(position, read);
    }

    /** Returns the offset of the last message that was counted before a position. */
    private static long lastBefore(EventId position, Page page) {
        return Math.min(Math.max(0, position.offset() - 1), page.newest());
    }

    /** Estimates the length of the page as JSON, in bytes. The page is not longer. */
    long length() {
        return JSON_BYTES
                + messages.stream()
                        .mapToLong(stored -> JSON_BYTES + MessageSize.encoded(stored.message()))
                        .sum();
    }

    /** Answers without messages. */
    private static HistoryPage empty(Room room, EventId after, boolean gap) {
        return new HistoryPage(room.name(), List.of(), null, after.toString(), gap);
    }
}
