package dev.parley.access;

import dev.parley.broker.BrokerUnavailable;
import dev.parley.delivery.DisconnectReason;
import dev.parley.delivery.Hub;
import dev.parley.message.Room;
import dev.parley.retry.Backoff;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiPredicate;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * The revocations in force, as this pod knows them. It asks the store for changes four times a
 * second, so that each pod acts within a second, also one that starts later or was cut off from the
 * store. What a pod knows stays in force when the store has lost it, and the pod gives it back.
 * Thread-safe.
 */
@Singleton
public final class Revocations {

    private static final Logger LOG = Logger.getLogger(Revocations.class);

    private static final Duration PERIOD = Duration.ofMillis(250);

    /**
     * The pause before the lists of all servers are compared again, after a server took nothing.
     */
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

    /** A clock that moves by this much more or less than time passes was set. */
    private static final Duration SET_BY = Duration.ofSeconds(1);

    /** The least {@link #spare}: clocks that count as right differ by some milliseconds too. */
    private static final Duration LEAST_SPARE = Duration.ofSeconds(1);

    private final AccessStore store;
    private final Hub hub;
    private final Clock clock;
    private final LongSupplier nanoTime;
    private final Duration kept;

    /**
     * How long before its end a store whose clock is ahead may have dropped a revocation: see
     * {@link #kept(AccessConfig)}.
     */
    private final Duration spare;

    private final AtomicBoolean isAsking = new AtomicBoolean();

    private Set<String> revisions = Set.of();

    /** How often it turned out that a server may lack a revocation. */
    private long doubts;

    /** The value of {@link #doubts} when all lists were last asked for. */
    private long doubtsSettled;

    /** By {@link #nanoTime}: by a clock that is set back by an hour, it would be an hour late. */
    private long nextComparisonNanos;

    private final Backoff pauses = new Backoff(FIRST_PAUSE, LONGEST_PAUSE);
    private boolean isFailureLogged;

    /** The time of the clock when it was last seen to be set, and at the beginning. */
    private Instant clockTime;

    /** The value of {@link #nanoTime} at {@link #clockTime}. */
    private long clockNanos;

    private volatile InForce inForce = InForce.of(Map.of());
    private volatile boolean isLoaded;

    /**
     * Revocations and their ends. They are grouped by what they name, so that a publish is compared
     * with those of its person and its token, and not with all of ten thousand.
     *
     * @param others those that name neither a person nor a token
     */
    private record InForce(
            Map<Revocation, Instant> ends,
            Map<String, List<Revocation>> bySubject,
            Map<String, List<Revocation>> byTokenId,
            List<Revocation> others) {

        static InForce of(Map<Revocation, Instant> ends) {
            Map<String, List<Revocation>> bySubject = new HashMap<>();
            Map<String, List<Revocation>> byTokenId = new HashMap<>();
            List<Revocation> others = new ArrayList<>();
            for (Revocation one : ends.keySet()) {
                if (one.tokenId().isPresent()) {
                    byTokenId
                            .computeIfAbsent(one.tokenId().get(), id -> new ArrayList<>())
                            .add(one);
                } else if (one.subject().isPresent()) {
                    bySubject
                            .computeIfAbsent(one.subject().get(), name -> new ArrayList<>())
                            .add(one);
                } else {
                    others.add(one);
                }
            }
            return new InForce(Map.copyOf(ends), bySubject, byTokenId, others);
        }

        /** Returns those that concern a token, in any room, and have not ended. */
        Stream<Revocation> of(VerifiedToken token, Instant now) {
            if (ends.isEmpty()) {
                return Stream.empty();
            }
            List<Revocation> ofToken =
                    token.id().map(id -> byTokenId.getOrDefault(id, List.of())).orElse(List.of());
            List<Revocation> ofPerson = bySubject.getOrDefault(token.person().subject(), List.of());
            return Stream.of(ofToken, ofPerson, others)
                    .flatMap(List::stream)
                    .filter(one -> Objects.requireNonNull(ends.get(one)).isAfter(now))
                    .filter(one -> one.concerns(token));
        }
    }

