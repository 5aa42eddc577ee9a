package dev.parley.redis;

import dev.parley.redis.ClusterConnections.Master;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Sends a pod's commands to the nodes of a Redis Cluster: each to the node that has the slot of its
 * first key. A node that answers MOVED or ASK names the one that has it now, which is asked
 * instead. Calls that wait for a node's connection, or to be sent again, are bounded as those that
 * wait for an answer. Holds no lock. Thread-safe.
 */
final class ClusterCommands {

    /** How often a command is redirected before it waits a little: the nodes disagree. */
    private static final int QUICK_REDIRECTS = 3;

    /** Pause before a command that no node runs at the moment is sent again. */
    private static final Duration RETRY_PAUSE = Duration.ofMillis(50);

    private final ClusterConnections cluster;
    private final Vertx vertx;
    private final Duration timeout;
    private final int maxPending;

    /** Calls that wait before they are sent again. */
    private final AtomicInteger retrying = new AtomicInteger();

    /**
     * @param cluster knows which node has which slot
     */
    ClusterCommands(ClusterConnections cluster, RedisSetup setup) {
        this.cluster = cluster;
        this.vertx = setup.vertx();
        this.timeout = setup.config().timeout();
        this.maxPending = setup.config().maxPending();
    }

    /**
     * A script that runs at the node of its keys.
     *
     * @param answer completed by the last of its attempts. If each attempt returned a future of the
     *     next one, a call that is sent again for long would complete thousands of them, one inside
     *     the other, and overflow the stack.
     */
    private record Call(
            RedisCommands.Script script,
            List<String> keys,
            List<String> args,
            int slot,
            long deadlineNanos,
            Promise<Response> answer) {

        boolean isOver() {
            return System.nanoTime() - deadlineNanos > 0;
        }
    }

    /** Runs a script at the node of its keys. */
    Future<Response> send(RedisCommands.Script script, List<String> keys, List<String> args) {
        long limit = timeout.toNanos();
        int slot = ClusterSlots.slotOf(keys.get(0));
        Promise<Response> answer = Promise.promise();
        var call = new Call(script, keys, args, slot, System.nanoTime() + limit, answer);
        sendTo(call, cluster.owner(slot), 0);
        // Each step has its own bound; this one applies in whichever step the answer is lost.
        return AnswerTimeout.limit(vertx, answer.future(), timeout.multipliedBy(2))
                .recover(ClusterCommands::unavailable);
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
    private void sendTo(Call call, @Nullable Master master, int redirects) {
        if (master == null) {
            cluster.refreshSoon();
            call.answer().fail(new RedisUnavailable(cluster.noNode(call.slot())));
            return;
        }
        // A replica that has taken over, for example, is being connected to just now.
        Future<?> connected =
                master.node().isFirstAttempt()
                        ? whenConnected(call, master)
                        : Future.succeededFuture();
        connected
                .compose(
                        up ->
                                master.node()
                                        .commands()
                                        .send(call.script(), call.keys(), call.args()))
                .onComplete(
                        call.answer()::complete,
                        failure -> onFailure(call, master, failure, redirects));
    }

    private void onFailure(Call call, Master master, Throwable failure, int redirects) {
        if (master.node().connection().isEmpty()) {
            cluster.refreshSoon();
        }
        Optional<ClusterReply> reply = ClusterReply.of(failure, master.address());
        if (reply.isEmpty() || call.isOver()) {
            call.answer().fail(failure);
        } else if (reply.get() instanceof ClusterReply.Ask ask) {
            Master next = cluster.redirectedTo(ask.to());
            whenConnected(call, next)
                    .compose(
                            up ->
                                    next.node()
                                            .commands()
                                            .ask(call.script(), call.keys(), call.args()))
                    .onSuccess(done -> tellSubscribers(call, master))
                    .onComplete(
                            call.answer()::complete,
                            later -> onFailure(call, next, later, redirects + 1));
        } else if (reply.get() instanceof ClusterReply.Moved moving
                && redirects < QUICK_REDIRECTS) {
            Master next = cluster.onMoved(moving);
            whenConnected(call, next)
                    .onComplete(up -> sendTo(call, next, redirects + 1), call.answer()::fail);
        } else {
            cluster.refreshSoon();
            pauseBeforeRetry()
                    .onComplete(
                            now -> sendTo(call, cluster.owner(call.slot()), 0),
                            call.answer()::fail);
        }
    }

    /**
     * Waits a little before a call is sent again. Fails at once if {@link RedisConfig#maxPending}
     * calls do so already: a node does not count them while they wait here.
     */
    private Future<?> pauseBeforeRetry() {
        if (retrying.incrementAndGet() > maxPending) {
            retrying.decrementAndGet();
            return Future.failedFuture(
                    new RedisUnavailable(
                            "Redis is too far behind: "
                                    + maxPending
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
    private void tellSubscribers(Call call, Master former) {
        if (cluster.isSharded()) {
            call.script()
                    .channel(call.args())
                    .map(channel -> Request.cmd(Command.SPUBLISH).arg(channel).arg(""))
                    .ifPresent(hint -> former.node().connection().ifPresent(c -> c.send(hint)));
        }
    }

    /**
     * Waits for the connection of a node to which a call was redirected, as long as it may take.
     */
    private Future<?> whenConnected(Call call, Master master) {
        long left = Math.max(1, (call.deadlineNanos() - System.nanoTime()) / 1_000_000);
        return master.node()
                .whenReady(Duration.ofMillis(left), timeout)
                .recover(
                        failure ->
                                Future.failedFuture(
                                        failure instanceof RedisUnavailable
                                                ? failure
                                                : new RedisUnavailable(
                                                        "no connection to a node of Redis")));
    }
}
