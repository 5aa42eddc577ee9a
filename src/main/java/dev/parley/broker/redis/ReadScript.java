package dev.parley.broker.redis;

import dev.parley.broker.HistoryBounds;
import dev.parley.broker.Lineage;
import dev.parley.broker.LostHistories;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.broker.RoomHistories;
import dev.parley.message.EventId;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.MessageJson;
import dev.parley.message.Room;
import dev.parley.redis.RedisCommands;
import dev.parley.redis.RedisConnections;
import io.smallrye.mutiny.Uni;
import io.vertx.redis.client.Response;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;

/**
 * {@code read.lua}: reads a page of a room's log. Foreign entries, which another program wrote into
 * the Redis stream and which are not messages, are skipped. If a page has too few messages because
 * of them, further pages are read until it has as many as {@link Range} promises.
 */
final class ReadScript {

    private static final Logger LOG = Logger.getLogger(ReadScript.class);

    static final RedisCommands.Script SCRIPT =
            RedisCommands.Script.load(ReadScript.class, "read.lua");

    /** The epoch of a room that has no head: no message was published in it. */
    static final String EMPTY_EPOCH = "0";

    /**
     * Bytes of bodies in one page, about. Bounds what a stream that catches up, or a request for
     * history, takes of memory.
     */
    private static final int PAGE_BYTES = 256 * 1024;

    /** The fewest entries to ask for when reading on beyond foreign ones. */
    private static final int MIN_PAGE = 64;

    /** Offsets above it are not exact in Lua, whose numbers are doubles. */
    private static final long MAX_OFFSET = 1L << 53;

    private final RedisConnections redis;
    private final RedisKeys keys;
    private final RoomHistories histories;
    private final LostHistories lost;
    private final AtomicBoolean warnedOfForeignEntries = new AtomicBoolean();

    /**
     * The page, and the entries that were skipped.
     *
     * @param foreign offsets of entries that another program wrote: their ids have the form that
     *     Parley gives, but their content is not a message
     * @param last offset of the entry that was read last; 0 if there was none
     * @param lostLog whether the log is gone before its time, and no script noticed it before
     */
    private record Result(Page page, List<Long> foreign, long last, boolean lostLog) {}

    /**
     * @param lost takes the rooms whose log is gone
     */
    ReadScript(
            RedisConnections redis, RedisKeys keys, RoomHistories histories, LostHistories lost) {
        this.redis = redis;
        this.keys = keys;
        this.histories = histories;
        this.lost = lost;
    }

    /** Reads a page. Fails with {@link dev.parley.redis.RedisUnavailable}. */
    Uni<Page> run(Room room, Range range) {
        return readOnce(room, range)
                .invoke(result -> noteLoss(room, result))
                .invoke(result -> warnOfForeignEntries(room, result))
                .flatMap(
                        result ->
                                isTooShort(result, range)
                                        ? readOn(room, range, result)
                                        : Uni.createFrom().item(result.page()));
    }

    private Uni<Result> readOnce(Room room, Range range) {
        HistoryBounds bounds = histories.bounds(room);
        List<String> args =
                List.of(
                        range instanceof Range.After ? "after" : "before",
                        Long.toString(Math.min(offset(range), MAX_OFFSET)),
                        Integer.toString(range.limit()),
                        Integer.toString(PAGE_BYTES),
                        Long.toString(bounds.age().toMillis()),
                        Integer.toString(bounds.size()),
                        Long.toString(histories.receipts().toMillis()),
                        Long.toString(bounds.bytes()));
        return redis.run(SCRIPT, List.of(keys.head(room), keys.log(room)), args)
                .map(reply -> result(room, reply));
    }

    private static long offset(Range range) {
        return range instanceof Range.After after
                ? after.offset()
                : ((Range.Before) range).offset();
    }

    private static Result result(Room room, Response reply) {
        Lineage lineage = lineage(reply.get(0).toString(), reply.get(1).toString());
        List<StoredMessage> messages = new ArrayList<>();
        List<Long> foreign = new ArrayList<>();
        Response entries = reply.get(4);
        long last = 0;
        for (int i = 0; i < entries.size(); i += 3) {
            last = entries.get(i).toLong();
            EventId id = lineage.idAt(last);
            try {
                var at = Instant.ofEpochMilli(Long.parseLong(entries.get(i + 1).toString()));
                String body = entries.get(i + 2).toString(StandardCharsets.UTF_8);
                messages.add(new StoredMessage(id, MessageJson.readBody(room, at, body)));
            } catch (IllegalArgumentException e) {
                foreign.add(last);
            }
        }
        messages.sort((a, b) -> Long.compare(a.offset(), b.offset()));
        var page =
                new Page(
                        lineage,
                        reply.get(2).toLong(),
                        reply.get(3).toLong(),
                        messages,
                        Instant.ofEpochMilli(reply.get(6).toLong()));
        return new Result(page, foreign, last, reply.get(5).toInteger() == 1);
    }

    /**
     * Reads a lineage.
     *
     * @param past the past epochs and their last offsets, such as {@code 0:0 k3f9:5}; may be empty
     */
    private static Lineage lineage(String epoch, String past) {
        List<Lineage.Ended> ended = new ArrayList<>();
        for (String one : past.isEmpty() ? new String[0] : past.split(" ")) {
            int colon = one.indexOf(':');
            ended.add(
                    new Lineage.Ended(
                            one.substring(0, colon), Long.parseLong(one.substring(colon + 1))));
        }
        return new Lineage(epoch, ended);
    }

    private void noteLoss(Room room, Result result) {
        if (result.lostLog()) {
            lost.add(room);
        }
    }

    /**
     * Warns once, because the entry stays in the Redis stream and every later read skips it too.
     */
    private void warnOfForeignEntries(Room room, Result result) {
        if (!result.foreign().isEmpty() && warnedOfForeignEntries.compareAndSet(false, true)) {
            LOG.warnf(
                    "room %s: skipped entry %d-0 of its Redis stream, which is not a message; another"
                            + " program writes to %s (logged once)",
                    room, result.foreign().get(0), keys.log(room));
        }
    }

    /** Tells whether the page has too few messages because of foreign entries. */
    private static boolean isTooShort(Result result, Range range) {
        return !result.foreign().isEmpty()
                && result.page().messages().size() < Math.min(2, range.limit());
    }

    /** Reads what lies beyond the entries that were read, and joins it with the page. */
    private Uni<Page> readOn(Room room, Range range, Result result) {
        int limit = Math.max(range.limit(), MIN_PAGE);
        Range rest =
                range instanceof Range.After
                        ? new Range.After(result.last(), limit)
                        : new Range.Before(result.last(), limit);
        return run(room, rest).map(page -> joined(result.page(), page, range));
    }

    /** Joins two pages, of which the second was read where the first one ended. */
    private static Page joined(Page found, Page rest, Range range) {
        List<StoredMessage> messages = new ArrayList<>(rest.messages());
        boolean after = range instanceof Range.After;
        if (found.epoch().equals(rest.epoch())) {
            messages.addAll(after ? 0 : messages.size(), found.messages());
        }
        int surplus = Math.max(0, messages.size() - range.limit());
        List<StoredMessage> asked =
                after
                        ? messages.subList(0, messages.size() - surplus)
                        : messages.subList(surplus, messages.size());
        return new Page(rest.lineage(), rest.oldest(), rest.newest(), asked, rest.readAt());
    }
}
