package dev.parley.broker.redis;

import dev.parley.broker.Broker;
import dev.parley.broker.BrokerMeters;
import dev.parley.broker.BrokerState;
import dev.parley.broker.BrokerUnavailable;
import dev.parley.broker.Epochs;
import dev.parley.broker.LostHistories;
import dev.parley.broker.Page;
import dev.parley.broker.PublishRequest;
import dev.parley.broker.Range;
import dev.parley.broker.Receipt;
import dev.parley.broker.RoomHistories;
import dev.parley.broker.RoomListeners;
import dev.parley.message.EventId;
import dev.parley.message.MessageJson;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import dev.parley.redis.EvictionWatch;
import dev.parley.redis.RedisCommands;
import dev.parley.redis.RedisConfig;
import dev.parley.redis.RedisLink;
import dev.parley.redis.RedisProbe;
import dev.parley.redis.RedisSubscription;
import dev.parley.redis.RedisUnavailable;
import dev.parley.redis.RedisWrites;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/**
 * A broker in Redis, shared by any number of pods. Two connections serve a pod: one for commands,
 * pipelined, and one for the subscription. The package's comment describes the data model.
 */
public final class RedisBroker implements Broker, AutoCloseable {

    private static final Logger LOG = Logger.getLogger(RedisBroker.class);

    /**
     * How many times {@code parley.redis.timeout} a read may wait for its turn. Comparing ten
     * thousand rooms takes a second or two.
     */
    private static final int MAX_READ_TURNS = 5;

    private final RedisKeys keys;
    private final RedisConfig config;
    private final RoomHistories histories;
    private final RedisLink commandLink;
    private final RedisLink subscriptionLink;
    private final RedisCommands commands;
    private final RedisWrites writes;
    private final String probeChannel;
    private final RedisProbe probe;
    private final PublishScript publishScript;
    private final ReadScript readScript;
    private final EndEpochScript endEpochScript;
    private final RedisSubscription subscription;
    private final ReadQueue reads;
    private final RoomListeners listeners = new RoomListeners();
    private final BrokerMeters meters;
    private final AtomicBoolean warnedOfForeignEntries = new AtomicBoolean();
    private final AtomicBoolean warnedOfLongText = new AtomicBoolean();
    private final LostHistories lost;
    private final long maxPlainBytes;

    /**
     * @param maxPlainBytes longest text from the plain channel that is delivered, in bytes of UTF-8
     * @param lost the pod's one, which writes one line for all that notice a loss
     */
    public RedisBroker(
            Vertx vertx,
            Supplier<Redis> clients,
            RedisConfig config,
            RoomHistories histories,
            long maxPlainBytes,
            LostHistories lost,
            MeterRegistry registry) {
        this(
                vertx,
                "",
                clients,
                connection -> Future.succeededFuture(),
                config,
                histories,
                maxPlainBytes,
                lost,
                registry);
    }

    /**
     * Makes the broker of one of several servers.
     *
     * @param server the server's name in the log; empty if there is only one
     * @param join runs on each new connection for commands before it is used
     * @param maxPlainBytes longest text from the plain channel that is delivered, in bytes of UTF-8
     * @param lost the pod's one, which writes one line for all that notice a loss
     */
    RedisBroker(
            Vertx vertx,
            String server,
            Supplier<Redis> clients,
            Function<RedisConnection, Future<Void>> join,
            RedisConfig config,
            RoomHistories histories,
            long maxPlainBytes,
            LostHistories lost,
            MeterRegistry registry) {
        String redis = server.isEmpty() ? "Redis" : "Redis server " + server;
        String link = server.isEmpty() ? "" : "server " + server + " ";
        this.writes = new RedisWrites(redis);
        this.maxPlainBytes = maxPlainBytes;
        this.lost = lost;
        this.keys = new RedisKeys(config.prefix());
        this.config = config;
        this.histories = histories;
        this.commandLink =
                new RedisLink(
                        link + "command",
                        vertx,
                        clients,
                        config,
                        connection ->
                                loadScripts(connection).compose(done -> join.apply(connection)),
                        this::onLinkReady);
        this.subscriptionLink =
                new RedisLink(
                        link + "subscription",
                        vertx,
                        clients,
                        config,
                        this::subscribeToChannels,
                        this::onLinkReady);
        this.commands = new RedisCommands(commandLink, subscriptionLink, config, registry);
        String pod = Epochs.next();
        this.probeChannel = keys.probe(pod);
        this.probe =
                new RedisProbe(
                        vertx,
                        config,
                        probeChannel,
                        keys.probeKey(pod),
                        commands,
                        commandLink,
                        subscriptionLink,
                        writes,
                        new EvictionWatch(redis, commands, keys.probeKey(pod), registry),
                        registry);
        this.publishScript = new PublishScript(commands, keys, histories);
        this.readScript = new ReadScript(commands, keys, histories, lost);
        this.reads = new ReadQueue(config.timeout().multipliedBy(MAX_READ_TURNS), System::nanoTime);
        this.endEpochScript = new EndEpochScript(commands, keys);
        this.subscription =
                new RedisSubscription(
                        keys.patternOfLiveOfAll(), this::onMessage, subscriptionLink::renew);
        subscription.subscribe(probeChannel);
        config.plainChannel().ifPresent(subscription::subscribe);
        this.meters = new BrokerMeters(registry, this);
    }

