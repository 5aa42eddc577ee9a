package dev.parley.redis;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * One server and all that a pod has there: connections for commands, pipelined; a connection that
 * is subscribed; and the probe that watches it and the first one for commands.
 */
final class RedisNode {

    private final RedisLink commandLink;
    private final LoopConnections loops;
    private final RedisLink subscriptionLink;
    private final RedisCommands commands;
    private final RedisSubscription subscription;
    private final RedisWrites writes;
    private final EvictionWatch evictions;
    private final RedisProbe probe;
    private volatile String probeChannel = "";

    /** Events of a node. */
    interface Events {

        /** Called for each message but those of the probe. */
        void onMessage(String channel, Buffer payload);

        /** Called each time one of the connections is up. */
        void onReady(RedisNode node);

        /** Called when the node does not have these channels any more. */
        void onLost(RedisNode node, Set<String> channels);

        /**
         * Called when the node does not run the probe where it is: its slot is, or goes, elsewhere.
         *
         * @return true if that is normal, as in a Cluster
         */
        boolean onProbeRedirected(RedisNode node);
    }

    /**
     * @param name what the log calls the server, such as {@code Redis server north}
     * @param links what the log calls its connections, before {@code command}
     * @param commandsOfEachLoop whether each event loop has a connection for commands
     * @param join runs on each new connection for commands before it is used
     * @param publishCommand the command by which the probe publishes: PUBLISH or SPUBLISH
     */
    RedisNode(
            String name,
            String links,
            Supplier<Redis> clients,
            boolean commandsOfEachLoop,
            Function<RedisConnection, Future<Void>> join,
            String publishCommand,
            RedisSetup setup,
            Events events) {
        this.commandLink =
                new RedisLink(
                        links + "command",
                        setup.vertx(),
                        clients,
                        setup.config(),
                        connection ->
                                RedisCommands.loadScripts(connection, setup.scripts())
                                        .compose(done -> join.apply(connection)),
                        () -> onReady(events));
        this.loops =
                new LoopConnections(
                        links + "command", setup, commandLink, clients, commandsOfEachLoop);
        this.subscriptionLink =
                new RedisLink(
                        links + "subscription",
                        setup.vertx(),
                        clients,
                        setup.config(),
                        this::join,
                        () -> onReady(events));
        this.commands =
                new RedisCommands(
                        setup.vertx(),
                        commandLink,
                        loops,
                        subscriptionLink,
                        setup.config(),
                        setup.meters());
        this.writes = new RedisWrites(name);
        this.evictions = new EvictionWatch(name, commands, setup.meters());
        this.probe =
                new RedisProbe(
                        setup,
                        publishCommand,
                        new RedisProbe.Watched(
                                commandLink, subscriptionLink, commands, writes, evictions),
                        () -> events.onProbeRedirected(this));
        this.subscription =
                new RedisSubscription(
                        setup.vertx(),
                        (channel, payload) -> {
                            if (channel.equals(probeChannel)) {
                                probe.onMessage(payload.toString());
                            } else {
                                events.onMessage(channel, payload);
                            }
                        },
                        subscriptionLink::renew,
                        lost -> events.onLost(this, lost));
    }

    private Future<Void> join(RedisConnection connection) {
        return subscription.join(connection);
    }

    private void onReady(Events events) {
        // Not before: where Redis takes few clients, the subscription is needed, and these are not.
        if (isConnected()) {
            loops.open();
        }
        probe.onReady();
        events.onReady(this);
    }

    /** Begins to connect for commands alone; does nothing if it was called before. */
    void startCommands() {
        commandLink.start();
    }

    /** Begins to connect for the subscription too, and to watch both. */
    void startSubscription() {
        commandLink.start();
        subscriptionLink.start();
        probe.start();
    }

    /**
     * Lets the probe send its next messages elsewhere, or at the same place again, where its
     * channel may have been lost.
     */
    void probeAt(RedisProbe.Place place, RedisSubscription.Kind kind) {
        String former = probeChannel;
        if (!former.equals(place.channel()) || !subscription.isWanted(former)) {
            subscription.subscribe(place.channel(), kind);
        }
        probeChannel = place.channel();
        probe.moveTo(place);
        if (!former.equals(place.channel())) {
            subscription.unsubscribe(former);
        }
    }

    /**
     * Ends the connections to a server that works but is the wrong one, unless they lead to another
     * one by now. The commands that were sent before are answered.
     */
    void leave(RedisLink.Server wrong, String reason) {
        connection()
                .filter(connection -> server().equals(Optional.of(wrong)))
                .filter(connection -> commandLink.quit(connection, reason))
                .ifPresent(left -> subscriptionLink.renew(reason));
    }

    /** Ends all connections for good. */
    void close() {
        probe.stop();
        subscriptionLink.close();
        commandLink.close();
        loops.close();
    }

    /** Ends all connections for good, after the commands that wait for their answers. */
    void closeAfterPending() {
        probe.stop();
        subscriptionLink.close();
        commandLink.closeAfterPending();
        loops.closeAfterPending();
    }

    RedisCommands commands() {
        return commands;
    }

    /** Returns the connection for commands, while it is up. */
    Optional<RedisConnection> connection() {
        return commandLink.connection();
    }

    /** Tells whether the first attempt to connect for commands is under way. */
    boolean isFirstAttempt() {
        return commandLink.isFirstAttempt();
    }

    /** Waits for the connection for commands, as {@link RedisLink#whenReady}. */
    Future<RedisConnection> whenReady(Duration limit, Duration busyLimit) {
        return commandLink.whenReady(limit, busyLimit);
    }

    Optional<RedisLink.Server> server() {
        return commandLink.server();
    }

    RedisSubscription subscription() {
        return subscription;
    }

    RedisWrites writes() {
        return writes;
    }

    boolean mayEvict() {
        return evictions.mayEvict();
    }

    /** Tells whether a connection was subscribed to the legacy channel at the last message. */
    boolean hasLegacySubscribers() {
        return probe.legacySubscribers() > 0;
    }

    /** Tells whether both connections are up. */
    boolean isConnected() {
        return commandLink.connection().isPresent() && isSubscribed();
    }

    /** Tells whether the connection that is subscribed is up. */
    boolean isSubscribed() {
        return subscriptionLink.connection().isPresent();
    }

    /** Returns why messages do not flow, one sentence for an operator; empty while they do. */
    Optional<String> problem() {
        if (commandLink.connection().isEmpty()) {
            return Optional.of("no connection to Redis: " + commandLink.lastError());
        }
        if (subscriptionLink.connection().isEmpty()) {
            return Optional.of("no subscription to Redis: " + subscriptionLink.lastError());
        }
        return probe.problem();
    }
}
