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
import java.time.Duration;
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
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A pod's access to a Redis Cluster: a {@link RedisNode} for each master that has slots, and the
 * map of the slots ({@link ClusterSlots}) that says which of them has a key or a channel.
 *
 * <p><b>Commands</b> go to the node that has the slot of the first key. A node that answers MOVED
 * or ASK names the one that has it now, which is asked instead. Calls that wait for a node's
 * connection, or to be sent again, are bounded as those that wait for an answer.
 *
 * <p><b>Channels</b> are subscribed to at the node that has the slot of their name. Channels whose
 * name begins with the prefix and a hash tag, such as {@code parley:{kitchen}:live}, are sharded
 * from Redis 7 on (SSUBSCRIBE, SPUBLISH): only that node knows them. Others, and all of them on
 * older servers, are classic: a message that is published at any node reaches the subscriber at any
 * other.
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
 * not connected; else every few seconds. Thread-safe; while the lock of this is held, locks of the
 * nodes are taken, and never the reverse.
 */
public final class ClusterConnections implements RedisConnections {

    private static final Logger LOG = Logger.getLogger(ClusterConnections.class);

    /** Ticks of the probe's interval between two looks at the map while nothing is wrong. */
    private static final int TICKS_PER_REFRESH = 5;

    /** How often a command is redirected before it waits a little: the nodes disagree. */
    private static final int QUICK_REDIRECTS = 3;

    /** Pause before a command that no node runs at the moment is sent again. */
    private static final Duration RETRY_PAUSE = Duration.ofMillis(50);

    /** How long a node without slots is kept after a command was redirected to it. */
    private static final long KEPT_NANOS = TimeUnit.SECONDS.toNanos(60);

    private static final String NOT_CONNECTED = "not connected";

    private final ClusterClients clients;
    private final RedisSetup setup;
    private final Receiver receiver;
    private final Vertx vertx;
    private final RedisConfig config;

    /** Calls that wait before they are sent again. */
    private final AtomicInteger retrying = new AtomicInteger();

    // Guarded by this.

    private final Map<NodeAddress, Member> members = new HashMap<>();
    private final Map<String, Wanted> wanted = new HashMap<>();
    private final Backoff backoff;
    private ClusterSlots slots = ClusterSlots.NONE;
    private @Nullable NodeAddress askFirst;
    private boolean moved;
    private boolean refreshing;
    private long periodic = -1;
    private int ticks;
    private long startNanos;
    private boolean started;
    private boolean closed;
    private long lastMoveNanos;
    private String lastError = NOT_CONNECTED;

    /** Empty until a node has answered. */
    private Optional<Boolean> sharded = Optional.empty();

    /** A node, and what it is used for. */
    private static final class Member {

        private final NodeAddress address;
        private final RedisNode node;
        private BitSet slots = new BitSet();
        private boolean serves;

        /** The slot of the place where the probe is; -1 for none. */
        private int probeSlot = -1;

        /** Slots in which the probe was, and which the node did not have, or was giving away. */
        private final BitSet redirecting = new BitSet();

        private long redirectedNanos = System.nanoTime();

        Member(NodeAddress address, RedisNode node) {
            this.address = address;
            this.node = node;
        }
    }

    /** A channel that is wanted, and where it is subscribed to. */
    private static final class Wanted {

        private final int slot;
        private int users;
        private @Nullable Member at;

        /** Whether Redis has confirmed it at least once. */
        private boolean confirmed;

        private final List<Promise<Void>> waiting = new ArrayList<>();

        Wanted(String channel) {
            slot = ClusterSlots.slotOf(channel);
        }
    }

    /** A script that runs at the node of its keys. */
    private record Call(
            RedisCommands.Script script,
            List<String> keys,
            List<String> args,
            int slot,
            long deadlineNanos) {

        boolean isOver() {
            return System.nanoTime() - deadlineNanos > 0;
        }
    }