    @Inject
    Revocations(
            AccessStore store, Hub hub, Clock clock, AccessConfig config, MeterRegistry meters) {
        this(store, hub, clock, System::nanoTime, config, meters);
    }

    /**
     * @param nanoTime for the time that passes, as {@link System#nanoTime}
     */
    Revocations(
            AccessStore store,
            Hub hub,
            Clock clock,
            LongSupplier nanoTime,
            AccessConfig config,
            MeterRegistry meters) {
        this.store = store;
        this.hub = hub;
        this.clock = clock;
        this.nanoTime = nanoTime;
        this.clockTime = clock.instant();
        this.clockNanos = nanoTime.getAsLong();
        this.nextComparisonNanos = clockNanos;
        this.kept = kept(config);
        this.spare =
                config.clockSkew().compareTo(LEAST_SPARE) < 0 ? LEAST_SPARE : config.clockSkew();
        Gauge.builder("parley.revocations", this, Revocations::count)
                .description("Revocations in force")
                .register(meters);
    }

    /** Returns how many are in force. Those that have ended are kept until the next one comes. */
    private long count() {
        Instant now = clock.instant();
        return inForce.ends().values().stream().filter(end -> end.isAfter(now)).count();
    }

    /**
     * Returns for how long a revocation is kept, so that no token from before it outlives it. With
     * lives of 24 hours and clocks that differ by up to 30 seconds: at 12:00:00 of a pod's clock,
     * an issuer whose clock is ahead signs a token that says 12:00:30, and the token is revoked. It
     * ends at 12:00:30 of the next day, and is accepted until 12:01:00, because the issuer's clock
     * might have been behind. The last 30 seconds are for a Redis whose clock is ahead, and which
     * drops the revocation as much earlier.
     */
    private static Duration kept(AccessConfig config) {
        return config.maxTokenLifetime().plus(config.clockSkew().multipliedBy(3));
    }

    /** Begins to ask the store for changes. */
    void start(@Observes StartupEvent event, AccessConfig config, Vertx vertx) {
        if (config.mode() == AccessConfig.Mode.OPEN) {
            return;
        }
        update();
        vertx.setPeriodic(PERIOD.toMillis(), id -> update());
    }

    /**
     * Waits until the store has answered once, so that this pod has the revocations. Fails with
     * {@link BrokerUnavailable} if it does not answer now.
     */
    Uni<Void> whenLoaded() {
        return isLoaded() ? Uni.createFrom().voidItem() : ask(List.of());
    }

    /** Tells whether the store has answered once, so that this pod has the revocations. */
    boolean isLoaded() {
        return isLoaded;
    }

    /** Tells whether everything that a token permits was revoked. */
    boolean isRevoked(VerifiedToken token) {
        return inForce.of(token, clock.instant()).anyMatch(one -> one.room().isEmpty());
    }

    /** Tells whether what a token permits in a room was revoked. */
    boolean isRevoked(VerifiedToken token, Room room) {
        return inForce.of(token, clock.instant())
                .anyMatch(one -> one.concerns(token, List.of(room)));
    }

    /**
     * Revokes, on every pod. The revocation is in force for as long as a token from before it can
     * be valid. This pod acts before the answer. Fails with {@link BrokerUnavailable} if it is in
     * force on this pod alone, because it has ended by the clock of the store.
     */
    Uni<Void> revoke(Revocation revocation) {
        // As precise as the store keeps it: otherwise what it has would always end earlier, and be
        // given back again and again.
        Instant end = clock.instant().plus(kept).truncatedTo(ChronoUnit.MILLIS);
        return store.putRevocations(Map.of(revocation.toJson(), end))
                .invoke(
                        keptAt -> {
                            add(Map.of(revocation, end));
                            doubt();
                            onPut(keptAt);
                            if (keptAt == AccessStore.KeptAt.NO_SERVER) {
                                throw new BrokerUnavailable(
                                        "it has ended by the clock of Redis, so that clock or this"
                                                + " pod's is wrong");
                            }
                        })
                .replaceWithVoid();
    }

