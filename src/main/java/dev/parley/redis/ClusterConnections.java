package dev.parley.redis;

import dev.parley.retry.Backoff;
import io.micrometer.core.instrument.Gauge;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A pod's access to a Redis Cluster: a {@link RedisNode} for each master that has slots, and the
 * map of the slots ({@link ClusterSlots}) that says which of them has a key or a channel.
 *
 * <p><b>Commands</b> go to the node that has the slot of the first key, or on to the one that a
 * node names instead ({@link ClusterCommands}).
 *
 * <p><b>Channels</b> whose name begins with the prefix and a hash tag, such as {@code
 * parley:{kitchen}:live}, are subscribed to at the node that has the slot of their name, as the
 * room's log is. From Redis 7 on they are sharded (SSUBSCRIBE, SPUBLISH): only that node knows
 * them. Others, and all of them on older servers, are classic: a message that is published at any
 * node reaches the subscriber at any other.
 *
 * <p><b>Other channels</b>, such as the one for plain text, have nothing at that node. They are
 * subscribed to there first, go to any other node when the subscription there ends, and stay where
 * they are from then on. Otherwise plain text would be lost until the one node whose slot has the
 * channel's name is replaced, although all others deliver it.
 *
 * <p><b>When the Cluster changes,</b> one thing happens, whatever the reason: a node is asked for
 * the map of the slots ({@link #refresh}), and what is at the wrong node moves ({@link #settle}).
 *
 * <pre>
 *   slot moves from A to B:   A: sunsubscribe parley:{kitchen}:live
 *                             the channel is at no node            onLost
 *                             CLUSTER SLOTS                        refresh
 *                             B: SSUBSCRIBE, confirmed             settle, onConfirmed
 *                             the room is compared with its log    onResubscribed
 *   A dies:                   its connections end; commands for its slots fail, others go on
 *                             CLUSTER SLOTS, again and again, until its replica B has the slots
 *                             B as above, for all channels that were at A
 * </pre>
 *
 * <p>The map is asked for again, with growing pauses, while a channel is at no node or a node is
 * not connected; otherwise every few seconds. Thread-safe; while the lock of this is held, locks of
 * the nodes are taken, and never the reverse.
 */
public final class ClusterConnections implements RedisConnections {

    private static final Logger LOG = Logger.getLogger(ClusterConnections.class);

    /** Ticks of the probe's interval between two readings of the map while nothing is wrong. */
    private static final int TICKS_PER_REFRESH = 5;

    /** How long a node without slots is kept after a command was redirected to it. */
    private static final long KEPT_NANOS = TimeUnit.SECONDS.toNanos(60);

    private static final String NOT_CONNECTED = "not connected";

    private final ClusterClients clients;
    private final RedisSetup setup;
    private final Receiver receiver;
    private final ClusterCommands commands;
    private final Vertx vertx;
    private final RedisConfig config;

    // Guarded by this.

    private final Map<NodeAddress, Master> masters = new HashMap<>();
    private final Map<String, WantedChannel> wanted = new HashMap<>();
    private final Backoff backoff;
    private ClusterSlots slots = ClusterSlots.NONE;

    /** The node that is asked for the map first, because it has, or noticed, the last change. */
    private @Nullable NodeAddress askFirst;

    /** Whether a node has said, since the map was read, that it has lost or is losing a slot. */
    private boolean moved;

    /** Whether the map is being asked for, or will be when a pause is over. */
    private boolean refreshing;

    /** The timer of {@link #onTick}. */
    private long periodic = -1;

    /** Ticks since the last one that asked for the map. */
    private int ticks;

    private long startNanos;

    /** Whether messages flowed from all masters at a tick. */
    private boolean wereAllUp;

    private boolean closed;

    /** When it was last logged that channels moved. */
    private long moveLoggedNanos;

    /** Why the map could not be read; {@link #NOT_CONNECTED} at first and once it was read. */
    private String lastError = NOT_CONNECTED;

    /** Empty until a node has answered. */
    private Optional<Boolean> sharded = Optional.empty();

    /** A master, and what it is used for. */
    static final class Master {

        private final NodeAddress address;
        private final RedisNode node;
        private final ProbeSlot probe;
        private boolean serves;
        private long redirectedNanos = System.nanoTime();

        Master(NodeAddress address, RedisNode node, ProbeSlot probe) {
            this.address = address;
            this.node = node;
            this.probe = probe;
        }

        NodeAddress address() {
            return address;
        }

        RedisNode node() {
            return node;
        }
    }

    /** A channel that is wanted, and where it is subscribed to. */
    private static final class WantedChannel {

        private final int slot;
        private int users;
        private @Nullable Master at;

        /** Whether Redis has confirmed it at least once. */
        private boolean confirmed;

        private final List<Promise<Void>> waiting = new ArrayList<>();

        WantedChannel(String channel) {
            slot = ClusterSlots.slotOf(channel);
        }
    }

    /** Makes the access to the Cluster that has the configured nodes. */
    public ClusterConnections(ClusterClients clients, RedisSetup setup, Receiver receiver) {
        this.clients = clients;
        this.setup = setup;
        this.receiver = receiver;
        this.vertx = setup.vertx();
        this.config = setup.config();
        this.commands = new ClusterCommands(this, setup);
        this.backoff = new Backoff(config.minBackoff(), config.maxBackoff());
        subscribe(setup.legacyChannelPattern());
        EvictionWatch.register(this::mayEvict, setup.meters());
        Gauge.builder("parley.redis.nodes.silent", this, cluster -> cluster.silentServers().size())
                .description("Masters of the Redis Cluster from which messages do not flow")
                .register(setup.meters());
    }

    @Override
    public synchronized void start() {
        startNanos = System.nanoTime();
        periodic = vertx.setPeriodic(config.probeInterval().toMillis(), id -> onTick());
        refreshing = true;
        refresh();
    }

    @Override
    public void close() {
        List<Master> all;
        synchronized (this) {
            closed = true;
            vertx.cancelTimer(periodic);
            all = List.copyOf(masters.values());
        }
        all.forEach(master -> master.node.close());
    }

    // Commands

    @Override
    public Future<Response> send(
            RedisCommands.Script script, List<String> keys, List<String> args) {
        return commands.send(script, keys, args);
    }

    /** Returns the node that has a slot; null if none is known. */
    synchronized @Nullable Master owner(int slot) {
        return slots.owner(slot).map(masters::get).orElse(null);
    }

    /** Returns the node to which a command was redirected once (Redis: ASK). */
    synchronized Master redirectedTo(NodeAddress address) {
        Master master = master(address);
        master.redirectedNanos = System.nanoTime();
        return master;
    }

    /** Notes that another node has a slot, and returns that node. */
    synchronized Master onMoved(ClusterReply.Moved reply) {
        slots = slots.with(reply.slot(), reply.to());
        askFirst = reply.to();
        moved = true;
        refreshSoon();
        return redirectedTo(reply.to());
    }

    /** Returns the master at an address, and begins to connect to it if it is new. */
    private Master master(NodeAddress address) {
        Master master = masters.get(address);
        if (master == null) {
            RedisNode node = newNode(address);
            master =
                    new Master(
                            address, node, new ProbeSlot(node, setup.probesInSlots(), this::kind));
            masters.put(address, master);
            if (!closed) {
                master.node.startCommands();
            }
        }
        return master;
    }

    private RedisNode newNode(NodeAddress address) {
        return new RedisNode(
                "Redis node " + address,
                "node " + address + " ",
                () -> clients.create(address),
                false,
                connection -> Future.succeededFuture(),
                publishCommand(),
                setup,
                new Events());
    }

    /** Says why no node is known that has a slot, for a client. */
    synchronized String noNode(int slot) {
        return masters.isEmpty()
                ? RedisReason.forClients("no connection to a Redis Cluster", lastError)
                : "no node of the Redis Cluster has slot " + slot;
    }

    // Channels

    @Override
    public Future<Void> subscribe(String channel) {
        synchronized (this) {
            WantedChannel one = wanted.computeIfAbsent(channel, WantedChannel::new);
            one.users++;
            if (one.at == null) {
                place(channel, one);
            }
            if (one.confirmed) {
                return Future.succeededFuture();
            }
            Promise<Void> confirmation = Promise.promise();
            one.waiting.add(confirmation);
            return AnswerTimeout.limit(vertx, confirmation.future(), config.timeout());
        }
    }

    @Override
    public void unsubscribe(String channel) {
        List<Promise<Void>> waiting;
        synchronized (this) {
            WantedChannel left = wanted.get(channel);
            if (left == null || --left.users > 0) {
                return;
            }
            wanted.remove(channel);
            waiting = List.copyOf(left.waiting);
            if (left.at != null) {
                left.at.node.subscription().unsubscribe(channel);
            }
        }
        waiting.forEach(one -> one.tryFail("left before it was confirmed: " + channel));
    }

    /**
     * Subscribes to a channel at the node where it belongs, and leaves the node where it was.
     *
     * @return whether the channel moved from one node to another because its slot did
     */
    @SuppressWarnings("ReferenceEquality") // A master that was replaced has another connection.
    private boolean place(String channel, WantedChannel one) {
        Master to = isOfASlot(channel) ? owner(one.slot) : anyNode(one);
        if (to == one.at) {
            return false;
        }
        if (one.at != null) {
            one.at.node.subscription().unsubscribe(channel);
        }
        one.at = to;
        if (to != null) {
            to.node
                    .subscription()
                    .subscribe(channel, kind(channel))
                    .onSuccess(confirmed -> onConfirmed(channel, one, to));
        }
        return to != null && one.confirmed && isOfASlot(channel);
    }

    /**
     * Returns a node for a channel that is not in a slot: the one where it is, while its
     * subscription is up; otherwise the owner of the name's slot, or if that is away, any node with
     * slots whose subscription is up.
     */
    private @Nullable Master anyNode(WantedChannel one) {
        Master at = one.at;
        if (at != null && isUp(at)) {
            return at;
        }
        Master owner = owner(one.slot);
        return owner != null && isUp(owner)
                ? owner
                : masters.values().stream().filter(this::isUp).findFirst().orElse(owner);
    }

    /** Tells whether a node is still in use, and subscriptions there work. */
    @SuppressWarnings("ReferenceEquality") // A master that was replaced has another connection.
    private boolean isUp(Master master) {
        return master.serves && masters.get(master.address) == master && master.node.isSubscribed();
    }

    /** Tells whether a channel belongs to a slot, and to the keys there. */
    private boolean isOfASlot(String channel) {
        return channel.startsWith(config.prefix() + ":{");
    }

    private RedisSubscription.Kind kind(String channel) {
        if (channel.equals(setup.legacyChannelPattern())) {
            return RedisSubscription.Kind.PATTERN;
        }
        return isSharded() && isOfASlot(channel)
                ? RedisSubscription.Kind.SHARD
                : RedisSubscription.Kind.CHANNEL;
    }

    @SuppressWarnings("ReferenceEquality") // This very channel and master, not later ones.
    private void onConfirmed(String channel, WantedChannel one, Master at) {
        List<Promise<Void>> waiting;
        boolean again;
        synchronized (this) {
            if (wanted.get(channel) != one || one.at != at) {
                return;
            }
            again = one.confirmed;
            one.confirmed = true;
            waiting = List.copyOf(one.waiting);
            one.waiting.clear();
        }
        waiting.forEach(Promise::tryComplete);
        if (again) {
            receiver.onResubscribed(Set.of(channel));
        }
    }

    /** Handles the events of the nodes. */
    private final class Events implements RedisNode.Events {

        @Override
        public void onMessage(String channel, Buffer payload) {
            if (payload.length() == 0 && kind(channel) == RedisSubscription.Kind.SHARD) {
                // Published by ClusterCommands.tellSubscribers.
                receiver.onResubscribed(Set.of(channel));
            } else {
                receiver.onMessage(channel, payload);
            }
        }

        /**
         * A node that was away may have lost messages, and its slots; it may be of a new version.
         */
        @Override
        public void onReady(RedisNode node) {
            Set<String> channels = node.subscription().names();
            synchronized (ClusterConnections.this) {
                channels =
                        channels.stream()
                                .filter(name -> isConfirmedAt(node, name))
                                .collect(Collectors.toSet());
                if (node.server()
                        .flatMap(RedisLink.Server::isSharded)
                        .equals(sharded.map(s -> !s))) {
                    refreshSoon();
                }
            }
            receiver.onResubscribed(channels);
        }

        @SuppressWarnings("ReferenceEquality") // Every master has a node of its own.
        private boolean isConfirmedAt(RedisNode node, String channel) {
            WantedChannel one = wanted.get(channel);
            return one != null && one.confirmed && one.at != null && one.at.node == node;
        }

        @Override
        @SuppressWarnings("ReferenceEquality") // Every master has a node of its own.
        public void onLost(RedisNode node, Set<String> channels) {
            synchronized (ClusterConnections.this) {
                Master master = masterOf(node);
                if (master != null) {
                    askFirst = master.address;
                    if (channels.stream().anyMatch(name -> !wanted.containsKey(name))) {
                        // The probe's channel, or one that was left meanwhile.
                        master.probe.onLost();
                    }
                }
                for (String channel : channels) {
                    WantedChannel one = wanted.get(channel);
                    if (one != null && one.at != null && one.at.node == node) {
                        one.at = null;
                    }
                }
                moved = true;
                refreshSoon();
            }
        }

        /**
         * The slot of the probe has moved away, or is moving, which may take long. The node's other
         * slots show as well whether its connections work.
         */
        @Override
        public boolean onProbeRedirected(RedisNode node) {
            synchronized (ClusterConnections.this) {
                Master master = masterOf(node);
                if (master != null && master.serves && master.probe.isPlaced()) {
                    askFirst = master.address;
                    master.probe.onRedirected();
                }
                moved = true;
                refreshSoon();
                return true;
            }
        }

        /** Returns the master that a node belongs to; null if it was left or replaced. */
        @SuppressWarnings("ReferenceEquality") // Every master has a node of its own.
        private @Nullable Master masterOf(RedisNode node) {
            return masters.values().stream()
                    .filter(master -> master.node == node)
                    .findFirst()
                    .orElse(null);
        }
    }

    // The map of the slots

    private void onTick() {
        synchronized (this) {
            wereAllUp = wereAllUp || areAllUp();
            if (isSettled() && ++ticks < TICKS_PER_REFRESH) {
                return;
            }
            ticks = 0;
            if (isSettled()) {
                backoff.reset();
            }
        }
        refreshSoon();
    }

    /** Asks for the map of the slots after a pause, unless that is about to happen. */
    synchronized void refreshSoon() {
        if (!refreshing && !closed) {
            refreshing = true;
            vertx.setTimer(backoff.next().toMillis(), timer -> refresh());
        }
    }

    /** Asks one node after the other, until one answers. */
    private void refresh() {
        Future<ClusterSlots> answer = Future.failedFuture("no node is connected");
        for (Master master : candidates()) {
            answer = answer.recover(failed -> ask(master));
        }
        for (NodeAddress address : clients.configured()) {
            answer = answer.recover(failed -> ask(address));
        }
        answer.onSuccess(this::settle).onFailure(this::onNoAnswer);
    }

    /** Returns the connected masters in the order in which they are asked. */
    private synchronized List<Master> candidates() {
        List<Master> connected =
                new ArrayList<>(
                        masters.values().stream()
                                .filter(master -> master.node.connection().isPresent())
                                .toList());
        Collections.shuffle(connected);
        Master first = askFirst == null ? null : masters.get(askFirst);
        if (first != null && connected.remove(first)) {
            connected.add(0, first);
        }
        askFirst = null;
        return connected;
    }

    private Future<ClusterSlots> ask(Master master) {
        return master.node
                .connection()
                .map(connection -> askForSlots(connection, master.address))
                .orElseGet(() -> Future.failedFuture(NOT_CONNECTED));
    }

    /** Connects to a configured address, asks, and ends the connection. */
    private Future<ClusterSlots> ask(NodeAddress address) {
        Redis client = clients.create(address);
        Future<ClusterSlots> answer =
                client.connect()
                        .compose(
                                connection ->
                                        RedisLink.askServer(connection)
                                                .onSuccess(this::onFirstServer)
                                                .compose(
                                                        server ->
                                                                askForSlots(connection, address)));
        return AnswerTimeout.limit(vertx, answer, config.timeout())
                .onComplete(done -> vertx.getOrCreateContext().runOnContext(now -> client.close()));
    }

    private Future<ClusterSlots> askForSlots(RedisConnection connection, NodeAddress address) {
        Future<Response> slotMap = connection.send(Request.cmd(Command.CLUSTER).arg("SLOTS"));
        return AnswerTimeout.limit(vertx, slotMap, config.timeout())
                .map(answer -> ClusterSlots.parse(answer, address))
                .compose(
                        map ->
                                map.byOwner().isEmpty()
                                        ? Future.failedFuture(address + " knows no node with slots")
                                        : Future.succeededFuture(map));
    }

    private synchronized void onFirstServer(RedisLink.Server server) {
        if (sharded.isEmpty()) {
            changeMode(server.isSharded().orElse(false));
        }
    }

    private synchronized void onNoAnswer(Throwable failure) {
        String reason = RedisReason.of(failure);
        if (!reason.equals(lastError)) {
            lastError = reason;
            LOG.warnf(
                    "Redis Cluster: no node says which slots are where: %s. Parley goes on trying.",
                    reason);
        }
        refreshing = false;
        refreshSoon();
    }

    /** Uses a new map: connects to new nodes, leaves those without slots, and moves channels. */
    private synchronized void settle(ClusterSlots now) {
        refreshing = false;
        if (closed) {
            return;
        }
        lastError = NOT_CONNECTED;
        slots = now;
        moved = false;
        updateMode();
        Map<NodeAddress, BitSet> owners = now.byOwner();
        owners.forEach((address, owned) -> serve(master(address), owned));
        // Before channels are placed, so that none goes to, or stays at, a node that is left.
        leaveOthers(owners.keySet());
        int channels = 0;
        for (Map.Entry<String, WantedChannel> one : wanted.entrySet()) {
            channels += place(one.getKey(), one.getValue()) ? 1 : 0;
        }
        logMoves(channels);
        if (!isSettled()) {
            refreshSoon();
        }
    }

    private void serve(Master master, BitSet owned) {
        master.probe.onSlots(owned);
        if (!master.serves) {
            master.serves = true;
            master.node.startSubscription();
        }
    }

    private void leaveOthers(Set<NodeAddress> owners) {
        for (Iterator<Master> all = masters.values().iterator(); all.hasNext(); ) {
            Master master = all.next();
            boolean isAsked =
                    !master.serves && System.nanoTime() - master.redirectedNanos < KEPT_NANOS;
            if (!owners.contains(master.address) && !isAsked) {
                all.remove();
                closeAfterPending(master);
            }
        }
    }

    private void logMoves(int channels) {
        if (channels > 0 && System.nanoTime() - moveLoggedNanos > KEPT_NANOS) {
            moveLoggedNanos = System.nanoTime();
            LOG.infof(
                    "Redis Cluster: slots have moved; %d channels are subscribed to at other nodes,"
                            + " and their rooms compared (logged once a minute)",
                    channels);
        }
    }

    /** Tells whether all channels have their node, and all nodes are connected. */
    private boolean isSettled() {
        return !moved
                && !masters.isEmpty()
                && wanted.values().stream().allMatch(one -> one.at != null)
                && masters.values().stream().allMatch(m -> !m.serves || m.node.isConnected());
    }

    // Classic or sharded

    @Override
    public String publishCommand() {
        return isSharded() ? "SPUBLISH" : "PUBLISH";
    }

    synchronized boolean isSharded() {
        return sharded.orElse(false);
    }

    /**
     * All nodes have to support sharded publish/subscribe; it is not known of a node that is away.
     */
    private void updateMode() {
        List<Optional<Boolean>> nodes =
                masters.values().stream()
                        .filter(master -> master.serves)
                        .map(master -> master.node.server().flatMap(RedisLink.Server::isSharded))
                        .toList();
        if (isSharded() && nodes.contains(Optional.of(false))) {
            changeMode(false);
        } else if (!isSharded()
                && !nodes.isEmpty()
                && nodes.stream().allMatch(Optional.of(true)::equals)) {
            changeMode(true);
        }
    }

    /** All channels are subscribed to anew, in the other way. */
    private void changeMode(boolean toSharded) {
        sharded = Optional.of(toSharded);
        if (toSharded) {
            LOG.info("Redis Cluster: messages are published by slot (SPUBLISH)");
        } else {
            LOG.warn(
                    "Redis Cluster: a node is older than Redis 7, so each message is passed to all"
                            + " nodes, and the Cluster delivers no more than one node could. Upgrade"
                            + " all nodes to Redis 7 or later");
        }
        wanted.values().forEach(one -> one.at = null);
        masters.values().forEach(this::closeAfterPending);
        masters.clear();
    }

    /**
     * Leaves a node, outside the lock of this: the Redis client holds a lock of its own while it
     * ends a connection and fails the commands there, which take this one.
     */
    private void closeAfterPending(Master master) {
        vertx.runOnContext(now -> master.node.closeAfterPending());
    }

    // State

    @Override
    public synchronized boolean hasLegacySubscribersElsewhere() {
        return masters.values().stream().anyMatch(master -> master.node.hasLegacySubscribers());
    }

    @Override
    public synchronized RedisWrites writes(String key) {
        return Optional.ofNullable(owner(ClusterSlots.slotOf(key)))
                .map(master -> master.node.writes())
                .orElseGet(() -> new RedisWrites("Redis"));
    }

    @Override
    public synchronized String serverOf(String key) {
        Master owner = owner(ClusterSlots.slotOf(key));
        return owner == null ? "" : owner.address.toString();
    }

    private synchronized boolean mayEvict() {
        return masters.values().stream().anyMatch(master -> master.node.mayEvict());
    }

    /**
     * Messages flow if they do from one node at least: another pod would not reach the others any
     * better. A pod that starts waits for all of them, up to {@code parley.redis.probe-timeout}.
     * After that time, or after a tick at which messages flowed from all of them, it goes on
     * without those that are away.
     */
    @Override
    public synchronized Optional<String> problem() {
        long serving = serving();
        if (serving == 0) {
            return Optional.of("no connection to a Redis Cluster: " + lastError);
        }
        Map<String, String> silent = silentServers();
        if (silent.isEmpty() || (silent.size() < serving && hasStarted())) {
            return Optional.empty();
        }
        return Optional.of(
                silent.entrySet().stream()
                        .map(one -> one.getKey() + ": " + one.getValue())
                        .collect(Collectors.joining("; ")));
    }

    /** Tells whether the pod waits no longer for masters from which no messages flow. */
    private boolean hasStarted() {
        return wereAllUp || System.nanoTime() - startNanos > config.probeTimeout().toNanos();
    }

    private boolean areAllUp() {
        return serving() > 0 && silentServers().isEmpty();
    }

    /** Returns the number of masters that have slots. */
    private long serving() {
        return masters.values().stream().filter(master -> master.serves).count();
    }

    @Override
    public synchronized Map<String, String> silentServers() {
        Map<String, String> silent = new TreeMap<>();
        masters.values().stream()
                .filter(master -> master.serves)
                .forEach(
                        master ->
                                master.node
                                        .problem()
                                        .ifPresent(
                                                reason ->
                                                        silent.put(
                                                                master.address.toString(),
                                                                reason)));
        return silent;
    }

    @Override
    public synchronized Optional<String> publishingProblem() {
        return masters.values().stream()
                .flatMap(master -> master.node.writes().problem().stream())
                .sorted()
                .reduce((one, other) -> one + "; " + other);
    }
}