    /** Makes the access to the Cluster that has the configured nodes. */
    public ClusterConnections(ClusterClients clients, RedisSetup setup, Receiver receiver) {
        this.clients = clients;
        this.setup = setup;
        this.receiver = receiver;
        this.vertx = setup.vertx();
        this.config = setup.config();
        this.backoff = new Backoff(config.minBackoff(), config.maxBackoff());
        subscribe(setup.pattern());
        EvictionWatch.register(this::mayEvict, setup.meters());
        Gauge.builder("parley.redis.nodes.silent", this, cluster -> cluster.silent().size())
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
        List<Member> all;
        synchronized (this) {
            closed = true;
            vertx.cancelTimer(periodic);
            all = List.copyOf(members.values());
        }
        all.forEach(member -> member.node.close());
    }

    // Commands

    @Override
    public Future<Response> send(
            RedisCommands.Script script, List<String> keys, List<String> args) {
        long limit = config.timeout().toNanos();
        int slot = ClusterSlots.slotOf(keys.get(0));
        var call = new Call(script, keys, args, slot, System.nanoTime() + limit);
        // Each step has its bound; this one holds whatever step the answer is lost in.
        Future<Response> answer = sendTo(call, owner(slot), 0);
        return AnswerTimeout.limit(vertx, answer, config.timeout().multipliedBy(2))
                .recover(ClusterConnections::unavailable);
    }

    private static Future<Response> unavailable(Throwable failure) {
        return Future.failedFuture(
                failure instanceof TimeoutException
                        ? new RedisUnavailable("no node of the Redis Cluster answered in time")
                        : failure);
    }

    /**
     * Sends a call to a node.
     *
     * @param redirects how often nodes have redirected it
     */
    private Future<Response> sendTo(Call call, @Nullable Member member, int redirects) {
        if (member == null) {
            refreshSoon();
            return Future.failedFuture(new RedisUnavailable(noNode(call.slot())));
        }
        // A replica that has taken over, for example, is being connected to just now.
        Future<?> connected =
                member.node.isFirstAttempt()
                        ? whenConnected(call, member)
                        : Future.succeededFuture();
        return connected
                .compose(up -> member.node.commands().send(call.script(), call.keys(), call.args()))
                .recover(failure -> onFailure(call, member, failure, redirects));
    }

    private Future<Response> onFailure(Call call, Member member, Throwable failure, int redirects) {
        if (member.node.connection().isEmpty()) {
            refreshSoon();
        }
        Optional<ClusterReply> reply = ClusterReply.of(failure, member.address);
        if (reply.isEmpty() || call.isOver()) {
            return Future.failedFuture(failure);
        }
        if (reply.get() instanceof ClusterReply.Ask ask) {
            Member next = redirectedTo(ask.to());
            return whenConnected(call, next)
                    .compose(
                            up -> next.node.commands().ask(call.script(), call.keys(), call.args()))
                    .onSuccess(done -> tellSubscribers(call, member))
                    .recover(later -> onFailure(call, next, later, redirects + 1));
        }
        if (reply.get() instanceof ClusterReply.Moved moving && redirects < QUICK_REDIRECTS) {
            Member next = onMoved(moving);
            return whenConnected(call, next).compose(up -> sendTo(call, next, redirects + 1));
        }
        refreshSoon();
        return pauseBeforeRetry().compose(now -> sendTo(call, owner(call.slot()), 0));
    }

    /**
     * Waits a little before a call is sent again. Fails at once if {@link RedisConfig#maxPending}
     * calls do so already: a node does not count them while they wait here.
     */
    private Future<?> pauseBeforeRetry() {
        if (retrying.incrementAndGet() > config.maxPending()) {
            retrying.decrementAndGet();
            return Future.failedFuture(
                    new RedisUnavailable(
                            "Redis is too far behind: "
                                    + config.maxPending()
                                    + " commands wait to be sent again"));
        }
        return vertx.timer(RETRY_PAUSE.toMillis(), TimeUnit.MILLISECONDS)
                .onComplete(over -> retrying.decrementAndGet());
    }