    /**
     * Ends a stream that was opened, if a right to it was revoked after it was checked. A
     * revocation that comes later ends it itself, since the hub knows the stream now.
     *
     * @param rooms those that it reads
     */
    void onStreamOpened(Caller caller, List<Room> rooms) {
        caller.token()
                .ifPresent(
                        token ->
                                endStreams(
                                        inForce.of(token, clock.instant())
                                                .filter(one -> one.concerns(token, rooms))
                                                .toList()));
    }

    /** Asks the store for changes, unless an answer is still to come. */
    void update() {
        onClockRead();
        if (!isAsking.compareAndSet(false, true)) {
            return;
        }
        ask(revisionsToLeaveOut())
                .onTermination()
                .invoke(() -> isAsking.set(false))
                .subscribe()
                .with(done -> {}, failure -> LOG.debugf("revocations: %s", failure.getMessage()));
    }

    /**
     * Returns the revisions whose lists the store leaves out: those of the last answer. A server
     * that did not take a revocation has the same revision as before, though its list is not what
     * it should be. So while a server may lack one, no list is left out, and all are compared.
     */
    private synchronized Collection<String> revisionsToLeaveOut() {
        boolean isTime = nanoTime.getAsLong() - nextComparisonNanos >= 0;
        boolean compares = doubts != doubtsSettled && isTime;
        return compares ? List.of() : revisions;
    }

    private Uni<Void> ask(Collection<String> leftOut) {
        return Uni.createFrom()
                .deferred(
                        () -> {
                            long before = doubts();
                            return store.revocations(leftOut)
                                    .invoke(lists -> onAnswer(lists, leftOut, before));
                        })
                .replaceWithVoid();
    }

    /**
     * Makes the next answer contain all lists. After a revocation the servers have a revision that
     * this pod has not read yet. One that loses its data before the next question has the former
     * revision again, or none as in the beginning, and would be taken for unchanged.
     */
    private synchronized void doubt() {
        doubts++;
    }

    private synchronized long doubts() {
        return doubts;
    }

    /**
     * @param leftOut the revisions whose lists were left out
     * @param before {@link #doubts} when the store was asked
     */
    private synchronized void onAnswer(
            List<AccessStore.RevocationList> lists, Collection<String> leftOut, long before) {
        List<Map<Revocation, Instant>> changed =
                lists.stream()
                        .flatMap(list -> list.entries().stream())
                        .map(Revocations::read)
                        .toList();
        revisions =
                lists.stream()
                        .map(AccessStore.RevocationList::revision)
                        .collect(Collectors.toUnmodifiableSet());
        if (leftOut.isEmpty()) {
            doubtsSettled = before;
        } else if (!changed.isEmpty() && changed.size() < lists.size()) {
            // The pod that revoked may have reached some servers, and have ended since.
            doubts++;
        }
        // First all that the servers have, so that each also gets what only another one has.
        changed.forEach(this::add);
        changed.forEach(this::giveBack);
        isLoaded = true;
    }

    private static Map<Revocation, Instant> read(Map<String, Instant> entries) {
        Map<Revocation, Instant> read = new HashMap<>();
        entries.forEach(
                (entry, end) ->
                        Revocation.fromJson(entry).ifPresent(known -> read.put(known, end)));
        return read;
    }

