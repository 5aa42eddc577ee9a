package dev.parley.redis;

import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Response;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A pod's access to Redis: runs scripts, receives channels, and knows whether messages flow. Behind
 * it is one server ({@link ServerConnections}) or a Cluster ({@link ClusterConnections}).
 * Thread-safe.
 */
public interface RedisConnections extends AutoCloseable {

    /** Takes what arrives. */
    interface Receiver {

        /** Called for each message, by one thread at a time for each channel. */
        void onMessage(String channel, Buffer payload);

        /**
         * Called when messages of these channels may have been missed, or their server may have
         * lost data; by then they are subscribed to again.
         */
        void onResubscribed(Set<String> channels);
    }

    /**
     * Begins to connect. From then on, a connection that ends is made again until {@link #close}.
     */
    void start();

    @Override
    void close();

    /**
     * Runs a script at once. Fails with {@link RedisUnavailable} if Redis does not answer within
     * {@link RedisConfig#timeout}, or on a Cluster, which may redirect the command, within twice
     * that. While event loops are busy, it may take twice as long.
     */
    Future<Response> send(RedisCommands.Script script, List<String> keys, List<String> args);

    /** Runs a script, once for each subscription to the result, as {@link #send}. */
    default Uni<Response> run(RedisCommands.Script script, List<String> keys, List<String> args) {
        return Uni.createFrom()
                .emitter(
                        emitter ->
                                send(script, keys, args)
                                        .onSuccess(emitter::complete)
                                        .onFailure(emitter::fail));
    }

    /**
     * Asks for a channel.
     *
     * <p>Completes at once for a channel that Redis confirmed before, even while the connection is
     * down: the caller is then in the same position as subscribers that were there when it was
     * lost. Messages missed meanwhile are reported by {@link Receiver#onResubscribed}.
     *
     * @return completes once Redis has confirmed it: what is published from then on arrives. Fails
     *     if the channel is left before, or after {@link RedisConfig#timeout}. After that it is
     *     still wanted, until it is left.
     */
    Future<Void> subscribe(String channel);

    /** Takes one {@link #subscribe} back; the last one leaves the channel. */
    void unsubscribe(String channel);

    /** Returns the command by which a script publishes on a channel: PUBLISH or SPUBLISH. */
    String publishCommand();

    /**
     * Tells whether a connection is subscribed to {@link RedisSetup#legacyChannel} at a server
     * where a script that counts them may not see it.
     */
    boolean hasLegacySubscribersElsewhere();

    /** Returns whether the server that has a key accepts writes. */
    RedisWrites writes(String key);

    /** Returns the address of the node of a Cluster that has a key; empty if none is known. */
    String serverOf(String key);

    /** Returns why messages do not flow, one sentence for an operator; empty while they do. */
    Optional<String> problem();

    /** Returns why publishing fails although messages flow; empty while it works. */
    Optional<String> publishingProblem();

    /** Returns, of several nodes, those from which messages do not flow, and why. */
    Map<String, String> silentServers();
}