    /**
     * Tells the subscribers of a sharded channel that its slot is moving, and that a message was
     * published at the next node. They are still at the former one, and cannot be elsewhere before
     * the slot has moved. An empty message makes them read the room's log.
     */
    private void tellSubscribers(Call call, Member former) {
        if (isSharded()) {
            call.script()
                    .channel(call.args())
                    .map(channel -> Request.cmd(Command.SPUBLISH).arg(channel).arg(""))
                    .ifPresent(hint -> former.node.connection().ifPresent(c -> c.send(hint)));
        }
    }

    /**
     * Waits for the connection of a node to which a call was redirected, as long as it may take.
     */
    private Future<?> whenConnected(Call call, Member member) {
        long left = Math.max(1, (call.deadlineNanos() - System.nanoTime()) / 1_000_000);
        return member.node
                .whenReady(Duration.ofMillis(left), config.timeout())
                .recover(
                        failure ->
                                Future.failedFuture(
                                        failure instanceof RedisUnavailable
                                                ? failure
                                                : new RedisUnavailable(
                                                        "no connection to a node of Redis")));
    }

    private synchronized @Nullable Member owner(int slot) {
        return slots.owner(slot).map(members::get).orElse(null);
    }

    private synchronized Member redirectedTo(NodeAddress address) {
        Member member = member(address);
        member.redirectedNanos = System.nanoTime();
        return member;
    }

    private synchronized Member onMoved(ClusterReply.Moved reply) {
        slots = slots.with(reply.slot(), reply.to());
        askFirst = reply.to();
        moved = true;
        refreshSoon();
        return redirectedTo(reply.to());
    }

