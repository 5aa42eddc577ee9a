package dev.parley.broker.redis;

import dev.parley.broker.Broker.PublishRequest;
import dev.parley.broker.Broker.Receipt;
import dev.parley.broker.BrokerMeters;
import dev.parley.broker.BrokerState;
import dev.parley.broker.BrokerUnavailable;
import dev.parley.broker.Epochs;
import dev.parley.broker.HistoryBounds;
import dev.parley.broker.LostHistories;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.broker.RoomHistories;
import dev.parley.broker.RoomListeners;
import dev.parley.message.EventId;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.MessageJson;
import dev.parley.message.Room;
import dev.parley.redis.ClusterClients;
import dev.parley.redis.ClusterConnections;
import dev.parley.redis.RedisConfig;
import dev.parley.redis.RedisConnections;
import dev.parley.redis.RedisProbe;
import dev.parley.redis.RedisSetup;
import dev.parley.redis.RedisUnavailable;
import dev.parley.redis.ServerConnections;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/**
 * A broker in Redis, one server or a Cluster, shared by any number of pods. The package's comment
 * describes the data model.
 */
public final class RedisBroker implements RedisBacked {

    private static final Logger LOG = Logger.getLogger(RedisBroker.class);

    /**
     * How many times {@code parley.redis.timeout} a read may wait for its turn. Comparing ten
     * thousand rooms takes a second or two.
     */
    private static final int READ_WAIT_FACTOR = 5;

    /**
     * Most bytes that a byte of text takes in JSON: a control character is written {@code \\u0001}.
     */
    private static final int JSON_BYTES = 6;

    /** Most bytes of an announcement beside its text: room, id, time, sender and event. */
    private static final int OTHER_BYTES = 4 * 1024;

    private final RedisKeys keys;
    private final RedisConfig config;
    private final RoomHistories histories;
    private final RedisConnections redis;
    private final PublishScript publishScript;
    private final ReadScript readScript;
    private final EndEpochScript endEpochScript;

    /**
     * One queue per server, so that a Cluster node that hangs delays only reads of its own rooms.
     */
    private final Map<String, ReadQueue> reads = new ConcurrentHashMap<>();

    private final RoomListeners listeners = new RoomListeners();
    private final BrokerMeters meters;
    private final AtomicBoolean warnedOfForeignEntries = new AtomicBoolean();
    private final AtomicBoolean warnedOfLongText = new AtomicBoolean();
    private final LostHistories lost;
    private final long maxTextBytes;
    private final long maxAnnouncementBytes;

    /** Opens the connections, to one server or to a Cluster. */
    private interface Opener {
        RedisConnections open(RedisSetup setup, RedisConnections.Receiver receiver);
    }

    /**
     * What every broker in Redis needs, except how to reach its servers.
     *
     * @param maxTextBytes longest text of a publish, in bytes of UTF-8; longer ones that other
     *     programs publish on a channel are not delivered
     * @param lost collects the rooms that were lost for all brokers of the pod, so that the log
     *     gets one line for one loss
     */
    public record Dependencies(
            Vertx vertx,
            RedisConfig config,
            RoomHistories histories,
            long maxTextBytes,
            LostHistories lost,
            MeterRegistry registry) {

        /** Returns a copy with another registry. */
        Dependencies with(MeterRegistry other) {
            return new Dependencies(vertx, config, histories, maxTextBytes, lost, other);
        }
    }

    /**
     * Makes the broker of one Redis.
     *
     * @param clients makes a client that is used for one connection
     */
    public RedisBroker(Supplier<Redis> clients, Dependencies given) {
        this("", clients, connection -> Future.succeededFuture(), given);
    }

    /**
     * Makes the broker of a Redis Cluster.
     *
     * @param nodes makes clients of single nodes
     */
    public RedisBroker(ClusterClients nodes, Dependencies given) {
        this((setup, receiver) -> new ClusterConnections(nodes, setup, receiver), given);
    }

    /**
     * Makes the broker of one of several servers.
     *
     * @param server the server's name in the log; empty if there is only one
     * @param join runs on each new connection for commands before it is used
     */
    RedisBroker(
            String server,
            Supplier<Redis> clients,
            Function<RedisConnection, Future<Void>> join,
            Dependencies given) {
        this(
                (setup, receiver) -> new ServerConnections(server, clients, join, setup, receiver),
                given);
    }

    private RedisBroker(Opener opener, Dependencies given) {
        this.config = given.config();
        this.histories = given.histories();
        this.maxTextBytes = given.maxTextBytes();
        // What arrives has a length that is an int. For a setting of exabytes, which no text can
        // exceed, the product would be negative, and every announcement be too long.
        this.maxAnnouncementBytes =
                OTHER_BYTES + JSON_BYTES * Math.min(maxTextBytes, Integer.MAX_VALUE);
        this.lost = given.lost();
        this.keys = new RedisKeys(config.prefix());
        this.redis = opener.open(setup(given.vertx(), given.registry()), new Receiver());
        this.publishScript = new PublishScript(redis, keys, histories);
        this.readScript = new ReadScript(redis, keys, histories, lost);
        this.endEpochScript = new EndEpochScript(redis, keys);
        config.plainChannel().ifPresent(redis::subscribe);
        this.meters = new BrokerMeters(given.registry(), this);
    }

    private RedisSetup setup(Vertx vertx, MeterRegistry registry) {
        String pod = Epochs.next();
        return new RedisSetup(
                vertx,
                config,
                registry,
                List.of(PublishScript.SCRIPT, ReadScript.SCRIPT, EndEpochScript.SCRIPT),
                new RedisProbe.Place(keys.probe(pod), keys.probeKey(pod)),
                number -> {
                    String both = keys.probeKey(pod + "." + number);
                    return new RedisProbe.Place(both, both);
                },
                keys.patternOfLiveOfAll(),
                keys.liveOfAll());
    }

