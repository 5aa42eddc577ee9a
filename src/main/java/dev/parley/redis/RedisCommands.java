package dev.parley.redis;

import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * Sends commands on one pipelined connection. Every call ends within the configured time, and at
 * most a configured number of calls waits for an answer: while Redis hangs, further calls are
 * refused at once.
 */
public final class RedisCommands {

    private final RedisLink link;
    private final RedisConfig config;
    private final AtomicInteger pending = new AtomicInteger();

    /**
     * @param link a connection that {@link #loadScripts} has prepared
     */
    public RedisCommands(RedisLink link, RedisConfig config) {
        this.link = link;
        this.config = config;
    }

    /** Loads the scripts into Redis, so that the first call of each is one round trip too. */
    public static Future<Void> loadScripts(RedisConnection connection, List<RedisScript> scripts) {
        Future<?> loaded = Future.succeededFuture();
        for (RedisScript script : scripts) {
            Request load = Request.cmd(Command.SCRIPT).arg("LOAD").arg(script.source());
            loaded = loaded.compose(ignored -> connection.send(load));
        }
        return loaded.mapEmpty();
    }

    /** Publishes on a channel (Redis: PUBLISH). */
    public Future<Response> publish(String channel, String payload) {
        return call(c -> c.send(Request.cmd(Command.PUBLISH).arg(channel).arg(payload)));
    }

    /**
     * Runs a script (Redis: EVALSHA), anew for each subscriber of the result. Fails with {@link
     * RedisUnavailable}.
     */
    public Uni<Response> run(RedisScript script, List<String> keys, List<String> args) {
        return Uni.createFrom()
                .emitter(
                        emitter ->
                                call(connection -> evaluate(connection, script, keys, args))
                                        .onSuccess(emitter::complete)
                                        .onFailure(emitter::fail));
    }

    private static Future<Response> evaluate(
            RedisConnection connection, RedisScript script, List<String> keys, List<String> args) {
        return connection
                .send(request(Command.EVALSHA, script.sha1(), keys, args))
                .recover(failure -> sendWhole(connection, failure, script, keys, args));
    }

    /** Sends the source to a server that does not know the script, as after SCRIPT FLUSH. */
    private static Future<Response> sendWhole(
            RedisConnection connection,
            Throwable failure,
            RedisScript script,
            List<String> keys,
            List<String> args) {
        return isNoScript(failure)
                ? connection.send(request(Command.EVAL, script.source(), keys, args))
                : Future.failedFuture(failure);
    }

    private Future<Response> call(Function<RedisConnection, Future<Response>> command) {
        var connection = link.connection();
        if (connection.isEmpty()) {
            return Future.failedFuture(
                    new RedisUnavailable("no connection to Redis: " + link.lastError()));
        }
        if (pending.incrementAndGet() > config.maxPending()) {
            pending.decrementAndGet();
            return Future.failedFuture(
                    new RedisUnavailable(
                            "Redis is too far behind: "
                                    + config.maxPending()
                                    + " commands wait for an answer"));
        }
        return command.apply(connection.get())
                .onComplete(done -> pending.decrementAndGet())
                .onFailure(failure -> quitReplica(connection.get(), failure))
                .timeout(config.timeout().toMillis(), TimeUnit.MILLISECONDS)
                .recover(RedisCommands::unavailable);
    }

    /**
     * Leaves a server that has become a replica: after a failover the connection may lead to the
     * former primary.
     */
    private void quitReplica(RedisConnection connection, Throwable failure) {
        if (String.valueOf(failure.getMessage()).contains("READONLY ")) {
            link.quit(connection, "the server is a replica now");
        }
    }

    private static <T> Future<T> unavailable(Throwable failure) {
        return Future.failedFuture(
                new RedisUnavailable("Redis did not answer: " + failure.getMessage(), failure));
    }

    private static boolean isNoScript(Throwable failure) {
        return String.valueOf(failure.getMessage()).startsWith("NOSCRIPT");
    }

    private static Request request(
            Command command, String script, List<String> keys, List<String> args) {
        Request request = Request.cmd(command).arg(script).arg(keys.size());
        keys.forEach(request::arg);
        args.forEach(request::arg);
        return request;
    }
}