    /**
     * Begins to connect. From then on, a connection that ends is made again until {@link #close}.
     */
    public void start() {
        commandLink.start();
        subscriptionLink.start();
        probe.start();
    }

    @Override
    public void close() {
        probe.stop();
        subscriptionLink.close();
        commandLink.close();
    }

    @Override
    public Uni<Receipt> publish(PublishRequest request) {
        return publishScript
                .run(request)
                .invoke(result -> noteLoss(request.message().room(), result))
                .invoke(result -> warnOfForeignEntries(request.message().room(), result))
                .map(PublishScript.Result::receipt)
                .invoke(writes::onAccepted)
                .onFailure(RedisUnavailable.class)
                .invoke(writes::onFailure)
                .onFailure(RedisUnavailable.class)
                .transform(RedisBroker::unavailable);
    }

    @Override
    public Uni<Page> read(Room room, Range range) {
        return reads.run(readScript.run(room, range))
                .onFailure(RedisUnavailable.class)
                .transform(RedisBroker::unavailable);
    }

    @Override
    public Duration age(Room room) {
        return histories.bounds(room).age();
    }

    @Override
    public Uni<Void> endEpoch(Room room, String epoch) {
        return endEpochScript
                .run(room, epoch)
                .invoke(
                        ended -> {
                            if (ended) {
                                LOG.debugf(
                                        "room %s: Redis lost messages that were delivered; epoch %s"
                                                + " ends and its clients get a gap",
                                        room, epoch);
                            }
                        })
                .onFailure(RedisUnavailable.class)
                .transform(RedisBroker::unavailable)
                .replaceWithVoid();
    }

    @Override
    public Uni<Void> subscribe(Room room, Listener listener) {
        return Uni.createFrom()
                .emitter(
                        emitter -> {
                            listeners.add(room, listener);
                            subscription
                                    .subscribe(keys.live(room))
                                    .timeout(config.timeout().toMillis(), TimeUnit.MILLISECONDS)
                                    .onSuccess(confirmed -> emitter.complete(null))
                                    .onFailure(
                                            late -> {
                                                unsubscribe(room, listener);
                                                emitter.fail(
                                                        new BrokerUnavailable(
                                                                noSubscription(), late));
                                            });
                        });
    }

    @Override
    public void unsubscribe(Room room, Listener listener) {
        if (listeners.remove(room, listener)) {
            subscription.unsubscribe(keys.live(room));
        }
    }

    /**
     * Passes the texts of the plain channel to a listener of the lobby, which another server has.
     */
    void listenToPlainText(Listener listener) {
        listeners.add(Room.LOBBY, listener);
    }

    /** Ends {@link #listenToPlainText}. Does nothing if the listener does not listen. */
    void stopPlainText(Listener listener) {
        listeners.remove(Room.LOBBY, listener);
    }

    /** Makes every listener compare its room with Redis. */
    void compareRooms() {
        listeners.forEach(Listener::onResubscribed);
    }

    /** Returns the server's commands. */
    RedisCommands commands() {
        return commands;
    }

    @Override
    public BrokerState state() {
        if (commandLink.connection().isEmpty()) {
            return new BrokerState.Down("no connection to Redis: " + commandLink.lastError());
        }
        if (subscriptionLink.connection().isEmpty()) {
            return new BrokerState.Down(noSubscription());
        }
        return probe.problem()
                .<BrokerState>map(BrokerState.Down::new)
                .orElseGet(() -> new BrokerState.Up(writes.problem()));
    }

    private String noSubscription() {
        return "no subscription to Redis: " + subscriptionLink.lastError();
    }

