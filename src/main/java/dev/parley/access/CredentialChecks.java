package dev.parley.access;

import dev.parley.broker.BrokerUnavailable;
import dev.parley.http.RefusedRequest;
import dev.parley.http.TokenBuckets;
import io.github.bucket4j.Bandwidth;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Limits the checks of tokens and tickets that fail, for each client address, also if many are sent
 * at once. Thread-safe.
 *
 * <p>Each address has a bucket of charges. (That is what the unit of {@link TokenBuckets} is called
 * here, where a token is a credential.) A check takes a charge before it begins, and gives it back
 * unless the credential turns out to be bad. So no more checks of an address are under way than may
 * fail. When the bucket is empty while some are under way, the next one waits, because these may
 * give their charges back: thousands of readers behind one address, who come back together with
 * valid tokens, are all served. When the bucket is empty and none is under way, those that wait are
 * refused unchecked.
 *
 * <p>An example with a burst of 50: of 3,000 bad tokens that arrive together 16 are checked at
 * once, and 2,984 wait. As each of the 16 fails, another one is checked, until 50 have failed. Then
 * the other 2,950 are refused.
 *
 * <p>At most {@link #AT_ONCE} checks of an address are under way, whatever the burst. Checks of
 * signatures that take long wait for threads in order of arrival, so that each address has its turn
 * after a few checks of any other.
 */
final class CredentialChecks {

    /** Most checks of one kind and address that are under way. */
    static final int AT_ONCE = 16;

    /** A check that takes longer than this waits for a Redis that hangs. */
    private static final Duration HANGS = Duration.ofMillis(500);

    /** What is checked. Those that wait for Redis do not hold up those that do not need it. */
    enum Kind {
        /** A token, by its signature. */
        TOKEN,
        /** A ticket, which the store has or has not. */
        TICKET
    }

    private final TokenBuckets<String> failures;
    private final Bandwidth limit;
    private final LongSupplier nanoTime;

    /** By their names; only those with checks that have not ended. Guarded by this. */
    private final Map<String, Address> addresses = new HashMap<>();

    /**
     * @param failures the buckets, by address
     * @param limit checks of an address that may fail
     * @param nanoTime for the time that passes, as {@link System#nanoTime}
     */
    CredentialChecks(TokenBuckets<String> failures, Bandwidth limit, LongSupplier nanoTime) {
        this.failures = failures;
        this.limit = limit;
        this.nanoTime = nanoTime;
    }

    /** What the end of a check says about the credential. */
    private enum Verdict {
        /** It is bad, so the charge is not given back. */
        BAD,
        /** It is valid, or could not be checked for a reason that passes. */
        NOT_BAD,
        /** It seems to be bad, and is checked once more. */
        OPEN
    }

    private static Verdict verdict(@Nullable Throwable failure) {
        if (failure instanceof Unfinished unfinished) {
            return unfinished.wasChecked() ? Verdict.OPEN : Verdict.NOT_BAD;
        }
        if (failure instanceof TokenRefused refused) {
            return refused.reason() == TokenRefused.Reason.NO_KEYS ? Verdict.NOT_BAD : Verdict.BAD;
        }
        return failure instanceof RefusedRequest refused && refused.retryAfter().isEmpty()
                ? Verdict.BAD
                : Verdict.NOT_BAD;
    }

    /** The checks of one address. */
    private static final class Address {

        /** Charges that were taken and may be given back. */
        private int undecided;

        private final Map<Kind, Line> lines = new EnumMap<>(Kind.class);

        /** The kind whose turn it is to begin first, so that none takes all charges. */
        private Kind first = Kind.TOKEN;

        Address() {
            for (Kind kind : Kind.values()) {
                lines.put(kind, new Line());
            }
        }

        Line line(Kind kind) {
            return Objects.requireNonNull(lines.get(kind));
        }

        List<Line> inTurn() {
            Kind second = first == Kind.TOKEN ? Kind.TICKET : Kind.TOKEN;
            List<Line> order = List.of(line(first), line(second));
            first = second;
            return order;
        }

        boolean isIdle() {
            return undecided == 0
                    && lines.values().stream()
                            .allMatch(line -> line.underWay == 0 && line.waiting.isEmpty());
        }
    }

    /** The checks of one kind and address. */
    private static final class Line {

        private int underWay;
        private final Deque<Turn> waiting = new ArrayDeque<>();
    }

    /**
     * A check that waits in a line, and then is under way. Compared by identity, and so not a
     * record, whose {@code equals} would compare what it holds, and slowly in a native executable:
     * a line is searched for one while the lock is held.
     */
    private static final class Turn {

        private final Attempt attempt;
        private final Kind kind;
        private final long entered;
        private final @Nullable Context context;
        private final Consumer<Turn> begin;
        private final Consumer<Throwable> fail;

        /** Whether it has left its line and begun. Guarded by {@link CredentialChecks}. */
        private boolean isUnderWay;

        /**
         * @param entered when it began to wait
         * @param context where it begins, that of its request; null if it has none
         * @param begin makes it begin
         * @param fail makes it fail without having begun
         */
        Turn(
                Attempt attempt,
                Kind kind,
                long entered,
                @Nullable Context context,
                Consumer<Turn> begin,
                Consumer<Throwable> fail) {
            this.attempt = attempt;
            this.kind = kind;
            this.entered = entered;
            this.context = context;
            this.begin = begin;
            this.fail = fail;
        }

        void onContext(Runnable action) {
            if (context == null) {
                action.run();
            } else {
                context.runOnContext(any -> action.run());
            }
        }
    }

    /**
     * Thrown by a check that has to be made once more, by the same attempt, since something that it
     * needs is not known yet.
     */
    abstract static class Unfinished extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private final boolean wasChecked;

        /**
         * @param wasChecked whether the check has been made with what is known, and the credential
         *     is bad by that
         */
        Unfinished(String message, boolean wasChecked) {
            super(message, null, false, false);
            this.wasChecked = wasChecked;
        }

        private boolean wasChecked() {
            return wasChecked;
        }
    }

    /** Thrown in place of the outcome of a check that was not made. */
    static final class NotChecked extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private final @Nullable Duration pause;

        private NotChecked(String message, @Nullable Duration pause) {
            super(message, null, false, false);
            this.pause = pause;
        }

        /** Makes the outcome for a client that is gone. */
        static NotChecked clientIsGone() {
            return new NotChecked("the client is gone", null);
        }

        /** Makes the outcome for a client that is gone, or whose request cannot wait. */
        static NotChecked abandoned() {
            return new NotChecked("too many requests wait", null);
        }

        /**
         * Returns the time until the address may send another credential that is not known; empty
         * if that is not the reason.
         */
        Optional<Duration> pause() {
            return Optional.ofNullable(pause);
        }
    }

    /**
     * Returns the time until the address may send another credential that is not known; empty if it
     * may send one now, which may have to wait for those that are being checked.
     */
    Optional<Duration> pause(String address) {
        Optional<Duration> pause = failures.pause(address);
        if (pause.isEmpty()) {
            return pause;
        }
        synchronized (this) {
            Address known = addresses.get(address);
            return known != null && known.undecided > 0 ? Optional.empty() : pause;
        }
    }

    /**
     * Begins with the credential of a request.
     *
     * @param isGone whether its client is gone, so that it need not be checked
     */
    Attempt attempt(String address, BooleanSupplier isGone) {
        return new Attempt(address, isGone);
    }

    /**
     * Whether a request has a charge of its address, and whether that may be given back.
     *
     * <pre>
     *            check begins               bad
     *   NONE ───────────────────▶ UNDECIDED ────▶ SPENT
     *    ▲                         │  │             ▲
     *    │      not bad            │  │ open        │
     *    ├─────────────────────────┘  ▼             │
     *    └────────────────────────── OPEN ──────────┘
     *           not bad                    bad, or not checked
     * </pre>
     *
     * <p>A request that is refused without a check is charged too: from NONE to SPENT.
     */
    private enum Charge {
        /** It has none. */
        NONE,
        /** Its check is under way. */
        UNDECIDED,
        /** By its last check the credential is bad, and it is checked once more. */
        OPEN,
        /** The credential is bad, so the charge is not given back. */
        SPENT
    }

    /** The checks of one request, one after the other. */
    final class Attempt {

        private final String address;
        private final BooleanSupplier isGone;

        /** Guarded by {@link CredentialChecks}. */
        private Charge charge = Charge.NONE;

        /**
         * The check that waits or is under way; null if there is none. Guarded by {@link
         * CredentialChecks}.
         */
        private @Nullable Turn turn;

        /** Guarded by {@link CredentialChecks}. */
        private boolean isAbandoned;

        private Attempt(String address, BooleanSupplier isGone) {
            this.address = address;
            this.isGone = isGone;
        }

        /**
         * Makes a check when its turn has come. Fails with {@link NotChecked} if the address may
         * send no further bad ones.
         */
        <T> Uni<T> check(Kind kind, Supplier<Uni<T>> check) {
            return Uni.createFrom()
                    .emitter(
                            result ->
                                    enter(
                                            new Turn(
                                                    this,
                                                    kind,
                                                    nanoTime.getAsLong(),
                                                    Vertx.currentContext(),
                                                    turn ->
                                                            begin(
                                                                    turn,
                                                                    check,
                                                                    result::complete,
                                                                    result::fail),
                                                    result::fail)));
        }

        /**
         * Gives up the place of a request that does not wait any more: its client is gone, or it is
         * answered at once, because there is no room for it to wait. Without this, the places of
         * clients that are gone would keep their requests in memory until Redis answers, however
         * many connect and close meanwhile. A check that is under way ends.
         */
        void abandon() {
            synchronized (CredentialChecks.this) {
                isAbandoned = true;
                Address known = addresses.get(address);
                if (known == null) {
                    return;
                }
                if (turn != null && !turn.isUnderWay) {
                    // Most that are refused for want of room have only just begun to wait.
                    known.line(turn.kind).waiting.removeLastOccurrence(turn);
                    turn = null;
                }
                if (turn == null && charge == Charge.OPEN) {
                    // No check follows, and by the last one the credential was bad.
                    charge = Charge.SPENT;
                    known.undecided--;
                }
            }
            proceed(address, null);
        }

        /** Counts the request as a bad one, if no check has. */
        void onRefused() {
            synchronized (CredentialChecks.this) {
                if (charge != Charge.NONE) {
                    return;
                }
                charge = Charge.SPENT;
            }
            failures.tryTake(address, limit);
        }
    }

    private void enter(Turn turn) {
        synchronized (this) {
            if (turn.attempt.isAbandoned) {
                return;
            }
            turn.attempt.turn = turn;
            Deque<Turn> waiting =
                    addresses
                            .computeIfAbsent(turn.attempt.address, name -> new Address())
                            .line(turn.kind)
                            .waiting;
            if (turn.attempt.charge == Charge.OPEN) {
                // The others may be waiting for the charge that it has.
                waiting.addFirst(turn);
            } else {
                waiting.add(turn);
            }
        }
        proceed(turn.attempt.address, turn);
    }

    /** Makes one check. Whether it is cancelled or not, it ends, and another one has its turn. */
    private <T> void begin(
            Turn turn, Supplier<Uni<T>> check, Consumer<T> result, Consumer<Throwable> failed) {
        if (turn.attempt.isGone.getAsBoolean()) {
            var failure = NotChecked.clientIsGone();
            end(turn, nanoTime.getAsLong(), failure);
            failed.accept(failure);
            return;
        }
        long began = nanoTime.getAsLong();
        Uni.createFrom()
                .deferred(check::get)
                .subscribe()
                .with(
                        item -> {
                            end(turn, began, null);
                            result.accept(item);
                        },
                        failure -> {
                            end(turn, began, failure);
                            failed.accept(failure);
                        });
    }

    private void end(Turn turn, long began, @Nullable Throwable failure) {
        Attempt attempt = turn.attempt;
        List<Turn> failing = List.of();
        synchronized (this) {
            Address address = Objects.requireNonNull(addresses.get(attempt.address));
            Line line = address.line(turn.kind);
            line.underWay--;
            attempt.turn = null;
            Verdict verdict = verdict(failure);
            if ((attempt.charge == Charge.OPEN && failure instanceof NotChecked)
                    || (attempt.isAbandoned && verdict == Verdict.OPEN)) {
                // By the last check that was made the credential is bad, and no other follows.
                verdict = Verdict.BAD;
            }
            switch (verdict) {
                case BAD -> {
                    attempt.charge = Charge.SPENT;
                    address.undecided--;
                }
                case NOT_BAD -> {
                    attempt.charge = Charge.NONE;
                    address.undecided--;
                    failures.giveBack(attempt.address);
                }
                case OPEN -> attempt.charge = Charge.OPEN;
            }
            if (failure instanceof BrokerUnavailable) {
                failing = removeWaitingAsLong(line, nanoTime.getAsLong() - began);
            }
        }
        if (failure != null) {
            failing.forEach(waiting -> waiting.onContext(() -> waiting.fail.accept(failure)));
        }
        proceed(attempt.address, null);
    }

    /**
     * Removes and returns those that wait since about the time when a check began that Redis has
     * not answered. Without checks of others before them they would now fail like that one, and one
     * after the other they would wait for many times as long. A check that fails at once holds up
     * none.
     */
    private List<Turn> removeWaitingAsLong(Line line, long nanos) {
        if (nanos < HANGS.toNanos()) {
            return List.of();
        }
        long latest = nanoTime.getAsLong() - nanos / 2;
        List<Turn> waiting =
                line.waiting.stream().filter(turn -> turn.entered - latest < 0).toList();
        line.waiting.removeIf(turn -> turn.entered - latest < 0);
        waiting.forEach(turn -> turn.attempt.turn = null);
        return waiting;
    }

    /**
     * Lets those begin whose turn has come, or refuses those that wait if none may.
     *
     * @param entering begins at once, since this is called on its context; null if none enters
     */
    private void proceed(String name, @Nullable Turn entering) {
        List<Turn> beginning = new ArrayList<>();
        List<Turn> refused = new ArrayList<>();
        Duration pause = Duration.ZERO;
        synchronized (this) {
            Address address = addresses.get(name);
            if (address == null) {
                return;
            }
            for (Line line : address.inTurn()) {
                while (line.underWay < AT_ONCE && !line.waiting.isEmpty()) {
                    Optional<Duration> none = charge(address, line.waiting.element());
                    if (none.isPresent() && address.undecided > 0) {
                        break;
                    }
                    if (none.isPresent()) {
                        pause = none.get();
                        line.waiting.forEach(turn -> turn.attempt.turn = null);
                        refused.addAll(line.waiting);
                        line.waiting.clear();
                    } else {
                        Turn next = line.waiting.remove();
                        next.isUnderWay = true;
                        line.underWay++;
                        beginning.add(next);
                    }
                }
            }
            if (address.isIdle()) {
                addresses.remove(name);
            }
        }
        for (Turn turn : beginning) {
            run(turn, entering, () -> turn.begin.accept(turn));
        }
        for (Turn turn : refused) {
            var refusal = new NotChecked("too many bad tokens and tickets", pause);
            run(turn, entering, () -> turn.fail.accept(refusal));
        }
    }

    private static void run(Turn turn, @Nullable Turn entering, Runnable action) {
        if (turn == entering) {
            action.run();
        } else {
            turn.onContext(action);
        }
    }

    /**
     * Takes a charge for a check, unless its request has one.
     *
     * @return the time until there is one again; empty if it has one
     */
    private Optional<Duration> charge(Address address, Turn turn) {
        if (turn.attempt.charge != Charge.NONE) {
            return Optional.empty();
        }
        Optional<Duration> none = failures.tryTake(turn.attempt.address, limit);
        if (none.isEmpty()) {
            turn.attempt.charge = Charge.UNDECIDED;
            address.undecided++;
        }
        return none;
    }
}
