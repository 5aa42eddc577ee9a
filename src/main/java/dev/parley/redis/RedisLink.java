package dev.parley.redis;

import dev.parley.retry.Backoff;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.impl.types.ErrorType;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/**
 * A connection to Redis that is made again whenever it ends.
 *
 * <pre>
 *   Idle ──start──▶ Connecting ──prepared──▶ Ready
 *                    ▲      │                 │
 *              backoff over failed          ended, renewed, quit
 *                    │      ▼                 │
 *                   Waiting ◀─────────────────┘        close: any ──▶ Closed
 * </pre>
 *
 * <p>The Redis client neither connects again nor subscribes again by itself, and it keeps a
 * connection that was closed in a pool, to be used again, although it may hang or lead to a server
 * that is not the primary any more. On a Cluster it also keeps the connections to the other nodes
 * when one of them ends, so that they stay subscribed. Therefore each connection has a client of
 * its own, and closing the client closes every socket.
 *
 * <p>A connection that is up is not yet one that works. The pauses between attempts grow, and each
 * reason is logged once only, until {@link #confirm} says that messages flow through it.
 */
public final class RedisLink {

    private static final Logger LOG = Logger.getLogger(RedisLink.class);

    /** Reasons that are logged before the link works again; some may contain a number. */
    private static final int MAX_REASONS = 8;

    private sealed interface State {
        record Idle() implements State {}

        record Connecting(Redis client) implements State {}

        record Ready(Redis client, RedisConnection connection, Server server, long sinceNanos)
                implements State {}

        record Waiting(long timer) implements State {}

        record Closed() implements State {}
    }

    /**
     * The server process at the other end (Redis: INFO server).
     *
     * @param runId differs for each process; empty where the account may not ask
     */
    record Server(String runId) {

        private static final Server UNKNOWN = new Server("");

        /** Tells whether two links certainly lead to different servers. */
        boolean isNot(Server other) {
            return !runId.isEmpty() && !other.runId.isEmpty() && !runId.equals(other.runId);
        }

        static Server parse(String info) {
            // On a Cluster any node may have answered, and each of them delivers all messages.
            return info.contains("redis_mode:cluster")
                    ? UNKNOWN
                    : info.lines()
                            .filter(line -> line.startsWith("run_id:"))
                            .map(line -> new Server(line.substring("run_id:".length()).strip()))
                            .findFirst()
                            .orElse(UNKNOWN);
        }
    }

    private final String name;
    private final Vertx vertx;
    private final Context context;
    private final Supplier<Redis> clients;
    private final RedisConfig config;
    private final Function<RedisConnection, Future<Void>> prepare;
    private final Runnable onReady;

    private volatile State state = new State.Idle();
    private final Backoff backoff;
    private final Set<String> loggedReasons = new HashSet<>();
    private volatile boolean confirmed;
    private volatile String lastError = "not connected yet";

    /** Completes with the connection once there is one; replaced when that one ends. */
    private volatile Promise<RedisConnection> whenReady = Promise.promise();

    /**
     * @param name for the log
     * @param clients makes a client that is used for one connection
     * @param prepare makes a fresh connection ready for use; its failure ends the connection
     * @param onReady runs each time a connection is up and prepared
     */
    public RedisLink(
            String name,
            Vertx vertx,
            Supplier<Redis> clients,
            RedisConfig config,
            Function<RedisConnection, Future<Void>> prepare,
            Runnable onReady) {
        this.name = name;
        this.vertx = vertx;
        this.context = vertx.getOrCreateContext();
        this.clients = clients;
        this.config = config;
        this.prepare = prepare;
        this.onReady = onReady;
        this.backoff = new Backoff(config.minBackoff(), config.maxBackoff());
    }

    public synchronized void start() {
        if (state instanceof State.Idle) {
            connect();
        }
    }

    /** Returns the connection, while it is up and prepared. */
    public Optional<RedisConnection> connection() {
        return state instanceof State.Ready ready
                ? Optional.of(ready.connection())
                : Optional.empty();
    }

    /** The server that the connection leads to; empty while there is no connection. */
    Optional<Server> server() {
        return state instanceof State.Ready ready ? Optional.of(ready.server()) : Optional.empty();
    }

    /** Tells whether this link's connection is older than the other's; both have one. */
    boolean isOlderThan(RedisLink other) {
        return state instanceof State.Ready mine
                && other.state instanceof State.Ready theirs
                && mine.sinceNanos() - theirs.sinceNanos() < 0;
    }

    /** Completes with the present connection, or with the next one if there is none. */
    public Future<RedisConnection> whenReady() {
        return whenReady.future();
    }

    /** Says why there is no connection, or was none last. */
    public String lastError() {
        return lastError;
    }

    /** Messages flow through the connection: the next loss begins with the shortest pause. */
    void confirm() {
        if (!confirmed) {
            confirmUp();
        }
    }

    private synchronized void confirmUp() {
        if (state instanceof State.Ready && !confirmed) {
            confirmed = true;
            loggedReasons.clear();
            backoff.reset();
            LOG.infof("Redis %s connection is up", name);
        }
    }

    /** Ends the present connection, so that a new one is made. */
    public void renew(String reason) {
        if (state instanceof State.Ready ready && leave(ready, reason)) {
            close(ready.client());
        }
    }