    /** Takes what Redis delivers. */
    private final class Receiver implements RedisConnections.Receiver {

        @Override
        public void onMessage(String channel, Buffer payload) {
            if (config.plainChannel().equals(Optional.of(channel))) {
                onPlainText(payload);
            } else {
                onAnnouncement(channel, payload);
            }
        }

        @Override
        public void onResubscribed(Set<String> channels) {
            channels.stream()
                    .flatMap(channel -> keys.roomOf(channel).stream())
                    .flatMap(room -> listeners.of(room).stream())
                    .forEach(Listener::onInterrupted);
        }
    }

    @Override
    public void start() {
        redis.start();
    }

    @Override
    public void close() {
        redis.close();
    }

    @Override
    public Uni<Receipt> publish(PublishRequest request) {
        Room room = request.message().room();
        return publishScript
                .run(request)
                .invoke(result -> noteLoss(room, result))
                .invoke(result -> warnOfForeignEntries(room, result))
                .map(PublishScript.Result::receipt)
                .invoke(receipt -> noteWrite(room, receipt))
                .onFailure(RedisUnavailable.class)
                .invoke(failure -> redis.writes(keys.head(room)).onFailure(failure))
                .onFailure(RedisUnavailable.class)
                .transform(RedisBroker::unavailable);
    }

    @Override
    public Uni<Page> read(Room room, Range range) {
        return reads(room)
                .run(readScript.run(room, range))
                .onFailure(RedisUnavailable.class)
                .transform(RedisBroker::unavailable);
    }

    private ReadQueue reads(Room room) {
        return reads.computeIfAbsent(
                redis.serverOf(keys.head(room)),
                server ->
                        new ReadQueue(
                                config.timeout().multipliedBy(READ_WAIT_FACTOR), System::nanoTime));
    }

    @Override
    public HistoryBounds bounds(Room room) {
        return histories.bounds(room);
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
                            redis.subscribe(keys.live(room))
                                    .onSuccess(confirmed -> emitter.complete(null))
                                    .onFailure(
                                            late -> {
                                                unsubscribe(room, listener);
                                                emitter.fail(
                                                        new BrokerUnavailable(
                                                                notSubscribed(room), late));
                                            });
                        });
    }

    @Override
    public void unsubscribe(Room room, Listener listener) {
        if (listeners.remove(room, listener)) {
            redis.unsubscribe(keys.live(room));
        }
    }

    /**
     * Passes plain texts that are received here to a listener of the lobby, when the lobby itself
     * is on another server.
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
        listeners.forEach(Listener::onInterrupted);
    }

    /** Returns the access to the server or the Cluster. */
    RedisConnections connections() {
        return redis;
    }

    @Override
    public List<RedisConnections> redis() {
        return List.of(redis);
    }

    @Override
    public BrokerState state() {
        return redis.problem()
                .<BrokerState>map(BrokerState.Down::new)
                .orElseGet(
                        () -> new BrokerState.Up(redis.publishingProblem(), redis.silentServers()));
    }

    private String notSubscribed(Room room) {
        return redis.problem()
                .orElse("Redis did not confirm the subscription to room " + room + " in time");
    }

    private void onAnnouncement(String channel, Buffer payload) {
        try {
            var announcement = Announcement.of(payload);
            List<Listener> receivers = listeners.of(announcement.room());
            if (receivers.isEmpty()) {
                return;
            }
            meters.received();
            if (payload.length() > maxAnnouncementBytes) {
                // Too long to be parsed. If a pod with a higher parley.publish.max-text published
                // it, it is in the room's log, and a comparison reads it there.
                receivers.forEach(Listener::onInterrupted);
            } else {
                StoredMessage message = announcement.message();
                receivers.forEach(listener -> listener.onMessage(message));
            }
        } catch (IllegalArgumentException e) {
            LOG.debugf("ignored a message on channel %s: %s", channel, e.getMessage());
        }
    }

    private void onPlainText(Buffer payload) {
        if (payload.length() > maxTextBytes) {
            meters.dropped();
            if (warnedOfLongText.compareAndSet(false, true)) {
                LOG.warnf(
                        "channel %s: dropped a text of %d bytes; parley.publish.max-text is %d"
                                + " (logged once; parley_plain_dropped_total counts)",
                        config.plainChannel().orElse(""), payload.length(), maxTextBytes);
            }
            return;
        }
        List<Listener> receivers = listeners.of(Room.LOBBY);
        if (!receivers.isEmpty()) {
            String text = payload.toString(StandardCharsets.UTF_8);
            receivers.forEach(listener -> listener.onPlainText(text));
        }
    }

    /** Notes that Redis takes writes. Of a repeat it has written nothing. */
    private void noteWrite(Room room, Receipt receipt) {
        if (!receipt.duplicate()) {
            redis.writes(keys.head(room)).onAccepted();
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
         * @throws IllegalArgumentException if the rest is not {@code <id> <at> <body>}, or if the
         *     id is in the epoch of a room without messages, in which Parley publishes none
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
            if (id.epoch().equals(ReadScript.EMPTY_EPOCH)) {
                throw new IllegalArgumentException("in the epoch of an empty room: " + id);
            }
            var at = Instant.ofEpochMilli(Long.parseLong(parts[1]));
            return new StoredMessage(id, MessageJson.readBody(room, at, parts[2]));
        }
    }
}
