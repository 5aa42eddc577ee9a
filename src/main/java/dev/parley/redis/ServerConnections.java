package dev.parley.redis;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Response;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/** A pod's access to one Redis, wherever its address or its Sentinels lead. */
public final class ServerConnections implements RedisConnections {

    private final RedisNode node;
    private final Vertx vertx;
    private final Duration timeout;

    /** Empty without Sentinels. */
    private final Optional<PrimaryWatch> primary;

    /**
     * @param server the server's name in the log; empty if there is only one
     * @param clients makes a client that is used for one connection
     * @param join runs on each new connection for commands before it is used
     */
    public ServerConnections(
            String server,
            Supplier<Redis> clients,
            Function<RedisConnection, Future<Void>> join,
            RedisSetup setup,
            Receiver receiver) {
        this.vertx = setup.vertx();
        this.timeout = setup.config().timeout();
        this.node =
                new RedisNode(
                        server.isEmpty() ? "Redis" : "Redis server " + server,
                        server.isEmpty() ? "" : "server " + server + " ",
                        clients,
                        true,
                        join,
                        publishCommand(),
                        setup,
                        new Events(receiver));
        node.probeAt(setup.probe(), RedisSubscription.Kind.CHANNEL);
        node.subscription().subscribe(setup.legacyChannelPattern(), RedisSubscription.Kind.PATTERN);
        EvictionWatch.register(node::mayEvict, setup.meters());
        this.primary =
                clients instanceof SentinelClients sentinels
                        ? Optional.of(new PrimaryWatch(setup, sentinels, node))
                        : Optional.empty();
    }

    /**
     * While a connection was away messages may have been missed, or it leads to another server,
     * which may have other data.
     */
    private record Events(Receiver receiver) implements RedisNode.Events {

        @Override
        public void onReady(RedisNode ready) {
            receiver.onResubscribed(ready.subscription().names());
        }

        @Override
        public void onLost(RedisNode at, Set<String> channels) {}

        @Override
        public boolean onProbeRedirected(RedisNode at) {
            return false;
        }

        @Override
        public void onMessage(String channel, Buffer payload) {
            receiver.onMessage(channel, payload);
        }
    }

    @Override
    public void start() {
        node.startSubscription();
        primary.ifPresent(PrimaryWatch::start);
    }

    @Override
    public void close() {
        primary.ifPresent(PrimaryWatch::stop);
        node.close();
    }

    @Override
    public Future<Response> send(
            RedisCommands.Script script, List<String> keys, List<String> args) {
        return node.commands().send(script, keys, args);
    }

    @Override
    public Future<Void> subscribe(String channel) {
        return AnswerTimeout.limit(
                vertx,
                node.subscription().subscribe(channel, RedisSubscription.Kind.CHANNEL),
                timeout);
    }

    @Override
    public void unsubscribe(String channel) {
        node.subscription().unsubscribe(channel);
    }

    @Override
    public String publishCommand() {
        return "PUBLISH";
    }

    @Override
    public boolean hasLegacySubscribersElsewhere() {
        return false;
    }

    @Override
    public String serverOf(String key) {
        return "";
    }

    @Override
    public RedisWrites writes(String key) {
        return node.writes();
    }

    @Override
    public Optional<String> problem() {
        return node.problem();
    }

    @Override
    public Optional<String> publishingProblem() {
        return node.writes().problem();
    }

    @Override
    public Map<String, String> silentServers() {
        return Map.of();
    }
}
