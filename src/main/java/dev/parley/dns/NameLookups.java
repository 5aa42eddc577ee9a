package dev.parley.dns;

import io.netty.util.concurrent.ScheduledFuture;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.net.SocketAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Looks up host names on threads of its own, by the rules of the JVM and the operating system.
 *
 * <p>The framework would look a name up on the event loop of the connection. When DNS does not
 * answer, the system waits for ten seconds or longer. Meanwhile the event loop would serve no
 * client and, since links try again and again, it would be blocked most of the time: the liveness
 * probe would fail, and Kubernetes would restart all pods for as long as DNS is away.
 *
 * <p>A look-up that hangs cannot be ended. So there is at most one for each name, which all callers
 * share. A caller waits until the look-up has taken as long as the caller allows, and fails at once
 * if it has taken that long already: a client that tries several servers one after the other would
 * otherwise wait for each of them anew. An answer that comes after all callers have given up is
 * kept for the next one. Without that, names would never be found where each look-up takes longer
 * than the callers wait, as it does while the first of several DNS servers is down. Thread-safe.
 */
public final class NameLookups {

    /** Most look-ups at a time; those of further names begin when one has ended. */
    static final int MAX_THREADS = 16;

    /** How long an answer that came too late is kept; longer than callers pause. */
    static final Duration KEPT = Duration.ofMinutes(1);

    private static final int IDLE_SECONDS = 10;

    /** One for the whole program, whose threads are bounded, as the JVM's cache of names is one. */
    private static final NameLookups OF_THE_PROGRAM =
            new NameLookups(InetAddress::getByName, daemons(), System::nanoTime);

    /** Finds the address of a name. */
    interface Resolver {

        InetAddress resolve(String name) throws UnknownHostException;
    }

    /**
     * A look-up that is under way.
     *
     * @param sinceNanos when it was begun
     * @param callers those that wait for it
     */
    private record Lookup(long sinceNanos, Set<Promise<InetAddress>> callers) {}

    /** An answer that no caller was waiting for any more. */
    private record LateAnswer(InetAddress address, long sinceNanos) {}

    private final Resolver resolver;
    private final Executor threads;
    private final LongSupplier nanoTime;

    /** The look-ups that are under way, by name; guarded by this. */
    private final Map<String, Lookup> lookups = new HashMap<>();

    /** Guarded by this. */
    private final Map<String, LateAnswer> lateAnswers = new HashMap<>();

    NameLookups(Resolver resolver, Executor threads, LongSupplier nanoTime) {
        this.resolver = resolver;
        this.threads = threads;
        this.nanoTime = nanoTime;
    }

    /** Starts threads when there are look-ups, and ends them afterwards. */
    private static Executor daemons() {
        var threads =
                new ThreadPoolExecutor(
                        MAX_THREADS,
                        MAX_THREADS,
                        IDLE_SECONDS,
                        TimeUnit.SECONDS,
                        new LinkedBlockingQueue<>(),
                        task -> {
                            // The process may end while a look-up hangs.
                            var thread = new Thread(task, "name-lookup");
                            thread.setDaemon(true);
                            return thread;
                        });
        threads.allowCoreThreadTimeOut(true);
        return threads;
    }

    /**
     * Adds the IP address to the address of a server, unless it has one or needs none. Completes on
     * the event loop of the context. Fails with {@link LookupTimeout}, or with {@link
     * UnknownHostException}.
     *
     * @param limit how long the look-up may take
     */
    public static Future<SocketAddress> resolve(
            ContextInternal context, SocketAddress server, Duration limit) {
        String name = server.hostName();
        return name == null
                ? Future.succeededFuture(server)
                : OF_THE_PROGRAM
                        .lookUp(context, name, limit)
                        .map(
                                address ->
                                        SocketAddress.inetSocketAddress(
                                                new InetSocketAddress(address, server.port())));
    }

    /** Looks a name up, joins the look-up that is under way, or takes an answer that came late. */
    Future<InetAddress> lookUp(ContextInternal context, String name, Duration limit) {
        Promise<InetAddress> caller = context.promise();
        long left;
        synchronized (this) {
            long now = nanoTime.getAsLong();
            LateAnswer late = lateAnswers.remove(name);
            if (late != null && isFresh(late, now)) {
                return context.succeededFuture(late.address());
            }
            Lookup lookup = lookups.get(name);
            if (lookup == null) {
                // It ends after it was put into the map, because its end takes this lock.
                threads.execute(() -> run(name));
                lookup = new Lookup(now, new LinkedHashSet<>());
                lookups.put(name, lookup);
            }
            left = limit.toNanos() - (now - lookup.sinceNanos());
            if (left <= 0) {
                return context.failedFuture(new LookupTimeout(name, limit.toMillis()));
            }
            lookup.callers().add(caller);
        }
        ScheduledFuture<?> timer =
                context.nettyEventLoop()
                        .schedule(() -> giveUp(name, caller, limit), left, TimeUnit.NANOSECONDS);
        return caller.future().onComplete(done -> timer.cancel(false));
    }

    private static boolean isFresh(LateAnswer answer, long now) {
        return now - answer.sinceNanos() < KEPT.toNanos();
    }

    /** Ends the wait of a caller. The look-up keeps nothing of it, however long it hangs. */
    private void giveUp(String name, Promise<InetAddress> caller, Duration limit) {
        synchronized (this) {
            Lookup lookup = lookups.get(name);
            if (lookup != null) {
                lookup.callers().remove(caller);
            }
        }
        caller.tryFail(new LookupTimeout(name, limit.toMillis()));
    }

    private void run(String name) {
        try {
            onFound(name, resolver.resolve(name));
        } catch (UnknownHostException | RuntimeException | Error failure) {
            end(name).forEach(caller -> caller.tryFail(failure));
        }
    }

    private void onFound(String name, InetAddress address) {
        boolean isUsed = false;
        for (Promise<InetAddress> caller : end(name)) {
            isUsed |= caller.tryComplete(address);
        }
        if (!isUsed) {
            keep(name, address);
        }
    }

    /** Removes a look-up, and returns the callers that wait for it. */
    private synchronized List<Promise<InetAddress>> end(String name) {
        @Nullable Lookup ended = lookups.remove(name);
        return ended == null ? List.of() : List.copyOf(ended.callers());
    }

    private synchronized void keep(String name, InetAddress address) {
        long now = nanoTime.getAsLong();
        lateAnswers.values().removeIf(answer -> !isFresh(answer, now));
        lateAnswers.put(name, new LateAnswer(address, now));
    }
}