    /**
     * Leaves a connection that works but leads to the wrong server (Redis: QUIT). Redis answers
     * what it was asked before, and then the connection is closed.
     *
     * @return false if it is not the present connection any more
     */
    @SuppressWarnings("ReferenceEquality") // This very connection: another one is a newer one.
    public boolean quit(RedisConnection connection, String reason) {
        if (state instanceof State.Ready ready
                && ready.connection() == connection
                && leave(ready, reason)) {
            connection
                    .send(Request.cmd(Command.QUIT))
                    .timeout(config.timeout().toMillis(), TimeUnit.MILLISECONDS)
                    .onComplete(answered -> close(ready.client()));
            return true;
        }
        return false;
    }

    public void close() {
        State last = markClosed();
        if (last instanceof State.Ready ready) {
            ready.client().close();
        } else if (last instanceof State.Connecting connecting) {
            connecting.client().close();
        } else if (last instanceof State.Waiting waiting) {
            vertx.cancelTimer(waiting.timer());
        }
    }

    /**
     * Marks the link as closed. The caller closes the client outside the lock: the client tells of
     * the end under a lock of its own, and the handler that it calls takes this one.
     */
    private synchronized State markClosed() {
        State last = state;
        state = new State.Closed();
        return last;
    }

    private void close(Redis client) {
        context.runOnContext(now -> client.close());
    }

    private void connect() {
        Redis client = clients.get();
        state = new State.Connecting(client);
        context.runOnContext(now -> attempt(client));
    }

    /** Connects and prepares, within a time after which the attempt is given up. */
    private void attempt(Redis client) {
        Duration limit = config.timeout().multipliedBy(2);
        client.connect()
                .compose(connection -> prepareFresh(client, connection))
                .timeout(limit.toMillis(), TimeUnit.MILLISECONDS)
                .onFailure(
                        failure -> {
                            close(client);
                            onFailed(client, reason(failure, limit));
                        });
    }

    private static String reason(Throwable failure, Duration limit) {
        return failure instanceof TimeoutException
                ? "no answer within "
                        + limit
                        + ": is it a Redis, and does it use TLS exactly if the address is rediss://?"
                : RedisReason.of(failure);
    }

    /** Prepares a connection, whose end is listened for from here on: it may come before that. */
    private Future<Void> prepareFresh(Redis client, RedisConnection connection) {
        Promise<Void> end = Promise.promise();
        connection.exceptionHandler(end::tryFail);
        connection.endHandler(ended -> end.tryFail("connection closed"));
        Promise<Void> prepared = Promise.promise();
        end.future().onFailure(prepared::tryFail);
        askServer(connection)
                .compose(
                        server ->
                                prepare.apply(connection)
                                        .onSuccess(
                                                done -> {
                                                    if (prepared.tryComplete()) {
                                                        onPrepared(client, connection, server, end);
                                                    }
                                                }))
                .onFailure(prepared::tryFail);
        return prepared.future();
    }

    private static Future<Server> askServer(RedisConnection connection) {
        return connection
                .send(Request.cmd(Command.INFO).arg("server"))
                .map(Response::toString)
                .map(Server::parse)
                .recover(
                        failure ->
                                failure instanceof ErrorType
                                        ? Future.succeededFuture(Server.UNKNOWN)
                                        : Future.failedFuture(failure));
    }

    private void onPrepared(
            Redis client, RedisConnection connection, Server server, Promise<Void> ending) {
        var ready = new State.Ready(client, connection, server, System.nanoTime());
        Promise<RedisConnection> waiting;
        synchronized (this) {
            if (!isConnecting(client)) {
                return;
            }
            state = ready;
            waiting = whenReady;
        }
        ending.future()
                .onFailure(
                        failure -> {
                            leave(ready, RedisReason.of(failure));
                            close(client);
                        });
        waiting.tryComplete(connection);
        onReady.run();
    }

    @SuppressWarnings(
            "ReferenceEquality") // This very attempt: a later one has a client of its own.
    private boolean isConnecting(Redis client) {
        return state instanceof State.Connecting connecting && connecting.client() == client;
    }

    private synchronized void onFailed(Redis client, String reason) {
        if (isConnecting(client)) {
            scheduleAttempt(reason);
        }
    }

    /**
     * Leaves a connection and schedules the next one.
     *
     * @return false if it is not the present connection any more
     */
    @SuppressWarnings("ReferenceEquality") // This very connection: another one is not ended by it.
    private synchronized boolean leave(State.Ready ready, String reason) {
        if (state == ready) {
            confirmed = false;
            whenReady = Promise.promise();
            scheduleAttempt(reason);
            return true;
        }
        return false;
    }

    private void scheduleAttempt(String reason) {
        lastError = reason;
        if (loggedReasons.size() < MAX_REASONS && loggedReasons.add(reason)) {
            LOG.warnf("Redis %s connection: %s. Parley goes on trying.", name, reason);
        }
        long pause = backoff.next().toMillis();
        state = new State.Waiting(vertx.setTimer(pause, timer -> onTimer()));
    }

    private synchronized void onTimer() {
        if (state instanceof State.Waiting) {
            connect();
        }
    }
}
