package dev.parley.broker.redis;

import dev.parley.broker.Broker.PublishRequest;
import dev.parley.broker.Broker.Receipt;
import dev.parley.broker.Epochs;
import dev.parley.broker.HistoryBounds;
import dev.parley.broker.IdempotencyKeyReused;
import dev.parley.broker.RoomHistories;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.MessageJson;
import dev.parley.message.Room;
import dev.parley.redis.RedisCommands;
import dev.parley.redis.RedisConnections;
import io.smallrye.mutiny.Uni;
import io.vertx.redis.client.Response;
import java.util.ArrayList;
import java.util.List;

/** {@code publish.lua}: accepts a message into its room's log and announces it. */
final class PublishScript {

    static final RedisCommands.Script SCRIPT =
            RedisCommands.Script.load(PublishScript.class, "publish.lua").publishingOn(0);

    private final RedisConnections redis;
    private final RedisKeys keys;
    private final RoomHistories histories;

    /**
     * What the script did.
     *
     * @param foreignEntries entries of another program that were in the message's place and were
     *     removed
     * @param lostLog whether the log was gone before its time, and no script noticed it before
     */
    record Result(Receipt receipt, int foreignEntries, boolean lostLog) {}

    PublishScript(RedisConnections redis, RedisKeys keys, RoomHistories histories) {
        this.redis = redis;
        this.keys = keys;
        this.histories = histories;
    }

    /**
     * Publishes a message. Fails with {@link IdempotencyKeyReused} if the key was used for another
     * message, and with {@link dev.parley.redis.RedisUnavailable}.
     */
    Uni<Result> run(PublishRequest request) {
        Message message = request.message();
        Room room = message.room();
        HistoryBounds bounds = histories.bounds(room);
        List<String> scriptKeys = new ArrayList<>(List.of(keys.head(room), keys.log(room)));
        request.key()
                .ifPresent(
                        key -> {
                            scriptKeys.add(keys.receipt(room, key, request.sender()));
                            scriptKeys.add(keys.receiptOfAll(room, key));
                        });
        List<String> args =
                List.of(
                        keys.live(room),
                        keys.liveOfAll(),
                        room.name(),
                        MessageJson.writeBody(message),
                        Epochs.next(),
                        Integer.toString(bounds.size()),
                        Long.toString(bounds.age().toMillis()),
                        Long.toString(bounds.bytes()),
                        Long.toString(histories.receipts().toMillis()),
                        redis.publishCommand(),
                        redis.hasLegacySubscribersElsewhere() ? "1" : "0");
        return redis.run(SCRIPT, scriptKeys, args).map(PublishScript::result);
    }

    private static Result result(Response reply) {
        EventId id = EventId.parse(reply.get(0).toString()).orElseThrow();
        boolean repeat =
                switch (reply.get(1).toInteger()) {
                    case 0 -> false;
                    case 1 -> true;
                    default -> throw new IdempotencyKeyReused();
                };
        return new Result(
                new Receipt(id, repeat), reply.get(2).toInteger(), reply.get(3).toInteger() == 1);
    }
}