    private static Future<Void> loadScripts(RedisConnection connection) {
        return RedisCommands.loadScripts(
                connection,
                List.of(
                        PublishScript.SCRIPT,
                        ReadScript.SCRIPT,
                        EndEpochScript.SCRIPT,
                        RedisProbe.SCRIPT,
                        EvictionWatch.SCRIPT));
    }

    private Future<Void> subscribeToChannels(RedisConnection connection) {
        return subscription.join(connection);
    }

    /**
     * Called when one of the two connections was made anew, whichever it was. While the
     * subscription was away, messages may have been missed. A new connection for commands may lead
     * to another server, after a failover, which may have another log.
     */
    private void onLinkReady() {
        probe.onReady();
        compareRooms();
    }

    private void onMessage(String channel, Buffer payload) {
        if (channel.equals(probeChannel)) {
            probe.onMessage(payload.toString(StandardCharsets.UTF_8));
        } else if (config.plainChannel().equals(Optional.of(channel))) {
            onPlainText(payload);
        } else {
            onAnnouncement(channel, payload);
        }
    }

    private void onAnnouncement(String channel, Buffer payload) {
        meters.received();
        try {
            var announcement = Announcement.of(payload);
            List<Listener> receivers = listeners.of(announcement.room());
            if (!receivers.isEmpty()) {
                StoredMessage message = announcement.message();
                receivers.forEach(listener -> listener.onMessage(message));
            }
        } catch (IllegalArgumentException e) {
            LOG.debugf("ignored a message on channel %s: %s", channel, e.getMessage());
        }
    }

    private void onPlainText(Buffer payload) {
        if (payload.length() > maxPlainBytes) {
            meters.dropped();
            if (warnedOfLongText.compareAndSet(false, true)) {
                LOG.warnf(
                        "channel %s: dropped a text of %d bytes; parley.publish.max-text is %d"
                                + " (logged once; parley_plain_dropped_total counts)",
                        config.plainChannel().orElse(""), payload.length(), maxPlainBytes);
            }
            return;
        }
        List<Listener> receivers = listeners.of(Room.LOBBY);
        if (!receivers.isEmpty()) {
            String text = payload.toString(StandardCharsets.UTF_8);
            receivers.forEach(listener -> listener.onPlainText(text));
        }
    }

    private void noteLoss(Room room, PublishScript.Result result) {
        if (result.lostLog()) {
            lost.add(room);
        }
    }

    private void warnOfForeignEntries(Room room, PublishScript.Result result) {
        if (result.foreignEntries() > 0 && warnedOfForeignEntries.compareAndSet(false, true)) {
            LOG.warnf(
                    "room %s: removed %d foreign entries from its Redis stream, where message %s"
                            + " belongs; another program writes to %s (logged once)",
                    room, result.foreignEntries(), result.receipt().id(), keys.log(room));
        }
    }

    private static Throwable unavailable(Throwable failure) {
        return new BrokerUnavailable(String.valueOf(failure.getMessage()), failure);
    }

    /**
     * What {@code publish.lua} announces: {@code <room> <id> <at> <body>}, in UTF-8. The room is
     * read first and the rest only on demand, so that a message whose room is not read on this pod
     * is dropped without being parsed.
     */
    record Announcement(Room room, Buffer payload) {

        /**
         * Reads the room.
         *
         * @throws IllegalArgumentException if the payload does not begin with a room
         */
        static Announcement of(Buffer payload) {
            int end = 0;
            int longest = Math.min(payload.length(), Room.MAX_LENGTH + 1);
            while (end < longest && payload.getByte(end) != ' ') {
                end++;
            }
            return new Announcement(new Room(payload.getString(0, end)), payload);
        }

        /**
         * Reads the message.
         *
         * @throws IllegalArgumentException if the rest is not {@code <id> <at> <body>}
         */
        StoredMessage message() {
            int start = Math.min(room.name().length() + 1, payload.length());
            String rest =
                    payload.getBuffer(start, payload.length()).toString(StandardCharsets.UTF_8);
            String[] parts = rest.split(" ", 3);
            if (parts.length != 3) {
                throw new IllegalArgumentException("not <room> <id> <at> <body>");
            }
            EventId id =
                    EventId.parse(parts[0])
                            .orElseThrow(() -> new IllegalArgumentException("bad id: " + parts[0]));
            var at = Instant.ofEpochMilli(Long.parseLong(parts[1]));
            return new StoredMessage(id, MessageJson.readBody(room, at, parts[2]));
        }
    }
}
