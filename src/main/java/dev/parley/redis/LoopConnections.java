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
import io.vertx.redis.client.Response;
import io.vertx.redis.client.impl.types.ErrorType;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
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
 * <p>These connections follow the link. They are opened when the link and the subscription are
 * ready, and lead to the same server process as the link (this is not checked if the account may
 * not run INFO). They are used only while the link has the connection for which they were opened.
 * Where one is missing, the link's connection is used. So they need no probe of their own, and a
 * failover is noticed at the link as before. Nor do they load scripts, which the link has loaded
 * into that server. In place of a connection that does not answer in time another one is opened.
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
    private record Opened(@Nullable RedisConnection main, Map<EventLoop, LoopConnection> byLoop) {

        boolean isFor(RedisConnection connection) {
            return connection.equals(main);
        }
    }

    /**
     * @param timer of its pings
     */
    private record LoopConnection(Redis client, RedisConnection connection, long timer) {}

    /**
     * @param name what the connections are for, as the log names them
     * @param link decides about the server and when connections are used
     * @param clients makes a client that is used for one connection
     * @param onEachLoop whether there are such connections; otherwise the link's is used everywhere
     */
    LoopConnections(
            String name,
            RedisSetup setup,
            RedisLink link,
            Supplier<Redis> clients,
            boolean onEachLoop) {
        this.name = name;
        this.vertx = setup.vertx();
        this.link = link;
        this.clients = clients;
        this.config = setup.config();
        if (onEachLoop) {
            makeContexts((VertxInternal) vertx);
        }
    }

    private void makeContexts(VertxInternal loops) {
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
        former.byLoop().values().forEach(this::closeAfterPending);
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
        LoopConnection own = now.byLoop().get(context.nettyEventLoop());
        return own == null ? main : own.connection();
    }

    /** Opens another connection in place of one that has ended. */
    void renew(RedisConnection ended) {
        replace(ended, this::close);
    }

    /**
     * Opens another connection in place of one that does not answer. The commands that wait on it
     * keep their own deadlines: those that were sent last may still be answered in time.
     */
    void retire(RedisConnection silent) {
        replace(silent, this::closeAfterPending);
    }

    /** Does nothing if the connection is not in use any more. */
    private void replace(RedisConnection connection, Consumer<LoopConnection> close) {
        EventLoop loop = null;
        LoopConnection former = null;
        RedisConnection main;
        synchronized (this) {
            main = opened.main();
            for (Map.Entry<EventLoop, LoopConnection> each : opened.byLoop().entrySet()) {
                if (each.getValue().connection().equals(connection)) {
                    loop = each.getKey();
                    former = each.getValue();
                }
            }
            if (loop == null || former == null || main == null) {
                return;
            }
            Map<EventLoop, LoopConnection> rest = new HashMap<>(opened.byLoop());
            rest.remove(loop);
            opened = new Opened(main, Map.copyOf(rest));
        }
        close.accept(former);
        reconnectLater(main, loop);
    }

    /** Closes the connections for good. The link is closed before. */
    void close() {
        take().values().forEach(this::close);
    }

    /** Closes the connections for good, after the commands that wait for their answers. */
    void closeAfterPending() {
        take().values().forEach(this::closeAfterPending);
    }

    /** Redis answers in order, so what was sent before QUIT is answered before it, or too late. */
    private void closeAfterPending(LoopConnection former) {
        vertx.cancelTimer(former.timer());
        Future<Response> answer = former.connection().send(Request.cmd(Command.QUIT));
        AnswerTimeout.limit(vertx, answer, config.timeout()).onComplete(answered -> close(former));
    }

    private synchronized Map<EventLoop, LoopConnection> take() {
        Map<EventLoop, LoopConnection> taken = opened.byLoop();
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
        Future<RedisConnection> checked =
                client.connect().compose(connection -> checkServer(connection, server));
        AnswerTimeout.limit(vertx, checked, limit)
                .onSuccess(connection -> add(main, loop, client, connection))
                .onFailure(
                        failure -> {
                            client.close();
                            warn(
                                    main,
                                    failure instanceof TimeoutException
                                            ? "no answer within " + limit.toMillis() + " ms"
                                            : RedisReason.of(failure));
                            reconnectLater(main, loop);
                        });
    }

    /**
     * Fails if the connection leads to another server, or ends before it has answered. The handlers
     * are set before anything is sent, so that an end is noticed whenever it comes.
     */
    private Future<RedisConnection> checkServer(
            RedisConnection connection, RedisLink.Server server) {
        connection.exceptionHandler(failure -> renew(connection));
        connection.endHandler(ended -> renew(connection));
        return RedisLink.askServer(connection)
                .compose(
                        found ->
                                found.isNot(server)
                                        ? Future.failedFuture("it leads to another server")
                                        : Future.succeededFuture(connection));
    }

    private void add(
            RedisConnection main, EventLoop loop, Redis client, RedisConnection connection) {
        long timer = vertx.setPeriodic(config.probeInterval().toMillis(), tick -> ping(connection));
        var added = new LoopConnection(client, connection, timer);
        boolean isCurrent;
        synchronized (this) {
            isCurrent = opened.isFor(main);
            if (isCurrent) {
                Map<EventLoop, LoopConnection> more = new HashMap<>(opened.byLoop());
                more.put(loop, added);
                opened = new Opened(main, Map.copyOf(more));
            }
        }
        if (!isCurrent) {
            close(added);
        }
    }

    /**
     * Keeps a connection in use. Where something between pod and Redis forgets connections that are
     * silent, the first publish after a quiet hour would otherwise wait in vain. An error is an
     * answer too: a server that cannot save its data refuses PING ({@code MISCONF}), and answers
     * the reads that are under way on this connection.
     */
    private void ping(RedisConnection connection) {
        Future<Response> answer = connection.send(Request.cmd(Command.PING));
        AnswerTimeout.limit(vertx, answer, config.probeTimeout())
                .onFailure(
                        failure -> {
                            if (RedisCommands.isOfAClosedConnection(failure)) {
                                renew(connection);
                            } else if (!(failure instanceof ErrorType)) {
                                retire(connection);
                            }
                        });
    }

    private synchronized void warn(RedisConnection main, String reason) {
        if (opened.isFor(main) && !warned) {
            warned = true;
            LOG.warnf(
                    "Redis %s connection of an additional event loop: %s. Until it is up, that loop's"
                            + " commands go through the first connection; Parley tries again every"
                            + " %s ms",
                    name, reason, config.maxBackoff().toMillis());
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

    private void close(LoopConnection former) {
        vertx.cancelTimer(former.timer());
        former.client().close();
    }
}
