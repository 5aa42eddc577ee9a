package dev.parley.broker.redis;

import dev.parley.broker.HistoryConfig;
import dev.parley.broker.Lineage;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.message.EventId;
import dev.parley.message.MessageJson;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import dev.parley.redis.RedisCommands;
import dev.parley.redis.RedisScript;
import io.smallrye.mutiny.Uni;
import io.vertx.redis.client.Response;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** {@code read.lua}: reads a page of a room's log as it is, foreign entries included. */
final class ReadScript {

    static final RedisScript SCRIPT = RedisScript.load(ReadScript.class, "read.lua");

    /** Bytes of bodies in one page: bounds the memory of a reader that catches up. */
    private static final int PAGE_BYTES = 256 * 1024;

    /** Offsets above it are not exact in Lua, whose numbers are doubles. */
    private static final long MAX_OFFSET = 1L << 53;

    private final RedisCommands commands;
    private final RedisKeys keys;
    private final HistoryConfig history;

    /**
     * The page and what was found beside its messages.
     *
     * @param foreign ids of entries in the page's range that another program wrote and that are not
     *     messages
     * @param last offset of the entry that was read last; 0 if there was none
     */
    record Result(Page page, List<EventId> foreign, long last) {}

    ReadScript(RedisCommands commands, RedisKeys keys, HistoryConfig history) {
        this.commands = commands;
        this.keys = keys;
        this.history = history;
    }

    Uni<Result> run(Room room, Range range) {
        List<String> args =
                List.of(
                        range instanceof Range.After ? "after" : "before",
                        Long.toString(Math.min(offset(range), MAX_OFFSET)),
                        Integer.toString(range.limit()),
                        Integer.toString(PAGE_BYTES),
                        Long.toString(history.age().toMillis()));
        return commands.run(SCRIPT, List.of(keys.head(room), keys.log(room)), args)
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
        List<EventId> foreign = new ArrayList<>();
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
                foreign.add(id);
            }
        }
        messages.sort((a, b) -> Long.compare(a.offset(), b.offset()));
        var page = new Page(lineage, reply.get(2).toLong(), reply.get(3).toLong(), messages);
        return new Result(page, foreign, last);
    }

    /**
     * Reads the epochs.
     *
     * @param past such as {@code 0:0 k3f9:5}
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
}
