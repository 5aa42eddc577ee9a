package dev.parley.broker.redis;

import dev.parley.broker.Epochs;
import dev.parley.broker.HistoryConfig;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import dev.parley.redis.RedisCommands;
import dev.parley.redis.Script;
import io.smallrye.mutiny.Uni;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;

/**
 * Reads pages of rooms' streams. Entries that somebody else wrote, and that are no messages, are
 * passed over: a page with nothing else is read on from, until it has what a page has to have.
 */
final class RedisHistory {

    private static final Logger LOG = Logger.getLogger(RedisHistory.class);

    /** Text in one page: what a reader that catches up costs at a time. */
    private static final int PAGE_BYTES = 256 * 1024;

    /** Entries asked for at a time beyond those that are no messages. */
    private static final int MIN_PAGE = 64;

    /** Offsets above it are not exact in Lua, whose numbers are doubles. */
    private static final long MAX_OFFSET = 1L << 53;

    private final RedisCommands commands;
    private final RedisKeys keys;
    private final HistoryConfig retention;

    /** Whether an entry was met that somebody else wrote. */
    private final AtomicBoolean strangers = new AtomicBoolean();

    RedisHistory(RedisCommands commands, RedisKeys keys, HistoryConfig retention) {
        this.commands = commands;
        this.keys = keys;
        this.retention = retention;
    }

    Uni<Page> read(Room room, Range range) {
        return part(room, range)
                .flatMap(
                        part ->
                                isTooShort(part, range)
                                        ? readOn(room, range, part)
                                        : Uni.createFrom().item(part.page()));
    }

    private Uni<RedisMessageCodec.Part> part(Room room, Range range) {
        boolean after = range instanceof Range.After;
        List<String> args =
                List.of(
                        after ? "after" : "before",
                        Long.toString(Math.min(position(range), MAX_OFFSET)),
                        Integer.toString(range.limit()),
                        Integer.toString(PAGE_BYTES),
                        Epochs.next(),
                        Long.toString(retention.age().toMillis()));
        return commands.run(Script.READ, List.of(keys.head(room), keys.log(room)), args)
                .map(reply -> RedisMessageCodec.part(room, reply, id -> passedOver(room, id)));
    }

    private static long position(Range range) {
        return range instanceof Range.After after
                ? after.offset()
                : ((Range.Before) range).offset();
    }

    /** Said once: an entry stays where it is, and is met by every read. */
    private void passedOver(Room room, EventId id) {
        if (strangers.compareAndSet(false, true)) {
            LOG.warnf(
                    "room %s: entry %s of its stream in Redis is no message and is passed over, as"
                            + " all such are: something else than Parley writes there",
                    room, id);
        }
    }

    /** Whether holes alone keep the page from having what a page has if there is anything left. */
    private static boolean isTooShort(RedisMessageCodec.Part part, Range range) {
        return part.holes() > 0 && part.page().messages().size() < Math.min(2, range.limit());
    }

    /** What is beyond the holes, with the message that may have been found before them. */
    private Uni<Page> readOn(Room room, Range range, RedisMessageCodec.Part part) {
        int limit = Math.max(range.limit(), MIN_PAGE);
        Range rest =
                range instanceof Range.After
                        ? new Range.After(part.last(), limit)
                        : new Range.Before(part.last(), limit);
        return read(room, rest).map(page -> joined(part.page(), page, range));
    }

    private static Page joined(Page found, Page rest, Range range) {
        List<StoredMessage> messages = new ArrayList<>(rest.messages());
        boolean after = range instanceof Range.After;
        if (found.epoch().equals(rest.epoch())) {
            messages.addAll(after ? 0 : messages.size(), found.messages());
        }
        int beyond = Math.max(0, messages.size() - range.limit());
        List<StoredMessage> asked =
                after
                        ? messages.subList(0, messages.size() - beyond)
                        : messages.subList(beyond, messages.size());
        return new Page(rest.epoch(), rest.oldest(), rest.newest(), asked);
    }
}