    /** Returns the member at an address, and begins to connect to it if it is new. */
    private Member member(NodeAddress address) {
        Member member = members.get(address);
        if (member == null) {
            member = new Member(address, newNode(address));
            members.put(address, member);
            if (!closed) {
                member.node.startCommands();
            }
        }
        return member;
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

    private String noNode(int slot) {
        return members.isEmpty()
                ? RedisReason.forClients("no connection to a Redis Cluster", lastError)
                : "no node of the Redis Cluster has slot " + slot;
    }

    // Channels

    @Override
    public Future<Void> subscribe(String channel) {
        synchronized (this) {
            Wanted one = wanted.computeIfAbsent(channel, Wanted::new);
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
            Wanted left = wanted.get(channel);
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
     * Subscribes to a channel at the node that has its slot, and leaves the node where it was.
     *
     * @return whether the channel moved from one node to another
     */
    @SuppressWarnings("ReferenceEquality") // A member that was replaced has another connection.
    private boolean place(String channel, Wanted one) {
        Member to = owner(one.slot);
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
        return to != null && one.confirmed;
    }

    private RedisSubscription.Kind kind(String channel) {
        if (channel.equals(setup.pattern())) {
            return RedisSubscription.Kind.PATTERN;
        }
        return isSharded() && channel.startsWith(config.prefix() + ":{")
                ? RedisSubscription.Kind.SHARD
                : RedisSubscription.Kind.CHANNEL;
    }

    @SuppressWarnings("ReferenceEquality") // This very channel and member, not later ones.
    private void onConfirmed(String channel, Wanted one, Member at) {
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

    /** What the nodes tell. */
    private final class Events implements RedisNode.Events {

        @Override
        public void onMessage(String channel, Buffer payload) {
            if (payload.length() == 0 && kind(channel) == RedisSubscription.Kind.SHARD) {
                // Published by tellSubscribers.
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

        @SuppressWarnings("ReferenceEquality") // Every member has a node of its own.
        private boolean isConfirmedAt(RedisNode node, String channel) {
            Wanted one = wanted.get(channel);
            return one != null && one.confirmed && one.at != null && one.at.node == node;
        }

        @Override
        @SuppressWarnings("ReferenceEquality") // Every member has a node of its own.
        public void onLost(RedisNode node, Set<String> channels) {
            synchronized (ClusterConnections.this) {
                for (Member member : members.values()) {
                    if (member.node == node) {
                        askFirst = member.address;
                        if (channels.stream().anyMatch(name -> !wanted.containsKey(name))) {
                            // The probe's channel, or one that was left meanwhile.
                            member.probeSlot = -1;
                        }
                    }
                }
                for (String channel : channels) {
                    Wanted one = wanted.get(channel);
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
        @SuppressWarnings("ReferenceEquality") // Every member has a node of its own.
        public boolean onProbeRedirected(RedisNode node) {
            synchronized (ClusterConnections.this) {
                for (Member member : members.values()) {
                    if (member.node == node && member.serves && member.probeSlot >= 0) {
                        askFirst = member.address;
                        probeElsewhere(member);
                    }
                }
                moved = true;
                refreshSoon();
                return true;
            }
        }

        /** A reshard may begin with many slots at once, so none of them is tried twice. */
        private void probeElsewhere(Member member) {
            member.redirecting.set(member.probeSlot);
            BitSet others = (BitSet) member.slots.clone();
            others.andNot(member.redirecting);
            if (others.isEmpty()) {
                // Perhaps one of them has come back.
                member.redirecting.clear();
            } else {
                probeIn(member, others);
            }
        }
    }

    // The map of the slots

    private void onTick() {
        synchronized (this) {
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
    private synchronized void refreshSoon() {
        if (!refreshing && !closed) {
            refreshing = true;
            vertx.setTimer(backoff.next().toMillis(), timer -> refresh());
        }
    }

    /** Asks one node after the other, until one answers. */
    private void refresh() {
        Future<ClusterSlots> answer = Future.failedFuture("no node is connected");
        for (Member member : candidates()) {
            answer = answer.recover(failed -> ask(member));
        }
        for (NodeAddress address : clients.configured()) {
            answer = answer.recover(failed -> ask(address));
        }
        answer.onSuccess(this::settle).onFailure(this::onNoAnswer);
    }

    /** Returns the connected members in the order in which they are asked. */
    private synchronized List<Member> candidates() {
        List<Member> connected =
                new ArrayList<>(
                        members.values().stream()
                                .filter(member -> member.node.connection().isPresent())
                                .toList());
        Collections.shuffle(connected);
        Member first = askFirst == null ? null : members.get(askFirst);
        if (first != null && connected.remove(first)) {
            connected.add(0, first);
        }
        askFirst = null;
        return connected;
    }

    private Future<ClusterSlots> ask(Member member) {
        return member.node
                .connection()
                .map(connection -> askForSlots(connection, member.address))
                .orElseGet(() -> Future.failedFuture("not connected"));
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
        owners.forEach((address, owned) -> serve(member(address), owned));
        int channels = 0;
        for (Map.Entry<String, Wanted> one : wanted.entrySet()) {
            channels += place(one.getKey(), one.getValue()) ? 1 : 0;
        }
        leaveOthers(owners.keySet());
        logMoves(channels);
        if (!isSettled()) {
            refreshSoon();
        }
    }

    private void serve(Member member, BitSet owned) {
        member.slots = owned;
        member.redirecting.and(owned);
        if (member.probeSlot < 0 || !owned.get(member.probeSlot)) {
            probeIn(member, owned);
        }
        if (!member.serves) {
            member.serves = true;
            member.node.startSubscription();
        }
    }

    /** Finds a place for a node's probe in one of these slots, by trying. */
    private void probeIn(Member member, BitSet slots) {
        int number = 0;
        RedisProbe.Place place = setup.probesInSlots().apply(number);
        while (!slots.get(ClusterSlots.slotOf(place.key()))) {
            place = setup.probesInSlots().apply(++number);
        }
        member.probeSlot = ClusterSlots.slotOf(place.key());
        member.node.probeAt(place, kind(place.channel()));
    }

    private void leaveOthers(Set<NodeAddress> owners) {
        for (Iterator<Member> all = members.values().iterator(); all.hasNext(); ) {
            Member member = all.next();
            boolean isAsked =
                    !member.serves && System.nanoTime() - member.redirectedNanos < KEPT_NANOS;
            if (!owners.contains(member.address) && !isAsked) {
                all.remove();
                finish(member);
            }
        }
    }

    private void logMoves(int channels) {
        if (channels > 0 && System.nanoTime() - lastMoveNanos > KEPT_NANOS) {
            lastMoveNanos = System.nanoTime();
            LOG.infof(
                    "Redis Cluster: slots have moved; %d channels are subscribed to at other nodes,"
                            + " and their rooms compared (logged once a minute)",
                    channels);
        }
    }

    /** Tells whether all channels have their node, and all nodes are connected. */
    private boolean isSettled() {
        return !moved
                && !members.isEmpty()
                && wanted.values().stream().allMatch(one -> one.at != null)
                && members.values().stream().allMatch(m -> !m.serves || m.node.isConnected());
    }

    // Classic or sharded

    @Override
    public String publishCommand() {
        return isSharded() ? "SPUBLISH" : "PUBLISH";
    }

    private synchronized boolean isSharded() {
        return sharded.orElse(false);
    }

    /** All nodes have to know sharded publish/subscribe; of one that is away nothing is known. */
    private void updateMode() {
        List<Optional<Boolean>> nodes =
                members.values().stream()
                        .filter(member -> member.serves)
                        .map(member -> member.node.server().flatMap(RedisLink.Server::isSharded))
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
        members.values().forEach(this::finish);
        members.clear();
    }

    /**
     * Leaves a node, outside the lock of this: the Redis client holds a lock of its own while it
     * ends a connection and fails the commands there, which take this one.
     */
    private void finish(Member member) {
        vertx.runOnContext(now -> member.node.finish());
    }

    // State

    @Override
    public synchronized boolean isCountedElsewhere() {
        return members.values().stream().anyMatch(member -> member.node.hasCounted());
    }

    @Override
    public synchronized RedisWrites writes(String key) {
        return Optional.ofNullable(owner(ClusterSlots.slotOf(key)))
                .map(member -> member.node.writes())
                .orElseGet(() -> new RedisWrites("Redis"));
    }

    @Override
    public synchronized String serverOf(String key) {
        Member owner = owner(ClusterSlots.slotOf(key));
        return owner == null ? "" : owner.address.toString();
    }

    private synchronized boolean mayEvict() {
        return members.values().stream().anyMatch(member -> member.node.mayEvict());
    }

    /**
     * Messages flow if they do from one node at least: another pod would not reach the others any
     * better. A pod that starts waits for all of them, up to {@code parley.redis.probe-timeout}.
     */
    @Override
    public synchronized Optional<String> problem() {
        Map<String, String> silent = silent();
        long serving = members.values().stream().filter(member -> member.serves).count();
        if (serving == 0) {
            return Optional.of("no connection to a Redis Cluster: " + lastError);
        }
        if (silent.isEmpty() || System.nanoTime() - startNanos > config.probeTimeout().toNanos()) {
            started = true;
        }
        return silent.size() == serving || !started
                ? Optional.of(
                        silent.entrySet().stream()
                                .map(one -> one.getKey() + ": " + one.getValue())
                                .collect(Collectors.joining("; ")))
                : Optional.empty();
    }

    @Override
    public Map<String, String> away() {
        return silent();
    }

    private synchronized Map<String, String> silent() {
        Map<String, String> silent = new TreeMap<>();
        members.values().stream()
                .filter(member -> member.serves)
                .forEach(
                        member ->
                                member.node
                                        .problem()
                                        .ifPresent(
                                                reason ->
                                                        silent.put(
                                                                member.address.toString(),
                                                                reason)));
        return silent;
    }

    @Override
    public synchronized Optional<String> problemOfPublishing() {
        return members.values().stream()
                .flatMap(member -> member.node.writes().problem().stream())
                .sorted()
                .reduce((one, other) -> one + "; " + other);
    }
}
