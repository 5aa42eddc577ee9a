package dev.parley.broker.redis;

import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import io.smallrye.mutiny.Uni;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;

/**
 * Reads pages of rooms' logs and skips foreign entries: those that another program wrote into the
 * stream and that are not messages. If a page has too few messages because of them, reads on from
 * where the page ended, until it has as many as {@link Range} demands.
 */
final class RedisHistory {

    private static final Logger LOG = Logger.getLogger(RedisHistory.class);

    /** Least number of entries to ask for when reading on. */
    private static final int MIN_PAGE = 64;

    private final ReadScript read;
    private final RedisKeys keys;
    private final AtomicBoolean warned = new AtomicBoolean();

    RedisHistory(ReadScript read, RedisKeys keys) {
        this.read = read;
        this.keys = keys;
    }

    Uni<Page> read(Room room, Range range) {
        return read.run(room, range)
                .invoke(result -> warnOfForeignEntries(room, result))
                .flatMap(
                        result ->
                                isTooShort(result, range)
                                        ? readOn(room, range, result)
                                        : Uni.createFrom().item(result.page()));
    }

    /** Warns once, because a foreign entry stays in the stream and is met by every read. */
    private void warnOfForeignEntries(Room room, ReadScript.Result result) {
        if (!result.foreign().isEmpty() && warned.compareAndSet(false, true)) {
            LOG.warnf(
                    "room %s: skipped entry %s of its Redis stream, which is not a message; another"
                            + " program writes to %s (said once)",
                    room, result.foreign().get(0), keys.log(room));
        }
    }

    /** Tells whether the page has too few messages because of foreign entries. */
    private static boolean isTooShort(ReadScript.Result result, Range range) {
        return !result.foreign().isEmpty()
                && result.page().messages().size() < Math.min(2, range.limit());
    }

    /** Reads what is beyond the foreign entries, and joins it with the message before them. */
    private Uni<Page> readOn(Room room, Range range, ReadScript.Result result) {
        int limit = Math.max(range.limit(), MIN_PAGE);
        Range rest =
                range instanceof Range.After
                        ? new Range.After(result.last(), limit)
                        : new Range.Before(result.last(), limit);
        return read(room, rest).map(page -> joined(result.page(), page, range));
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
