package dev.parley.access;

import dev.parley.retry.Backoff;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The keys that an issuer publishes. They are fetched at start, then at even intervals, and when a
 * token names a key that is not among them. While they cannot be fetched, the last ones that were
 * stay in force. Thread-safe.
 *
 * <p>Keys change like this: the issuer adds the new key to its set, signs with it from some time
 * on, and later removes the old one. A token that is signed with a key that was added since the
 * last fetch makes this class fetch them at once. Since anyone can send tokens with invented key
 * ids, that happens at most once in {@link Pauses#refetch}; tokens that arrive while a fetch is
 * under way wait for it.
 */
final class FetchedKeys implements IssuerKeys {

    private static final Logger LOG = Logger.getLogger(FetchedKeys.class);

    /**
     * When keys are fetched.
     *
     * @param refresh from one fetch to the next
     * @param refetch least time between two fetches for tokens with unknown keys
     * @param firstRetry after a fetch that failed; doubles with each further one
     * @param longestRetry the longest such pause
     */
    record Pauses(Duration refresh, Duration refetch, Duration firstRetry, Duration longestRetry) {

        /** Returns the pauses of the program, with this one between two fetches. */
        static Pauses of(Duration refresh) {
            return new Pauses(
                    refresh, Duration.ofSeconds(30), Duration.ofSeconds(1), Duration.ofSeconds(30));
        }
    }

    private final String issuer;
    private final Supplier<Future<KeySet>> source;
    private final Pauses pauses;
    private final Vertx vertx;
    private final Backoff backoff;

    private volatile KeySet current = KeySet.NONE;
    private volatile boolean upToDate;
    private @Nullable Future<KeySet> fetching;
    private boolean failureLogged;
    private boolean refetched;
    private long lastRefetch;

    /**
     * @param issuer how log lines name the issuer and the address of its keys
     * @param source fetches the keys; fails with a message that completes a sentence
     */
    FetchedKeys(String issuer, Supplier<Future<KeySet>> source, Pauses pauses, Vertx vertx) {
        this.issuer = issuer;
        this.source = source;
        this.pauses = pauses;
        this.vertx = vertx;
        this.backoff = new Backoff(pauses.firstRetry(), pauses.longestRetry());
    }

    /** Fetches the keys for the first time, and from then on again and again. */
    void start() {
        fetch().onComplete(done -> vertx.setTimer(pauseAfter(done.succeeded()), timer -> start()));
    }

    private synchronized long pauseAfter(boolean success) {
        if (success) {
            backoff.reset();
            // The pods of an installation start together and would ask in step.
            Duration shortest = pauses.refresh().multipliedBy(9).dividedBy(10);
            return Math.max(1, Backoff.between(shortest, pauses.refresh()).toMillis());
        }
        return backoff.next().toMillis();
    }

    @Override
    public KeySet current() {
        return current;
    }

    @Override
    public boolean areUpToDate() {
        return upToDate;
    }

    @Override
    public Optional<Future<KeySet>> refetch(KeySet known) {
        Promise<KeySet> begun;
        synchronized (this) {
            if (!current.equals(known)) {
                return Optional.of(Future.succeededFuture(current));
            }
            if (fetching != null) {
                return Optional.of(fetching);
            }
            long now = System.nanoTime();
            if (refetched && now - lastRefetch < pauses.refetch().toNanos()) {
                return Optional.empty();
            }
            refetched = true;
            lastRefetch = now;
            begun = begin();
        }
        return Optional.of(fetch(begun));
    }

    /** Fetches the keys, or joins the fetch that is under way. */
    private Future<KeySet> fetch() {
        Promise<KeySet> begun;
        synchronized (this) {
            if (fetching != null) {
                return fetching;
            }
            begun = begin();
        }
        return fetch(begun);
    }

    /**
     * Notes that a fetch begins, in the same step in which it was decided: another thread joins it
     * then, and does not take the keys for just fetched. The caller holds the lock.
     */
    private Promise<KeySet> begin() {
        Promise<KeySet> begun = Promise.promise();
        fetching = begun.future();
        return begun;
    }

    private Future<KeySet> fetch(Promise<KeySet> result) {
        // Outside of the lock, because a fetch that fails at once calls back from here.
        source.get()
                .onComplete(
                        fetched -> {
                            if (fetched.succeeded()) {
                                onFetched(fetched.result());
                                result.complete(current);
                            } else {
                                onFailed(fetched.cause());
                                result.fail(fetched.cause());
                            }
                        });
        return result.future();
    }

    private synchronized void onFetched(KeySet keys) {
        fetching = null;
        if (failureLogged || current.keys().isEmpty()) {
            LOG.infof("%s: its keys were fetched (%d)", issuer, keys.keys().size());
        }
        failureLogged = false;
        upToDate = true;
        // The object stays while the keys do: tokens that were checked with it need no new check.
        if (!keys.equals(current)) {
            current = keys;
        }
    }

    private synchronized void onFailed(Throwable cause) {
        fetching = null;
        upToDate = false;
        if (!failureLogged) {
            failureLogged = true;
            String reason =
                    cause.getMessage() == null ? cause.getClass().getName() : cause.getMessage();
            String effect =
                    current.keys().isEmpty()
                            ? "its tokens cannot be checked until they are"
                            : "the keys that were fetched before stay in force";
            LOG.warnf("%s: its keys could not be fetched, and %s: %s", issuer, effect, reason);
        }
    }
}
