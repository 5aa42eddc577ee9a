package dev.parley.redis;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.EventExecutor;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.impl.VertxInternal;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.impl.types.ErrorType;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Connections for commands on the event loops that do not have the node's {@link RedisLink}.
 *
 * <p>A request is read and answered on the event loop of its connection. If the command to Redis
 * went out on another event loop, that one would have to be woken up for it, and the first one for
 * the answer; on a pod with few requests at a time, that costs more than the command itself.
 *
 * <p>The link decides, and these connections follow it: they are opened when the link and the
 * subscription are ready, lead to the same server process, and are used only while the link has the
 * connection for which they were opened. Where one is missing, the link's connection is used. So
 * they need no probe of their own, and a failover is noticed at the link as before. Nor do they
 * load scripts, which the link has loaded into that server. A connection that does not answer in
 * time is closed and opened again.
 */
final class LoopConnections {

    private static final Logger LOG = Logger.getLogger(LoopConnections.class);

    private final String name;
    private final Vertx vertx;
    private final Map<EventLoop, Context> contexts = new HashMap<>();
    private final RedisLink link;
    private final Supplier<Redis> clients;
    private final RedisConfig config;

    private volatile Opened opened = new Opened(null, Map.of());
    private boolean warned;

    /** The connections that were opened for a connection of the link. */
    private record Opened(@Nullable RedisConnection main, Map<EventLoop, Further> byLoop) {

        boolean isFor(RedisConnection connection) {
            return connection.equals(main);
        }
    }

    /**
     * @param timer of its pings
     */
    private record Further(Redis client, RedisConnection connection, long timer) {}

    /**
     * @param name what the connections are for, as the log names them
     * @param link decides about the server and when connections are used
     * @param clients makes a client that is used for one connection
     */
    LoopConnections(String name, RedisSetup setup, RedisLink link, Supplier<Redis> clients) {
        this.name = name;
        this.vertx = setup.vertx();
        this.link = link;
        this.clients = clients;
        this.config = setup.config();
        var loops = (VertxInternal) setup.vertx();
        for (EventExecutor loop : loops.getEventLoopGroup()) {
            if (!loop.equals(link.eventLoop())) {
                contexts.put(
                        (EventLoop) loop,
                        loops.createEventLoopContext(
                                (EventLoop) loop,
                                null,
                                Thread.currentThread().getContextClassLoader()));
            }
        }
    }

    /** Opens the connections for the present connection of the link, and closes the former ones. */
    void open() {
        RedisConnection main = link.connection().orElse(null);
        Opened former;
        synchronized (this) {
            if (main == null || opened.isFor(main)) {
                return;
            }
            former = opened;
            opened = new Opened(main, Map.of());
            warned = false;
        }
        former.byLoop().values().forEach(this::close);
        contexts.forEach((loop, context) -> context.runOnContext(now -> connect(main, loop)));
    }

    /**
     * Returns the connection of the event loop that calls.
     *
     * @param main the present connection of the link, which is returned if there is no nearer one
     */
    RedisConnection nearest(RedisConnection main) {
        Opened now = opened;
        ContextInternal context = ContextInternal.current();
        if (context == null || !now.isFor(main)) {
            return main;
        }
        Further further = now.byLoop().get(context.nettyEventLoop());
        return further == null ? main : further.connection();
    }

    /** Closes a connection that has ended or does not answer, and opens another one. */
    void renew(RedisConnection connection) {
        EventLoop loop = null;
        Further renewed = null;
        RedisConnection main;
        synchronized (this) {
            main = opened.main();
            for (Map.Entry<EventLoop, Further> each : opened.byLoop().entrySet()) {
                if (each.getValue().connection().equals(connection)) {
                    loop = each.getKey();
                    renewed = each.getValue();
                }
            }
            if (loop == null || renewed == null || main == null) {
                return;
            }
            Map<EventLoop, Further> rest = new HashMap<>(opened.byLoop());
            rest.remove(loop);
            opened = new Opened(main, Map.copyOf(rest));
        }
        close(renewed);
        reconnectLater(main, loop);
    }

