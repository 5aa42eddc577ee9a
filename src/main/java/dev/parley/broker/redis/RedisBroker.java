package dev.parley.broker.redis;

import dev.parley.broker.Broker;
import dev.parley.broker.BrokerState;
import dev.parley.broker.Epochs;
import dev.parley.broker.Page;
import dev.parley.broker.Publication;
import dev.parley.broker.Range;
import dev.parley.broker.Receipt;
import dev.parley.broker.Retention;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Response;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A broker in Redis. Two connections serve the pod: one for commands, pipelined, and one for the
 * subscription.
 */
public final class RedisBroker implements Broker, AutoCloseable {

    private static final Logger LOG = Logger.getLogger(RedisBroker.class);

    /** Text in one page of history: what a reader that catches up costs at a time. */
    private static final int PAGE_BYTES = 256 * 1024;

    /** Entries asked for at a time beyond those that are no messages. */
    private static final int MIN_PAGE = 64;

    /** Offsets above it are not exact in Lua, whose numbers are doubles. */
    private static final long MAX_OFFSET = 1L << 53;

    private final RedisKeys keys;
    private final RedisConfig config;
    private final Retention retention;
    private final RedisLink commandLink;
    private final RedisLink subscriptionLink;
    private final RedisCommands commands;
    private final RedisSubscription subscription;
    private final Probe probe;

    /** Whether an entry was met that somebody else wrote. */
    private final AtomicBoolean strangers = new AtomicBoolean();

    private @Nullable Listener listener;

    public RedisBroker(
            Vertx vertx,
            Redis redis,
            RedisConfig config,
            Retention retention,
            MeterRegistry meters) {
        this.keys = new RedisKeys(config.prefix());
        this.config = config;
        this.retention = retention;
        this.commandLink = new RedisLink("command", vertx, redis, config, RedisCommands::prepare);
        this.commands = new RedisCommands(commandLink, config);
        this.subscriptionLink = new RedisLink("subscription", vertx, redis, config, this::join);
        this.probe = new Probe(vertx, config, keys, commands, subscriptionLink, meters);
        this.subscription = new RedisSubscription(channels(), this::handle);
    }

    @Override
    public void listen(Listener listener) {
        this.listener = listener;
        commandLink.start();
        subscriptionLink.start();
        probe.start();
    }

    @Override
    public Uni<Receipt> publish(Publication publication) {
        Message message = publication.message();
        Room room = message.room();
        List<String> used = new ArrayList<>(List.of(keys.head(room), keys.log(room)));
        publication.key().ifPresent(key -> used.add(keys.receipt(room, key)));
        List<String> args =
                List.of(
                        keys.live(),
                        room.name(),
                        Wire.body(message),
                        Long.toString(message.at().toEpochMilli()),
                        Epochs.next(),
                        Integer.toString(retention.size()),
                        Long.toString(retention.age().toMillis()),
                        Long.toString(retention.receipts().toMillis()));
        return uni(() -> commands.run(Script.PUBLISH, used, args), RedisBroker::receipt);
    }

    @Override
    public Uni<Page> read(Room room, Range range) {
        return part(room, range)
                .flatMap(
                        part ->
                                isTooShort(part, range)
                                        ? readOn(room, range, part)
                                        : Uni.createFrom().item(part.page()));
    }

    /** Whether holes alone keep the page from having what a page has if there is anything left. */
    private static boolean isTooShort(Wire.Part part, Range range) {
        return part.holes() > 0 && part.page().messages().size() < Math.min(2, range.limit());
    }

    /** What is beyond the holes, with the message that may have been found before them. */
    private Uni<Page> readOn(Room room, Range range, Wire.Part part) {
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

    private Uni<Wire.Part> part(Room room, Range range) {
        List<String> used = List.of(keys.head(room), keys.log(room));
        List<String> args =
                List.of(
                        range instanceof Range.After ? "after" : "before",
                        Long.toString(Math.min(position(range), MAX_OFFSET)),
                        Integer.toString(range.limit()),
                        Integer.toString(PAGE_BYTES),
                        Epochs.next(),
                        Long.toString(retention.age().toMillis()));
        return uni(
                () -> commands.run(Script.READ, used, args),
                reply -> Wire.part(room, reply, id -> passedOver(room, id)));
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

    @Override
    public Uni<Void> endEpoch(Room room, String epoch) {
        LOG.warnf("Redis lost messages of a room: its epoch %s ends", epoch);
        return uni(
                        () ->
                                commands.run(
                                        Script.END_EPOCH,
                                        List.of(keys.head(room)),
                                        List.of(epoch, Epochs.next())),
                        Function.identity())
                .replaceWithVoid();
    }

    @Override
    public BrokerState state() {
        if (commandLink.connection().isEmpty()) {
            return new BrokerState.Down("no connection to Redis: " + commandLink.trouble());
        }
        if (subscriptionLink.connection().isEmpty()) {
            return new BrokerState.Down("no subscription: " + subscriptionLink.trouble());
        }
        return probe.state();
    }

    @Override
    public void close() {
        probe.stop();
        subscriptionLink.close();
        commandLink.close();
    }

    private List<String> channels() {
        List<String> channels = new ArrayList<>(List.of(keys.live(), probe.channel()));
        config.plainChannel().ifPresent(channels::add);
        return channels;
    }

    private Future<Void> join(RedisConnection connection) {
        return subscription.join(connection).onSuccess(joined -> rejoined());
    }

    private void rejoined() {
        probe.joined();
        if (listener != null) {
            listener.rejoined();
        }
    }

    private void handle(String channel, String payload) {
        if (listener == null) {
            return;
        }
        if (channel.equals(keys.live())) {
            receive(listener, payload);
        } else if (channel.equals(probe.channel())) {
            probe.heard(payload);
        } else {
            listener.receivedPlain(payload);
        }
    }

    private static void receive(Listener listener, String payload) {
        try {
            listener.received(Wire.live(payload));
        } catch (IllegalArgumentException e) {
            LOG.debugf("ignored on the live channel: %s", e.getMessage());
        }
    }

    private static long position(Range range) {
        return range instanceof Range.After after
                ? after.offset()
                : ((Range.Before) range).offset();
    }

    private static Receipt receipt(Response reply) {
        String id = reply.get(0).toString();
        return new Receipt(EventId.parse(id).orElseThrow(), reply.get(1).toInteger() == 1);
    }

    private static <T> Uni<T> uni(Supplier<Future<Response>> call, Function<Response, T> result) {
        return Uni.createFrom()
                .emitter(
                        emitter ->
                                call.get()
                                        .map(result)
                                        .onSuccess(emitter::complete)
                                        .onFailure(emitter::fail));
    }
}
