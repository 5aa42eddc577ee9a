package dev.parley.redis;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.impl.types.ErrorType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Runs scripts on pipelined connections: to a single server one for each event loop, to a node of a
 * Cluster one. Every call ends within {@link RedisConfig#timeout}, or twice that while event loops
 * are busy ({@link AnswerTimeout}). At most {@link RedisConfig#maxPending} calls wait for an
 * answer; further ones are refused at once.
 */
public final class RedisCommands {

    /**
     * The Redis client's words for a command on a connection that has ended. The failure has no
     * type of its own.
     */
    private static final String CLOSED = "Connection is closed";

    /** The code of the error with which the client fails commands that had no answer yet. */
    private static final String CLOSED_WHILE_WAITING = "CONNECTION_CLOSED";

    private final Vertx vertx;
    private final RedisLink link;
    private final LoopConnections loops;
    private final RedisLink subscription;
    private final RedisConfig config;
    private final Map<RedisRefusal, Counter> refusals = new EnumMap<>(RedisRefusal.class);
    private final AtomicInteger pending = new AtomicInteger();

    /**
     * @param link the connection for commands, which {@link #loadScripts} prepares
     * @param loops connections of other event loops, which are used while the link has one
     * @param subscription the pod's other connection: when this one leaves a server that became a
     *     replica, the subscription leaves it too
     */
    RedisCommands(
            Vertx vertx,
            RedisLink link,
            LoopConnections loops,
            RedisLink subscription,
            RedisConfig config,
            MeterRegistry meters) {
        this.vertx = vertx;
        this.link = link;
        this.loops = loops;
        this.subscription = subscription;
        this.config = config;
        for (RedisRefusal reason : RedisRefusal.values()) {
            refusals.put(
                    reason,
                    Counter.builder("parley.redis.refusals")
                            .description("Commands that Redis answered with an error, by reason")
                            .tag("reason", reason.label())
                            .register(meters));
        }
    }

    /** Loads scripts into Redis, so that the first call of each takes one round trip, not two. */
    public static Future<Void> loadScripts(RedisConnection connection, List<Script> scripts) {
        Future<?> loaded = Future.succeededFuture();
        for (Script script : scripts) {
            Request load = Request.cmd(Command.SCRIPT).arg("LOAD").arg(script.source());
            loaded = loaded.compose(ignored -> connection.send(load));
        }
        return loaded.mapEmpty();
    }

    /** Runs a script at once (Redis: EVALSHA). Fails with {@link RedisUnavailable}. */
    Future<Response> send(Script script, List<String> keys, List<String> args) {
        return call(loops::nearest, connection -> run(connection, script, keys, args));
    }

    /**
     * Runs a script on the link's own connection, whichever event loop calls: for the probe, whose
     * answers prove that this connection works. Fails with {@link RedisUnavailable}.
     */
    Future<Response> sendOnLink(Script script, List<String> keys, List<String> args) {
        return call(UnaryOperator.identity(), connection -> run(connection, script, keys, args));
    }

    /** Runs a script on a connection that is being prepared. Fails as the connection does. */
    public static Future<Response> run(
            RedisConnection connection, Script script, List<String> keys, List<String> args) {
        return connection
                .send(request(Command.EVALSHA, script.sha1(), keys, args))
                .recover(failure -> sendWhole(connection, failure, script, keys, args));
    }

    /**
     * Runs a script at once at a node that is taking over the slot of the keys (Redis: ASKING). The
     * two commands are sent as one, because ASKING applies to whichever command is next on the
     * connection. Fails with {@link RedisUnavailable}.
     */
    Future<Response> ask(Script script, List<String> keys, List<String> args) {
        List<Request> both =
                List.of(
                        Request.cmd(Command.ASKING),
                        request(Command.EVAL, script.source(), keys, args));
        return call(
                loops::nearest,
                connection -> connection.batch(both).map(replies -> replies.get(1)));
    }

    /**
     * Sends the source if the call failed because the server does not know the script, for example
     * after SCRIPT FLUSH. Fails with any other failure.
     */
    private static Future<Response> sendWhole(
            RedisConnection connection,
            Throwable failure,
            Script script,
            List<String> keys,
            List<String> args) {
        return isNoScript(failure)
                ? connection.send(request(Command.EVAL, script.source(), keys, args))
                : Future.failedFuture(failure);
    }

    private Future<Response> call(
            UnaryOperator<RedisConnection> choice,
            Function<RedisConnection, Future<Response>> command) {
        var main = link.connection();
        if (main.isEmpty()) {
            return Future.failedFuture(
                    new RedisUnavailable(
                            RedisReason.forClients("no connection to Redis", link.lastError())));
        }
        if (pending.incrementAndGet() > config.maxPending()) {
            pending.decrementAndGet();
            return Future.failedFuture(
                    new RedisUnavailable(
                            "Redis is too far behind: "
                                    + config.maxPending()
                                    + " commands wait for an answer"));
        }
        RedisConnection connection = choice.apply(main.get());
        Future<Response> answer =
                command.apply(connection)
                        .onComplete(
                                done -> {
                                    pending.decrementAndGet();
                                    if (done.failed()) {
                                        onFailure(main.get(), connection, done.cause());
                                    }
                                });
        return AnswerTimeout.limit(vertx, answer, config.timeout())
                .recover(
                        failure -> {
                            if (failure instanceof TimeoutException) {
                                loops.retire(connection);
                            }
                            return unavailable(failure);
                        });
    }

    /**
     * Counts a refusal, and gives up a connection that has ended. If the server has become a
     * replica, as a former primary does after a failover, ends both connections, so that new ones
     * lead to the primary. The subscription ends too because both were made through the same name
     * or proxy, and a subscription gets no error from a replica.
     */
    private void onFailure(RedisConnection main, RedisConnection connection, Throwable failure) {
        if (isOfAClosedConnection(failure)) {
            loops.renew(connection);
            link.renew(connection, RedisReason.of(failure));
        }
        if (ClusterReply.is(failure)) {
            return;
        }
        Optional<RedisRefusal> refusal = RedisRefusal.of(failure);
        refusal.ifPresent(reason -> Objects.requireNonNull(refusals.get(reason)).increment());
        if (refusal.equals(Optional.of(RedisRefusal.READONLY))) {
            String reason = "the server is a replica now";
            if (link.quit(main, reason)) {
                subscription.renew(reason);
            }
        }
    }

    /**
     * Tells whether a command failed because its connection ended, in the network's words ({@link
     * IOException}) or the client's. The link usually knows already.
     */
    static boolean isOfAClosedConnection(Throwable failure) {
        if (failure instanceof ErrorType error) {
            return error.is(CLOSED_WHILE_WAITING);
        }
        return failure instanceof IOException || CLOSED.equals(failure.getMessage());
    }

    private static <T> Future<T> unavailable(Throwable failure) {
        boolean isRefused = RedisRefusal.of(failure).isPresent();
        String what = isRefused ? "Redis refused" : "Redis did not answer";
        String reason = RedisReason.forClients(what, RedisReason.of(failure));
        return Future.failedFuture(new RedisUnavailable(reason, failure));
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

    /** A Lua script that Redis runs atomically, and the digest that names it (Redis: EVALSHA). */
    public static final class Script {

        private static final int NO_CHANNEL = -1;

        private final String source;
        private final String sha1;
        private final int channel;

        private Script(String source, int channel) {
            this.source = source;
            this.sha1 = digest(source);
            this.channel = channel;
        }

        /**
         * Loads a script from a file in the package of the class that calls it.
         *
         * @throws IllegalStateException if the file is not in the build
         */
        public static Script load(Class<?> caller, String file) {
            try (InputStream in = caller.getResourceAsStream(file)) {
                if (in == null) {
                    throw new IllegalStateException("not in the build: " + file);
                }
                return new Script(
                        new String(in.readAllBytes(), StandardCharsets.UTF_8), NO_CHANNEL);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Returns the same script, which publishes on the channel that an argument names. */
        public Script publishingOn(int argument) {
            return new Script(source, argument);
        }

        /** Returns the channel on which the script publishes; empty if it does not. */
        Optional<String> channel(List<String> args) {
            return channel == NO_CHANNEL ? Optional.empty() : Optional.of(args.get(channel));
        }

        String source() {
            return source;
        }

        String sha1() {
            return sha1;
        }

        private static String digest(String source) {
            try {
                var sha1 = MessageDigest.getInstance("SHA-1");
                return HexFormat.of()
                        .formatHex(sha1.digest(source.getBytes(StandardCharsets.UTF_8)));
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
