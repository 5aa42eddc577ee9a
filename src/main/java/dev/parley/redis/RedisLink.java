package dev.parley.redis;

import dev.parley.retry.Backoff;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import java.util.Optional;
import java.util.function.Function;
import org.jboss.logging.Logger;

/**
 * A connection to Redis that is made again whenever it ends.
 *
 * <pre>
 *   Idle ──start──▶ Connecting ──prepared──▶ Ready
 *                    ▲      │                 │
 *              backoff over failed          ended
 *                    │      ▼                 │
 *                   Waiting ◀─────────────────┘        close: any ──▶ Closed
 * </pre>
 *
 * <p>The Redis client neither connects again nor subscribes again by itself. A connection that
 * hangs is ended by the client's read idle timeout: the probe makes sure that every healthy one has
 * something to read.
 */
public final class RedisLink {

    private static final Logger LOG = Logger.getLogger(RedisLink.class);

    private sealed interface State {
        record Idle() implements State {}

        record Connecting() implements State {}

        record Ready(RedisConnection connection) implements State {}

        record Waiting(long timer) implements State {}

        record Closed() implements State {}
    }

    private final String name;
    private final Vertx vertx;
    private final Redis redis;
    private final RedisConfig config;
    private final Function<RedisConnection, Future<Void>> prepare;

    private volatile State state = new State.Idle();
    private final Backoff backoff;
    private volatile String lastError = "not connected yet";

    /** Completes with the connection once there is one; replaced when that one ends. */
    private volatile Promise<RedisConnection> whenReady = Promise.promise();

    /**
     * @param name for the log
     * @param prepare makes a fresh connection ready for use; its failure ends the connection
     */
    public RedisLink(
            String name,
            Vertx vertx,
            Redis redis,
            RedisConfig config,
            Function<RedisConnection, Future<Void>> prepare) {
        this.name = name;
        this.vertx = vertx;
        this.redis = redis;
        this.config = config;
        this.prepare = prepare;
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

    /** Completes with the present connection, or with the next one if there is none. */
    public Future<RedisConnection> whenReady() {
        return whenReady.future();
    }

    /** Says why there is no connection, or was none last. */
    public String lastError() {
        return lastError;
    }

    /** Ends the present connection, so that a new one is made. */
    public void renew(String reason) {
        connection()
                .ifPresent(
                        connection -> {
                            ended(connection, reason);
                            connection.close();
                        });
    }

    /**
     * Leaves a connection that works but leads to the wrong server (Redis: QUIT). Redis answers the
     * commands that it has received, then closes the connection. Parley does not close it itself,
     * because the client would put it back into its pool, to be used again.
     */
    public void quit(RedisConnection connection, String reason) {
        if (ended(connection, reason)) {
            connection.send(Request.cmd(Command.QUIT));
        }
    }

    public void close() {
        State last = end();
        if (last instanceof State.Ready ready) {
            ready.connection().close();
        } else if (last instanceof State.Waiting waiting) {
            vertx.cancelTimer(waiting.timer());
        }
    }

    /**
     * Marks the link as closed. The caller closes the connection outside this lock: the client
     * holds a lock when it calls the end handler, which takes this one, so the two could deadlock.
     */
    private synchronized State end() {
        State last = state;
        state = new State.Closed();
        return last;
    }

    private void connect() {
        state = new State.Connecting();
        redis.connect()
                .compose(this::prepared)
                .onFailure(failure -> wait(String.valueOf(failure.getMessage())));
    }

    /** Prepares a connection. Its end is noticed from here on, also while it is being prepared. */
    private Future<Void> prepared(RedisConnection connection) {
        Promise<Void> end = Promise.promise();
        connection.exceptionHandler(end::tryFail);
        connection.endHandler(ended -> end.tryFail("connection closed"));
        Promise<Void> prepared = Promise.promise();
        end.future().onFailure(prepared::tryFail);
        prepare.apply(connection).onSuccess(prepared::tryComplete).onFailure(prepared::tryFail);
        return prepared.future()
                .onSuccess(done -> use(connection, end.future()))
                .onFailure(failure -> connection.close());
    }

    private void use(RedisConnection connection, Future<Void> end) {
        Promise<RedisConnection> waiting;
        synchronized (this) {
            if (state instanceof State.Closed) {
                waiting = null;
            } else {
                backoff.reset();
                state = new State.Ready(connection);
                waiting = whenReady;
            }
        }
        if (waiting == null) {
            connection.close();
            return;
        }
        LOG.infof("Redis %s connection is up", name);
        end.onFailure(failure -> ended(connection, String.valueOf(failure.getMessage())));
        waiting.tryComplete(connection);
    }

    /**
     * Leaves a connection that has ended and schedules the next one.
     *
     * @return false if it is not, or no longer, the present connection
     */
    @SuppressWarnings("ReferenceEquality") // The end of an earlier connection changes nothing.
    private synchronized boolean ended(RedisConnection connection, String reason) {
        if (state instanceof State.Ready ready && ready.connection() == connection) {
            LOG.warnf("Redis %s connection lost: %s", name, reason);
            whenReady = Promise.promise();
            wait(reason);
            return true;
        }
        return false;
    }

    private synchronized void wait(String reason) {
        if (state instanceof State.Closed) {
            return;
        }
        lastError = reason;
        long pause = backoff.next().toMillis();
        state = new State.Waiting(vertx.setTimer(pause, timer -> again()));
    }

    private synchronized void again() {
        if (state instanceof State.Waiting) {
            connect();
        }
    }
}
