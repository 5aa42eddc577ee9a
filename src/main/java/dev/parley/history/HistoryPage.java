package dev.parley.history;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.parley.broker.Page;
import dev.parley.message.EventId;
import dev.parley.message.EventType;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A page of history as JSON.
 *
 * @param messages oldest first
 * @param before the id to ask with for the messages before these; absent at the beginning
 * @param after the id to ask with for the messages after these, published already or later
 * @param gap whether messages next to the position in the request are gone
 */
@RegisterForReflection
@JsonInclude(JsonInclude.Include.NON_NULL)
public record HistoryPage(
        String room, List<Item> messages, @Nullable String before, String after, boolean gap) {

    /**
     * One message of the page.
     *
     * @param at RFC 3339, UTC
     */
    @RegisterForReflection
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Item(
            String id,
            String room,
            @Nullable String from,
            String text,
            @Nullable String event,
            String at) {

        static Item of(StoredMessage stored) {
            var message = stored.message();
            return new Item(
                    stored.id().toString(),
                    message.room().name(),
                    message.from().orElse(null),
                    message.text(),
                    message.event().map(EventType::name).orElse(null),
                    message.at().toString());
        }
    }

    static HistoryPage of(Room room, Page page, boolean gap) {
        List<StoredMessage> messages = page.messages();
        if (messages.isEmpty()) {
            return empty(room, page.tail(), gap);
        }
        EventId first = messages.get(0).id();
        EventId last = messages.get(messages.size() - 1).id();
        return new HistoryPage(
                room.name(),
                messages.stream().map(Item::of).toList(),
                first.offset() > page.oldest() ? first.toString() : null,
                last.toString(),
                gap);
    }

    /**
     * Answers a request for the messages before a position.
     *
     * @param position as requested, perhaps from another epoch than the page's
     */
    static HistoryPage before(EventId position, Room room, Page page) {
        if (!page.lineage().includes(position, Long.MAX_VALUE)) {
            return empty(room, page.tail(), true);
        }
        if (!page.messages().isEmpty()) {
            return of(room, page, false);
        }
        // A client that reads on from here must not miss the message at the position itself.
        long last = Math.min(Math.max(0, position.offset() - 1), page.newest());
        return empty(room, page.lineage().idAt(last), last > 0);
    }

    private static HistoryPage empty(Room room, EventId after, boolean gap) {
        return new HistoryPage(room.name(), List.of(), null, after.toString(), gap);
    }
}