    /**
     * Gives the store what a server has lost, because it was emptied or went back in time. A server
     * that did so, or that did not take a revocation for the second time, may also have the earlier
     * end of one that was made twice.
     *
     * <p>One that is about to end is not given back. A server whose clock is ahead would leave it
     * out, and the pod would warn of it whenever a revocation ends.
     *
     * @param present what the server has
     */
    private void giveBack(Map<Revocation, Instant> present) {
        Instant soon = clock.instant().plus(spare);
        Map<String, Instant> lost =
                inForce.ends().entrySet().stream()
                        .filter(each -> each.getValue().isAfter(soon))
                        .filter(
                                each ->
                                        present.getOrDefault(each.getKey(), Instant.MIN)
                                                .isBefore(each.getValue()))
                        .collect(
                                Collectors.toMap(
                                        each -> each.getKey().toJson(), Map.Entry::getValue));
        if (!lost.isEmpty()) {
            store.putRevocations(lost)
                    .subscribe()
                    .with(
                            this::onPut,
                            failure -> onPutFailed(String.valueOf(failure.getMessage())));
        }
    }

    private synchronized void onPut(AccessStore.KeptAt keptAt) {
        switch (keptAt) {
            case EVERY_SERVER -> {
                pauses.reset();
                isFailureLogged = false;
            }
            case SOME_SERVERS -> onPutFailed("one of several servers did not take it");
            case NO_SERVER ->
                    onPutFailed(
                            "they have ended by its clock, so that clock or this pod's is wrong");
        }
    }

    private synchronized void onPutFailed(String reason) {
        doubts++;
        nextComparisonNanos = nanoTime.getAsLong() + pauses.next().toNanos();
        if (!isFailureLogged) {
            isFailureLogged = true;
            LOG.warnf(
                    "The store lacks revocations that are in force on this pod, and did not take them:"
                            + " %s. The pod goes on trying.",
                    reason);
        }
    }

    /**
     * Puts revocations in force, and ends the streams that they concern. One that is in force
     * already keeps the later of both ends, whatever a server says that has only the earlier.
     *
     * <p>Those that have ended are removed first. A token is revoked, the revocation ends, a stream
     * is opened with a token without {@code iat}, and the token is revoked again: were the ended
     * one still here, the new one would not count as fresh, and the stream would go on. A store may
     * list a revocation beyond its end; that ends no streams.
     */
    private synchronized void add(Map<Revocation, Instant> more) {
        onClockRead();
        Instant now = clock.instant();
        Map<Revocation, Instant> all = new HashMap<>(inForce.ends());
        all.values().removeIf(end -> !end.isAfter(now));
        List<Revocation> fresh = new ArrayList<>();
        more.forEach(
                (one, end) -> {
                    if (!end.isAfter(now)) {
                        return;
                    }
                    if (!all.containsKey(one)) {
                        fresh.add(one);
                    }
                    all.merge(one, end, Revocations::later);
                });
        inForce = InForce.of(all);
        endStreams(fresh);
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }

    /**
     * Makes up for a clock that was wrong, once it was set. An example: the clock is an hour ahead
     * when the pod reads that eve is revoked for 16 minutes more. By the clock this has ended, so
     * eve's streams go on, and the pod does not ask for the list again, whose revision it has. When
     * the clock is right again, the revocation is in force. So the pod then asks for all lists, and
     * ends the streams that are concerned by what it knows: they may have been opened meanwhile.
     */
    private synchronized void onClockRead() {
        Instant now = clock.instant();
        long nanos = nanoTime.getAsLong();
        Instant expected = clockTime.plusNanos(nanos - clockNanos);
        if (Duration.between(expected, now).abs().compareTo(SET_BY) > 0) {
            clockTime = now;
            clockNanos = nanos;
            doubt();
            InForce present = inForce;
            endStreams(
                    (token, rooms) ->
                            present.of(token, now).anyMatch(one -> one.concerns(token, rooms)));
        }
    }

    private void endStreams(List<Revocation> concerning) {
        if (!concerning.isEmpty()) {
            endStreams(
                    (token, rooms) ->
                            concerning.stream().anyMatch(one -> one.concerns(token, rooms)));
        }
    }

    private void endStreams(BiPredicate<VerifiedToken, List<Room>> concerned) {
        hub.endStreams(
                (holder, rooms) ->
                        holder instanceof Caller caller
                                && caller.token()
                                        .map(token -> concerned.test(token, rooms))
                                        .orElse(false),
                DisconnectReason.REVOKED);
    }
}