    /** Closes the connections for good. The link is closed before. */
    void close() {
        take().values().forEach(this::close);
    }

    /** Closes the connections for good, after the commands that wait for their answers. */
    void finish() {
        take().values()
                .forEach(
                        further ->
                                further.connection()
                                        .send(Request.cmd(Command.QUIT))
                                        .timeout(config.timeout().toMillis(), TimeUnit.MILLISECONDS)
                                        .onComplete(answered -> close(further)));
    }

    private synchronized Map<EventLoop, Further> take() {
        Map<EventLoop, Further> taken = opened.byLoop();
        opened = new Opened(null, Map.of());
        return taken;
    }

    /** Connects on the event loop, which the client then uses for everything. */
    private void connect(RedisConnection main, EventLoop loop) {
        RedisLink.Server server = link.server().orElse(null);
        if (server == null || !opened.isFor(main)) {
            return;
        }
        Redis client = clients.get();
        Duration limit = config.timeout().multipliedBy(2);
        client.connect()
                .compose(
                        connection ->
                                RedisLink.askServer(connection)
                                        .compose(
                                                found ->
                                                        found.isNot(server)
                                                                ? Future.failedFuture(
                                                                        "it leads to another server")
                                                                : Future.succeededFuture(
                                                                        connection)))
                .timeout(limit.toMillis(), TimeUnit.MILLISECONDS)
                .onSuccess(connection -> add(main, loop, client, connection))
                .onFailure(
                        failure -> {
                            client.close();
                            warn(
                                    main,
                                    failure instanceof TimeoutException
                                            ? "no answer within " + limit.toSeconds() + " s"
                                            : RedisReason.of(failure));
                            reconnectLater(main, loop);
                        });
    }

    private void add(
            RedisConnection main, EventLoop loop, Redis client, RedisConnection connection) {
        long timer = vertx.setPeriodic(config.probeInterval().toMillis(), tick -> ping(connection));
        var further = new Further(client, connection, timer);
        boolean isCurrent;
        synchronized (this) {
            isCurrent = opened.isFor(main);
            if (isCurrent) {
                Map<EventLoop, Further> more = new HashMap<>(opened.byLoop());
                more.put(loop, further);
                opened = new Opened(main, Map.copyOf(more));
            }
        }
        if (!isCurrent) {
            close(further);
            return;
        }
        connection.exceptionHandler(failure -> renew(connection));
        connection.endHandler(ended -> renew(connection));
    }

    /**
     * Keeps a connection in use. Where something between pod and Redis forgets connections that are
     * silent, the first publish after a quiet hour would otherwise wait in vain. An error is an
     * answer too: a server that cannot save its data refuses PING ({@code MISCONF}), and answers
     * the reads that are under way on this connection.
     */
    private void ping(RedisConnection connection) {
        connection
                .send(Request.cmd(Command.PING))
                .timeout(config.probeTimeout().toMillis(), TimeUnit.MILLISECONDS)
                .onFailure(
                        failure -> {
                            if (!(failure instanceof ErrorType)
                                    || RedisCommands.isOfAClosedConnection(failure)) {
                                renew(connection);
                            }
                        });
    }

    private synchronized void warn(RedisConnection main, String reason) {
        if (opened.isFor(main) && !warned) {
            warned = true;
            LOG.warnf(
                    "Redis %s connection for a further event loop: %s. Its commands go through the"
                            + " first one; Parley goes on trying.",
                    name, reason);
        }
    }

    private void reconnectLater(RedisConnection main, EventLoop loop) {
        Objects.requireNonNull(contexts.get(loop))
                .runOnContext(
                        now ->
                                vertx.setTimer(
                                        config.maxBackoff().toMillis(),
                                        timer -> connect(main, loop)));
    }

    private void close(Further further) {
        vertx.cancelTimer(further.timer());
        further.client().close();
    }
}
