package dev.parley.redis;

import dev.parley.retry.Backoff;
import io.netty.channel.EventLoop;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.impl.ContextInternal;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.impl.types.ErrorType;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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
 * <p>Each connection has a client of its own, and closing that client closes every socket. The
 * Redis client (Vert.x) makes this necessary: it keeps a connection that was closed in a pool and
 * uses it again, although it may hang or lead to a server that is no longer the primary. The client
 * neither connects nor subscribes again by itself.
 *
 * <p>Messages may not flow although a connection is up. Therefore the pauses between attempts grow,
 * and each reason is logged once only, until the probe calls {@link #confirm}.
 */
final class RedisLink {

    private static final Logger LOG = Logger.getLogger(RedisLink.class);

    /**
     * Most reasons that are logged before the link is confirmed again. A reason may contain a
     * number that differs each time.
     */
    private static final int MAX_REASONS = 8;

    private static final String NOT_YET = "not connected yet";
    private static final String CLOSED = "closed";

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
     * @param version such as {@code 7.0.15}; empty where the account may not ask
     */
    record Server(String runId, String version) {

        private static final Server UNKNOWN = new Server("", "");

        /** The first version whose Clusters have publish/subscribe by slot. */
        private static final int SHARDED_SINCE = 7;

        /** Tells whether two links certainly lead to different servers. */
        boolean isNot(Server other) {
            return !runId.isEmpty() && !other.runId.isEmpty() && !runId.equals(other.runId);
        }

        /** Tells whether the server has publish/subscribe by slot; empty if it is not known. */
        Optional<Boolean> isSharded() {
            return version.matches("[0-9]{1,9}\\..*")
                    ? Optional.of(
                            Integer.parseInt(version.substring(0, version.indexOf('.')))
                                    >= SHARDED_SINCE)
                    : Optional.empty();
        }

        static Server parse(String info) {
            return new Server(field(info, "run_id"), field(info, "redis_version"));
        }

        private static String field(String info, String name) {
            return info.lines()
                    .filter(line -> line.startsWith(name + ":"))
                    .map(line -> line.substring(name.length() + 1).strip())
                    .findFirst()
                    .orElse("");
        }
    }

    private final String name;
    private final Vertx vertx;
    private final ContextInternal context;
    private final Supplier<Redis> clients;
    private final RedisConfig config;
    private final Function<RedisConnection, Future<Void>> prepare;
    private final Runnable onReady;

    private volatile State state = new State.Idle();
    private final Backoff backoff;
    private final Set<String> loggedReasons = new HashSet<>();
    private volatile boolean confirmed;
    private volatile String lastError = NOT_YET;

    /** The calls that wait for a connection, in their order; guarded by this. */
    private final Set<Promise<RedisConnection>> waiting = new LinkedHashSet<>();

    /**
     * @param name what the connection is for, as the log names it
     * @param clients makes a client that is used for one connection
     * @param prepare makes a new connection ready for use; if that fails, the connection is ended
     * @param onReady runs each time a connection is up and prepared
     */
    RedisLink(
            String name,
            Vertx vertx,
            Supplier<Redis> clients,
            RedisConfig config,
            Function<RedisConnection, Future<Void>> prepare,
            Runnable onReady) {
        this.name = name;
        this.vertx = vertx;
        this.context = (ContextInternal) vertx.getOrCreateContext();
        this.clients = clients;
        this.config = config;
        this.prepare = prepare;
        this.onReady = onReady;
        this.backoff = new Backoff(config.minBackoff(), config.maxBackoff());
    }

    /** Begins to connect; does nothing if it was called before. */
    synchronized void start() {
        if (state instanceof State.Idle) {
            connect();
        }
    }

    /** Returns the event loop on which the connection is read and written. */
    EventLoop eventLoop() {
        return context.nettyEventLoop();
    }

    /** Returns the connection, while it is up and prepared. */
    Optional<RedisConnection> connection() {
        return state instanceof State.Ready ready
                ? Optional.of(ready.connection())
                : Optional.empty();
    }

    /** Returns the server that the connection leads to; empty while there is no connection. */
    Optional<Server> server() {
        return state instanceof State.Ready ready ? Optional.of(ready.server()) : Optional.empty();
    }

    /** Tells whether both links have a connection, and this one's is older. */
    boolean isOlderThan(RedisLink other) {
        return state instanceof State.Ready mine
                && other.state instanceof State.Ready theirs
                && mine.sinceNanos() - theirs.sinceNanos() < 0;
    }

    /** Tells whether there was no connection yet, and no attempt that failed. */
    boolean isFirstAttempt() {
        return connection().isEmpty() && lastError.equals(NOT_YET);
    }

    /**
     * Completes with the present connection, or with the next one if there is none. Fails if the
     * link is closed, or is closed before there is one; if there is none in time; and at once, with
     * {@link RedisUnavailable}, if {@link RedisConfig#maxPending} calls wait already. The link
     * keeps nothing of a call that has failed: a server that is never reached may be waited for
     * again and again.
     *
     * @param limit how long to wait
     * @param busyLimit how long to wait for event loops that are busy, in addition
     */
    Future<RedisConnection> whenReady(Duration limit, Duration busyLimit) {
        Promise<RedisConnection> call = Promise.promise();
        synchronized (this) {
            if (state instanceof State.Ready ready) {
                return Future.succeededFuture(ready.connection());
            }
            if (state instanceof State.Closed) {
                return Future.failedFuture(CLOSED);
            }
            if (waiting.size() >= config.maxPending()) {
                return Future.failedFuture(
                        new RedisUnavailable(
                                "Redis is too far behind: "
                                        + config.maxPending()
                                        + " commands wait for a connection"));
            }
            waiting.add(call);
        }
        return AnswerTimeout.limit(vertx, call.future(), limit, busyLimit)
                .onFailure(late -> giveUp(call));
    }

    private synchronized void giveUp(Promise<RedisConnection> call) {
        waiting.remove(call);
    }

    /** Returns how many calls wait for a connection. */
    synchronized int waiting() {
        return waiting.size();
    }

    /** Takes the calls that wait, which the caller completes outside the lock of this. */
    private List<Promise<RedisConnection>> takeWaiting() {
        List<Promise<RedisConnection>> taken = List.copyOf(waiting);
        waiting.clear();
        return taken;
    }

    /** Returns why there is no connection; while there is one, why there was none before it. */
    String lastError() {
        return lastError;
    }

    /**
     * Notes that messages flow through the connection: after the next loss the pauses begin with
     * the shortest, and every reason is logged again.
     */
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
    void renew(String reason) {
        if (state instanceof State.Ready ready && leave(ready, reason)) {
            close(ready.client());
        }
    }

    /** Ends a connection, so that a new one is made, unless that has happened already. */
    @SuppressWarnings("ReferenceEquality") // This very connection: another one is a newer one.
    void renew(RedisConnection connection, String reason) {
        if (state instanceof State.Ready ready
                && ready.connection() == connection
                && leave(ready, reason)) {
            close(ready.client());
        }
    }

    /**
     * Ends a connection that works but leads to the wrong server (Redis: QUIT). Redis first answers
     * the commands that were sent before, then the connection is closed and a new one is made.
     *
     * @return false if it is not the present connection any more
     */
    @SuppressWarnings("ReferenceEquality") // This very connection: another one is a newer one.
    boolean quit(RedisConnection connection, String reason) {
        if (state instanceof State.Ready ready
                && ready.connection() == connection
                && leave(ready, reason)) {
            quit(ready);
            return true;
        }
        return false;
    }

    /** Ends the connection, or the attempt to make one, for good. */
    void close() {
        closeFrom(markClosed());
    }

    /**
     * Ends the connection for good. Redis first answers the commands that were sent before (QUIT).
     */
    void closeAfterPending() {
        State last = markClosed();
        if (last instanceof State.Ready ready) {
            quit(ready);
        } else {
            closeFrom(last);
        }
    }

    private void quit(State.Ready last) {
        Future<Response> answer = last.connection().send(Request.cmd(Command.QUIT));
        AnswerTimeout.limit(vertx, answer, config.timeout())
                .onComplete(answered -> close(last.client()));
    }

    private void closeFrom(State last) {
        if (last instanceof State.Ready ready) {
            ready.client().close();
        } else if (last instanceof State.Connecting connecting) {
            connecting.client().close();
        } else if (last instanceof State.Waiting waiting) {
            vertx.cancelTimer(waiting.timer());
        }
    }

    /**
     * Marks the link as closed. The caller closes the client outside this lock. Otherwise there
     * could be a deadlock: the client holds a lock while it calls the end handler, which takes this
     * one. For the same reason, those who wait for the connection learn of it outside the lock.
     */
    private State markClosed() {
        State last;
        List<Promise<RedisConnection>> calls;
        synchronized (this) {
            last = state;
            state = new State.Closed();
            lastError = CLOSED;
            calls = takeWaiting();
        }
        calls.forEach(call -> call.tryFail(CLOSED));
        return last;
    }

    private void close(Redis client) {
        context.runOnContext(now -> client.close());
    }

    private void connect() {
        Redis client = makeClient();
        state = new State.Connecting(client);
        context.runOnContext(now -> attempt(client));
    }

    /** Makes a client, which connects on the event loop that is current when it is made. */
    private Redis makeClient() {
        ContextInternal former = context.beginDispatch();
        try {
            return clients.get();
        } finally {
            context.endDispatch(former);
        }
    }

    /** Connects and prepares the connection; gives up after twice the configured timeout. */
    private void attempt(Redis client) {
        Duration limit = config.timeout().multipliedBy(2);
        Future<Void> prepared =
                client.connect().compose(connection -> prepareFresh(client, connection));
        AnswerTimeout.limit(vertx, prepared, limit)
                .onFailure(
                        failure -> {
                            // A client may be closed only once. If the link was closed
                            // meanwhile, the client was closed with it.
                            if (onFailed(client, reason(failure, limit))) {
                                close(client);
                            }
                        });
    }

    private static String reason(Throwable failure, Duration limit) {
        return failure instanceof TimeoutException
                ? "no answer within "
                        + limit.toMillis()
                        + " ms: is it a Redis, does DNS answer, and does it use TLS exactly if the"
                        + " address is rediss://?"
                : RedisReason.of(failure);
    }

    /** Prepares a connection. It may end before it is prepared; then preparing fails. */
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

    static Future<Server> askServer(RedisConnection connection) {
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
        List<Promise<RedisConnection>> calls;
        synchronized (this) {
            if (!isConnecting(client)) {
                return;
            }
            state = ready;
            calls = takeWaiting();
        }
        ending.future()
                .onFailure(
                        failure -> {
                            // If the connection was left before, that has closed the client.
                            if (leave(ready, RedisReason.of(failure))) {
                                close(client);
                            }
                        });
        calls.forEach(call -> call.tryComplete(connection));
        onReady.run();
    }

    @SuppressWarnings(
            "ReferenceEquality") // This very attempt: a later one has a client of its own.
    private boolean isConnecting(Redis client) {
        return state instanceof State.Connecting connecting && connecting.client() == client;
    }

    /**
     * Schedules the next attempt. The caller closes the client.
     *
     * @return false if the link is not connecting with this client any more
     */
    private synchronized boolean onFailed(Redis client, String reason) {
        boolean failed = isConnecting(client);
        if (failed) {
            scheduleAttempt(reason);
        }
        return failed;
    }

    /**
     * Stops using a connection and schedules the next attempt. The caller closes the client.
     *
     * @return false if it is not the present connection any more
     */
    @SuppressWarnings("ReferenceEquality") // This very connection: another one is not ended by it.
    private synchronized boolean leave(State.Ready ready, String reason) {
        if (state == ready) {
            confirmed = false;
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
