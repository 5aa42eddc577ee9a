package dev.parley.redis;

import io.micrometer.core.instrument.Timer;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Response;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Checks that messages flow: every few seconds the pod sends itself a message through Redis, by a
 * script that also tries a write, and must receive it. That detects failures that leave the sockets
 * open: a subscription that is connected but silent, a server that hangs, a connection that leads
 * to a former primary. The connections are then made anew.
 */
public final class RedisProbe {

    /** The probe's script, which the command connection loads when it is prepared. */
    static final RedisCommands.Script SCRIPT =
            RedisCommands.Script.load(RedisProbe.class, "probe.lua");

    /** A probe message: the value of {@link System#nanoTime} when it was sent. */
    private static final Pattern SENT = Pattern.compile("-?[0-9]{1,18}");

    /** Messages between two checks of what Redis evicts. */
    private static final int MESSAGES_PER_CHECK = 5;

    private static final Logger LOG = Logger.getLogger(RedisProbe.class);

    private final Vertx vertx;
    private final RedisConfig config;
    private final RedisCommands commands;
    private final RedisLink commandLink;
    private final RedisLink subscription;
    private final RedisWrites writes;
    private final EvictionWatch evictions;
    private final BooleanSupplier onRedirected;
    private final Timer roundTrip;
    private final String publishCommand;
    private final String legacyChannel;

    private volatile @Nullable Place place;
    private volatile long legacySubscribers;

    private final Unanswered unanswered = new Unanswered();
    private volatile long readyNanos;
    private volatile boolean received;

    /** Why Redis refused the last message, if none was received after it; otherwise empty. */
    private volatile String refusal = "";

    /** When the probe's timer last ran, and since when it has run in time. */
    private volatile long tickNanos;

    private volatile long inTimeSinceNanos;

    private final AtomicBoolean warnedOfCount = new AtomicBoolean();
    private final AtomicInteger sinceCheck = new AtomicInteger();
    private volatile long timer = -1;

    /**
     * Where a pod sends itself messages.
     *
     * @param channel on which this pod, and no other, sends itself messages
     * @param key that this pod, and no other, writes and removes again
     */
    public record Place(String channel, String key) {}

    /**
     * What a probe watches at its server, and informs of what it notices.
     *
     * @param commandLink the first connection for commands, which {@code commands} uses
     * @param subscription the connection that is subscribed
     */
    record Watched(
            RedisLink commandLink,
            RedisLink subscription,
            RedisCommands commands,
            RedisWrites writes,
            EvictionWatch evictions) {}

    /**
     * @param publishCommand the command by which messages are sent: PUBLISH or SPUBLISH
     * @param onRedirected runs when the server said that the place is at another node; returns true
     *     if that is normal, because the server is a Cluster node
     */
    RedisProbe(
            RedisSetup setup,
            String publishCommand,
            Watched watched,
            BooleanSupplier onRedirected) {
        this.vertx = setup.vertx();
        this.config = setup.config();
        this.legacyChannel = setup.legacyChannel();
        this.publishCommand = publishCommand;
        this.commandLink = watched.commandLink();
        this.subscription = watched.subscription();
        this.commands = watched.commands();
        this.writes = watched.writes();
        this.evictions = watched.evictions();
        this.onRedirected = onRedirected;
        this.roundTrip =
                Timer.builder("parley.redis.roundtrip")
                        .description("Time for a message of the pod to itself through Redis")
                        .serviceLevelObjectives(
                                Duration.ofMillis(1),
                                Duration.ofMillis(5),
                                Duration.ofMillis(25),
                                Duration.ofMillis(100),
                                // The bound of the alert ParleyRedisRoundTripSlow.
                                Duration.ofMillis(250),
                                Duration.ofMillis(500),
                                Duration.ofSeconds(2))
                        .register(setup.meters());
    }

    /**
     * Sends the next messages elsewhere. Nothing is sent before the first call. The caller
     * subscribes to the channel. What was sent to the former place may not arrive any more.
     */
    void moveTo(Place next) {
        if (!next.equals(place)) {
            unanswered.clear();
        }
        place = next;
    }

    /** Returns how many connections were subscribed to the legacy channel at the last message. */
    long legacySubscribers() {
        return legacySubscribers;
    }

    /** Begins to send messages. */
    void start() {
        tickNanos = System.nanoTime();
        inTimeSinceNanos = tickNanos;
        timer = vertx.setPeriodic(config.probeInterval().toMillis(), id -> tick());
    }

    /** Stops sending messages. */
    void stop() {
        vertx.cancelTimer(timer);
    }

    /**
     * Called when one of the two connections was made anew. Messages that were received before
     * prove nothing about it, so a new one is sent as soon as both connections are up.
     */
    void onReady() {
        // The order matters: a message that arrives between these lines was sent before, and must
        // not count as received.
        readyNanos = System.nanoTime();
        received = false;
        unanswered.clear();
        Optional<RedisLink.Server> commandServer = commandLink.server();
        Optional<RedisLink.Server> subscriptionServer = subscription.server();
        if (commandServer.isEmpty() || subscriptionServer.isEmpty()) {
            return;
        }
        if (commandServer.get().isNot(subscriptionServer.get())) {
            // The newer connection leads where the address leads now, so the older one is renewed.
            RedisLink older = commandLink.isOlderThan(subscription) ? commandLink : subscription;
            older.renew("subscription and commands are on different servers");
            return;
        }
        checkEvictions();
        send();
    }

