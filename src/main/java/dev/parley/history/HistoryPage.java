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
 * @param before what to ask with for the messages before these; absent at the beginning
 * @param after what to ask with for the messages after these, also for those not yet there
 * @param gap whether messages next to the position that was asked with are gone
 */
@RegisterForReflection
@JsonInclude(JsonInclude.Include.NON_NULL)
public record HistoryPage(
        String room, List<Item> messages, @Nullable String before, String after, boolean gap) {

    /**
     * A message.
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
            return nothing(room, page.tail(), gap);
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

    /** The answer to a position before which the page lies, if it is one of the page's log. */
    static HistoryPage before(EventId position, Room room, Page page) {
        if (!page.epoch().equals(position.epoch())) {
            return nothing(room, page.tail(), true);
        }
        if (!page.messages().isEmpty()) {
            return of(room, page, false);
        }
        // Nobody who goes on from here may miss what comes after the position.
        long last = Math.min(Math.max(0, position.offset() - 1), page.newest());
        return nothing(room, new EventId(page.epoch(), last), last > 0);
    }

    private static HistoryPage nothing(Room room, EventId after, boolean gap) {
        return new HistoryPage(room.name(), List.of(), null, after.toString(), gap);
    }
}
