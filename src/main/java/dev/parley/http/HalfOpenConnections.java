package dev.parley.http;

import dev.parley.delivery.EventsConfig;
import dev.parley.http.UnansweredConnections.Ends;
import dev.parley.http.UnansweredConnections.Unanswered;
import io.netty.channel.Channel;
import io.netty.channel.ServerChannel;
import io.netty.channel.SingleThreadEventLoop;
import io.netty.util.concurrent.EventExecutor;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.Vertx;
import io.vertx.core.impl.VertxInternal;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;

/**
 * Ends the connections of clients whose network is gone, where the kernel does not: with the JDK's
 * transport, which is used where there is no epoll.
 *
 * <p>Such a client answers nothing. With epoll the kernel ends its connection after {@link
 * ServerOptions#userTimeout}. The JDK has no such option, so there the kernel goes on for a quarter
 * of an hour. Meanwhile the stream counts as connected: a heartbeat is a few bytes, and it takes
 * days until they have filled the socket's buffer and the stream counts as a slow consumer.
 *
 * <p>So with that transport, on Linux, the kernel's tables of connections are read a few times
 * within the timeout ({@link UnansweredConnections}). A connection that has sent the same bytes
 * again and again for that long, without an answer, is closed at once, with the same effect as
 * after the kernel's timeout: its streams count as ended by the client. Only the connections that
 * the server has accepted are closed.
 *
 * <p><b>Cost.</b> A pass runs on a worker thread, and takes no memory for a connection that
 * answers. The kernel needs 3 µs to write each line of its tables; reading the line costs next to
 * nothing. So with 10,000 connections and the default settings a pass takes 30 ms of CPU every 5
 * seconds, which is half of what the heartbeats of these connections cost (a write of 9 µs at least
 * every 8 seconds). The tables have all connections of the network namespace: of the pod in a
 * container, of the whole host outside. However large the tables are, a pass is followed by a pause
 * of 20 times its duration.
 */
@Singleton
final class HalfOpenConnections {

    private static final Logger LOG = Logger.getLogger(HalfOpenConnections.class);

    private static final Path TABLES = Path.of("/proc/self/net");

    /** Longest pause between two passes. */
    private static final Duration LONGEST_INTERVAL = Duration.ofSeconds(5);

    /** After a pass, the pause is at least this many times as long as the pass took. */
    private static final int REST = 20;

    private final ServerBounds bounds;
    private final Watch watch;
    private final Duration interval;
    private final AtomicBoolean isReading = new AtomicBoolean();
    private boolean hasFailed;

    /** When the next pass may begin; written by a pass, before {@link #isReading} ends. */
    private long restUntilNanos = System.nanoTime();

    HalfOpenConnections(EventsConfig config, ServerBounds bounds) {
        Duration timeout = ServerOptions.userTimeout(config);
        Duration third = timeout.dividedBy(3);
        this.bounds = bounds;
        this.watch = new Watch(timeout);
        this.interval = third.compareTo(LONGEST_INTERVAL) < 0 ? third : LONGEST_INTERVAL;
    }

    void start(@Observes StartupEvent event, Vertx vertx) {
        if (vertx.isNativeTransportEnabled()) {
            return;
        }
        UnansweredConnections table;
        try {
            table = UnansweredConnections.in(TABLES);
        } catch (IOException e) {
            LOG.info(
                    "Connections use the JDK's transport, and this system has no /proc/net/tcp. A"
                            + " reader whose network is gone is found only when the system gives"
                            + " its connection up, which can take a quarter of an hour");
            return;
        }
        LOG.info(
                "Connections use the JDK's transport, not epoll. Readers whose network is gone are"
                        + " found in /proc/net/tcp");
        vertx.setPeriodic(
                interval.toMillis(),
                id -> {
                    if (bounds.hasSockets() && isReading.compareAndSet(false, true)) {
                        vertx.executeBlocking(
                                () -> {
                                    passIfRested(vertx, table);
                                    return null;
                                },
                                false);
                    }
                });
    }

