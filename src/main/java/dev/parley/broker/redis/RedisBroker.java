package dev.parley.broker.redis;

import dev.parley.broker.Broker;
import dev.parley.broker.BrokerState;
import dev.parley.broker.Epochs;
import dev.parley.broker.HistoryConfig;
import dev.parley.broker.Page;
import dev.parley.broker.PublishRequest;
import dev.parley.broker.Range;
import dev.parley.broker.Receipt;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Room;
import dev.parley.redis.RedisCommands;
import dev.parley.redis.RedisConfig;
import dev.parley.redis.RedisLink;
import dev.parley.redis.RedisProbe;
import dev.parley.redis.RedisSubscription;
import dev.parley.redis.Script;
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
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A broker in Redis. Two connections serve the pod: one for commands, pipelined, and one for the
 * subscription.
 */
public final class RedisBroker implements Broker, AutoCloseable {

    private static final Logger LOG = Logger.getLogger(RedisBroker.class);

    private final RedisKeys keys;
    private final RedisConfig config;
    private final HistoryConfig retention;
    private final RedisLink commandLink;
    private final RedisLink subscriptionLink;
    private final RedisCommands commands;
    private final RedisHistory history;
    private final RedisSubscription subscription;
    private final RedisProbe probe;

    /** Whether an entry of somebody else was in a message's place. */
    private final AtomicBoolean intruder = new AtomicBoolean();

    private @Nullable Listener listener;

    public RedisBroker(
            Vertx vertx,
            Redis redis,
            RedisConfig config,
            HistoryConfig retention,
            MeterRegistry meters) {
        this.keys = new RedisKeys(config.prefix());
        this.config = config;
        this.retention = retention;
        this.commandLink = new RedisLink("command", vertx, redis, config, RedisCommands::prepare);
        this.commands = new RedisCommands(commandLink, config);
        this.history = new RedisHistory(commands, keys, retention);
        this.subscriptionLink = new RedisLink("subscription", vertx, redis, config, this::join);
        this.probe =
                new RedisProbe(
                        vertx,
                        config,
                        keys.probe(Epochs.next()),
                        commands,
                        subscriptionLink,
                        meters);
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
    public Uni<Receipt> publish(PublishRequest publication) {
        Message message = publication.message();
        Room room = message.room();
        List<String> used = new ArrayList<>(List.of(keys.head(room), keys.log(room)));
        publication.key().ifPresent(key -> used.add(keys.receipt(room, key)));
        List<String> args =
                List.of(
                        keys.live(),
                        room.name(),
                        RedisMessageCodec.body(message),
                        Long.toString(message.at().toEpochMilli()),
                        Epochs.next(),
                        Integer.toString(retention.size()),
                        Long.toString(retention.age().toMillis()),
                        Long.toString(retention.receipts().toMillis()));
        return commands.run(Script.PUBLISH, used, args).map(reply -> receipt(room, reply));
    }

    @Override
    public Uni<Page> read(Room room, Range range) {
        return history.read(room, range);
    }

    @Override
    public Uni<Void> endEpoch(Room room, String epoch) {
        return commands.run(
                        Script.END_EPOCH, List.of(keys.head(room)), List.of(epoch, Epochs.next()))
                .invoke(
                        reply -> {
                            if (reply.toInteger() == 1) {
                                LOG.warnf(
                                        "room %s: Redis lost messages, epoch %s ends", room, epoch);
                            }
                        })
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
            listener.received(RedisMessageCodec.live(payload));
        } catch (IllegalArgumentException e) {
            LOG.debugf("ignored on the live channel: %s", e.getMessage());
        }
    }

    private Receipt receipt(Room room, Response reply) {
        EventId id = EventId.parse(reply.get(0).toString()).orElseThrow();
        if (reply.get(2).toInteger() > 0 && intruder.compareAndSet(false, true)) {
            LOG.warnf(
                    "room %s: entries of its stream in Redis stood in the place of message %s and"
                            + " were removed, as all such are: something else than Parley writes there",
                    room, id);
        }
        return new Receipt(id, reply.get(1).toInteger() == 1);
    }
}