    /** Called when a message arrived on the probe's channel. */
    void onMessage(String payload) {
        if (!SENT.matcher(payload).matches()) {
            return;
        }
        long sent = Long.parseLong(payload);
        long now = System.nanoTime();
        roundTrip.record(Duration.ofNanos(now - sent));
        if (sent - readyNanos < 0) {
            // It was sent before the connections were made anew.
            return;
        }
        unanswered.onReceived(sent, now);
        received = true;
        refusal = "";
        commandLink.confirm();
        subscription.confirm();
    }

    /** Returns why messages do not flow, one sentence for an operator; empty while they do. */
    Optional<String> problem() {
        if (!received) {
            return Optional.of(
                    refusal.isEmpty() ? "subscribed to Redis, but nothing received yet" : refusal);
        }
        return isOverdue() ? Optional.of(overdue()) : Optional.empty();
    }

    private String overdue() {
        return refusal.isEmpty()
                ? "nothing received from Redis for " + config.probeTimeout()
                : refusal;
    }

    private void tick() {
        noteTick();
        if (place == null
                || commandLink.connection().isEmpty()
                || subscription.connection().isEmpty()) {
            return;
        }
        if (isOverdue()) {
            String reason = overdue();
            subscription.renew(reason);
            commandLink.renew(reason);
            return;
        }
        send();
        if (sinceCheck.incrementAndGet() >= MESSAGES_PER_CHECK) {
            sinceCheck.set(0);
            checkEvictions();
        }
    }

    private boolean isOverdue() {
        long now = System.nanoTime();
        return unanswered.isFor(config.probeTimeout(), now)
                && now - inTimeSinceNanos > config.probeTimeout().toNanos();
    }

    /**
     * A pod that was stopped, or whose event loops were busy for seconds, has not read its sockets
     * meanwhile. What it did not receive by then says nothing about Redis: messages may be waiting
     * there. So the time that a message may take begins anew.
     */
    private void noteTick() {
        long now = System.nanoTime();
        long late = now - tickNanos - config.probeInterval().toNanos();
        if (late > config.probeTimeout().toNanos() / 2) {
            inTimeSinceNanos = now;
        }
        tickNanos = now;
    }

    private void checkEvictions() {
        Place at = place;
        if (at != null) {
            evictions.check(at.key());
        }
    }

    private void send() {
        Place at = place;
        if (at == null) {
            return;
        }
        long now = System.nanoTime();
        unanswered.onSent(now);
        commands.sendOnLink(
                        SCRIPT,
                        List.of(at.key()),
                        List.of(at.channel(), Long.toString(now), publishCommand, legacyChannel))
                .onSuccess(this::onSent)
                .onFailure(failure -> onRefused(failure, at));
    }

    private void onSent(Response reply) {
        writes.onProbe(reply.get(0).toString());
        legacySubscribers = reply.get(1).toLong();
        warnOfCount(reply.get(2).toString());
    }

    /**
     * Warns once if the account may not count the subscribers of the legacy channel: a publish then
     * takes it that there are none, and is not announced there.
     */
    private void warnOfCount(String error) {
        if (!error.isEmpty() && warnedOfCount.compareAndSet(false, true)) {
            LOG.warnf(
                    "Redis refuses to count the subscribers of %s: %s. While pods of version 0.1 run,"
                            + " their readers receive what this pod publishes up to"
                            + " parley.log.audit late. Give the account the right +pubsub|numsub"
                            + " (logged once)",
                    legacyChannel, RedisReason.ofReply(error));
        }
    }

    /**
     * Called when a message could not be sent. If Redis refused it, and none was received since the
     * connections were made, the command connection is made anew at once. Otherwise that happens
     * when the probe is overdue. The reason has the same words as one for which a connection is
     * refused, so that it is logged once.
     *
     * <p>A node of a Cluster that does not have the slot any more, or is giving it away, needs
     * another place, not another connection: its connections work, and are kept.
     */
    private void onRefused(Throwable failure, Place at) {
        if (failure instanceof RedisUnavailable refused
                && refused.refusal().isPresent()
                && refused.getCause() != null) {
            Throwable cause = refused.getCause();
            if (ClusterReply.isRedirection(cause)
                    && (!at.equals(place) || onRedirected.getAsBoolean())) {
                unanswered.clear();
                return;
            }
            refusal = RedisReason.of(cause);
            if (!received && !ClusterReply.is(cause)) {
                commandLink.renew(refusal);
            }
        }
    }

    /**
     * Since when the pod waits for a message that it has sent. A message that is received answers
     * those that were sent before it too: they may have been lost while a slot moved.
     */
    static final class Unanswered {

        // Guarded by this.

        private boolean isWaiting;
        private long sinceNanos;
        private long lastSentNanos;

        synchronized void onSent(long nowNanos) {
            if (!isWaiting) {
                isWaiting = true;
                sinceNanos = nowNanos;
            }
            lastSentNanos = nowNanos;
        }

        /**
         * @param sentNanos when the message that was received was sent
         */
        synchronized void onReceived(long sentNanos, long nowNanos) {
            // If a later message has arrived already, this one, from the probe's former place,
            // proves nothing.
            if (isWaiting) {
                isWaiting = lastSentNanos - sentNanos > 0;
                sinceNanos = nowNanos;
            }
        }

        synchronized void clear() {
            isWaiting = false;
        }

        /** Tells whether the pod waits for longer than this. */
        synchronized boolean isFor(Duration longest, long nowNanos) {
            return isWaiting && nowNanos - sinceNanos > longest.toNanos();
        }
    }
}