    private void passIfRested(Vertx vertx, UnansweredConnections table) {
        try {
            long begin = System.nanoTime();
            if (begin - restUntilNanos >= 0) {
                pass(table, ((VertxInternal) vertx).getEventLoopGroup());
                long end = System.nanoTime();
                restUntilNanos = end + REST * (end - begin);
            }
        } catch (IOException e) {
            if (!hasFailed) {
                hasFailed = true;
                LOG.warnf("Readers whose network is gone are not found: %s", e.getMessage());
            }
        } finally {
            isReading.set(false);
        }
    }

    /** Reads the tables once, and closes the connections that have not answered in time. */
    private void pass(UnansweredConnections table, Iterable<EventExecutor> loops)
            throws IOException {
        Set<Ends> gone = watch.overdue(table.read(), System.nanoTime());
        if (!gone.isEmpty()) {
            loops.forEach(loop -> loop.execute(() -> cut(loop, gone)));
        }
    }

    /** Closes those of an event loop's connections that are gone. Runs on that loop. */
    private static void cut(EventExecutor executor, Set<Ends> gone) {
        if (executor instanceof SingleThreadEventLoop loop) {
            List<Channel> found = new ArrayList<>();
            loop.registeredChannelsIterator()
                    .forEachRemaining(
                            channel -> {
                                if (channel.parent() instanceof ServerChannel
                                        && contains(gone, channel)) {
                                    found.add(channel);
                                }
                            });
            found.forEach(ConnectionGuard::cut);
        }
    }

    private static boolean contains(Set<Ends> gone, Channel channel) {
        return channel.localAddress() instanceof InetSocketAddress local
                && channel.remoteAddress() instanceof InetSocketAddress remote
                && gone.contains(new Ends(local, remote));
    }

    /**
     * Remembers which connections had not answered at the last pass. Used by one thread at a time.
     *
     * <p>What a connection sends again counts from the pass that saw it first, for as long as every
     * pass finds it without an answer in between. An answer shows in one of these: fewer attempts,
     * fewer bytes that wait, another timer, or as many attempts as before and another moment of the
     * next one.
     */
    static final class Watch {

        /** By how much the moment of the next attempt may seem to move: the table takes time. */
        private static final Duration TOLERANCE = Duration.ofSeconds(1);

        private final Duration timeout;
        private Map<Ends, Suspect> suspects = Map.of();

        Watch(Duration timeout) {
            this.timeout = timeout;
        }

        /**
         * @param since when it was seen first
         * @param last how it was at the last pass
         * @param lastNanos when that was
         */
        private record Suspect(long since, Unanswered last, long lastNanos) {

            boolean goesOnWith(Unanswered now, long nowNanos) {
                if (now.timer() != last.timer() || now.queuedBytes() < last.queuedBytes()) {
                    return false;
                }
                long elapsedMillis = Duration.ofNanos(nowNanos - lastNanos).toMillis();
                long moved = last.nextAttemptMillis() - elapsedMillis - now.nextAttemptMillis();
                boolean sameAttempt =
                        now.attempts() == last.attempts()
                                && Math.abs(moved) <= TOLERANCE.toMillis();
                return sameAttempt || now.attempts() > last.attempts();
            }
        }

        /**
         * Returns the connections that have not answered for the timeout.
         *
         * @param unanswered those that have not answered now
         * @param nowNanos from {@link System#nanoTime}
         */
        Set<Ends> overdue(List<Unanswered> unanswered, long nowNanos) {
            Map<Ends, Suspect> next = new HashMap<>();
            Set<Ends> overdue = new HashSet<>();
            for (Unanswered now : unanswered) {
                Suspect known = suspects.get(now.ends());
                long since =
                        known != null && known.goesOnWith(now, nowNanos) ? known.since() : nowNanos;
                next.put(now.ends(), new Suspect(since, now, nowNanos));
                if (nowNanos - since >= timeout.toNanos()) {
                    overdue.add(now.ends());
                }
            }
            suspects = next;
            return overdue;
        }
    }
}
