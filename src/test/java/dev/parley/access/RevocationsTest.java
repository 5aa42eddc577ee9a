package dev.parley.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.parley.access.memory.MemoryAccessStore;
import dev.parley.broker.BrokerUnavailable;
import dev.parley.broker.LostHistories;
import dev.parley.delivery.Connection;
import dev.parley.delivery.EventLoop;
import dev.parley.delivery.EventsConfig;
import dev.parley.delivery.Heartbeat;
import dev.parley.delivery.Hub;
import dev.parley.delivery.StreamLimitsConfig;
import dev.parley.delivery.SubscribeRequest;
import dev.parley.delivery.SubscribeRequest.RoomStart;
import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.log.Format;
import dev.parley.log.LogSettings;
import dev.parley.log.OpenRooms;
import dev.parley.log.ScriptedBroker;
import dev.parley.message.Room;
import dev.parley.sse.EventStreamEncoder;
import dev.parley.testsupport.SettableClock;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A stream that is opened at the moment at which a right to it is revoked. */
final class RevocationsTest {

    private static final Room ROOM = ScriptedBroker.ROOM;

    private final SmallRyeConfig config =
            new SmallRyeConfigBuilder()
                    .withConverter(Duration.class, 200, new DurationConverter())
                    .withMapping(EventsConfig.class)
                    .withMapping(StreamLimitsConfig.class)
                    .build();
    private final ManualLoop loop = new ManualLoop();
    private final RecordingConnection connection = new RecordingConnection();
    private final Hub hub = hub();
    private final Revocations revocations =
            new Revocations(
                    new MemoryAccessStore(Clock.systemUTC()),
                    hub,
                    Clock.systemUTC(),
                    AccessSettings.withSecret().read(),
                    new SimpleMeterRegistry());
    private final Caller eve =
            new Caller(
                    Optional.of(
                            new VerifiedToken(
                                    new Person("https://a", "eve", "Eve"),
                                    Grants.ALL_ROOMS,
                                    Optional.empty(),
                                    Instant.now().minusSeconds(60),
                                    Instant.now().plusSeconds(600))),
                    Grants.NONE,
                    Caller.Carrier.BEARER,
                    Optional.empty());

    private Hub hub() {
        var meters = new SimpleMeterRegistry();
        var encoder = new EventStreamEncoder(Duration.ofSeconds(1), Duration.ofSeconds(1));
        var rooms =
                new OpenRooms(
                        new ScriptedBroker(),
                        encoder,
                        LogSettings.DEFAULT,
                        new LostHistories(meters),
                        meters);
        return new Hub(
                rooms,
                encoder,
                config.getConfigMapping(EventsConfig.class),
                config.getConfigMapping(StreamLimitsConfig.class),
                meters,
                Clock.systemUTC());
    }

    @Test
    void streamWhoseRightIsRevokedBetweenItsCheckAndItsOpening_ends() {
        assertThat(revocations.isRevoked(eve.token().orElseThrow(), ROOM)).isFalse();
        // No stream is open yet that this could end.
        revoke("eve", Optional.of(ROOM));
        loop.run();

        open();

        assertThat(connection.written).contains("\"reason\":\"revoked\"");
    }

    @Test
    void streamWhoseRightIsRevokedLater_ends() {
        open();
        assertThat(connection.written).doesNotContain("goodbye");

        revoke("eve", Optional.empty());
        loop.run();

        assertThat(connection.written).contains("\"reason\":\"revoked\"");
    }

    @Test
    void streamOfAnotherPersonOrRoom_goesOn() {
        revoke("bob", Optional.empty());
        revoke("eve", Optional.of(new Room("elsewhere")));

        open();
        revoke("carol", Optional.empty());
        loop.run();

        assertThat(connection.written).contains("connected").doesNotContain("goodbye");
    }

    @ParameterizedTest
    @CsvSource({
        "eve, , true",
        "bob, , false",
        ", token-1, true",
        ", token-2, false",
        "eve, token-1, true",
        "eve, token-2, false",
        "bob, token-1, false",
        ", , true"
    })
    void token_isRevoked_byWhateverARevocationNamesOfIt(
            String subject, String tokenId, boolean isRevoked) {
        for (int i = 0; i < 100; i++) {
            revoke(Optional.of("other-" + i), Optional.of("other-" + i), Optional.empty());
        }
        var token =
                new VerifiedToken(
                        new Person("https://a", "eve", "Eve"),
                        Grants.ALL_ROOMS,
                        Optional.of("token-1"),
                        Instant.now().minusSeconds(60),
                        Instant.now().plusSeconds(600));

        revoke(Optional.ofNullable(subject), Optional.ofNullable(tokenId), Optional.empty());

        assertThat(revocations.isRevoked(token)).isEqualTo(isRevoked);
        assertThat(revocations.isRevoked(token, ROOM)).isEqualTo(isRevoked);
    }

    @Test
    void token_isRevokedInTheRoomThatIsNamed_only() {
        revoke(Optional.empty(), Optional.empty(), Optional.of(ROOM));

        VerifiedToken token = eve.token().orElseThrow();
        assertThat(revocations.isRevoked(token)).isFalse();
        assertThat(revocations.isRevoked(token, ROOM)).isTrue();
        assertThat(revocations.isRevoked(token, new Room("elsewhere"))).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"PT0S, PT1H", "PT30S, PT24H", "PT5M, PT1M"})
    void revocation_isInForce_untilTheLastTokenFromBeforeItIsRefused(
            Duration skew, Duration longest) {
        SettableClock clock = SettableClock.stoppedNow();
        AccessConfig settings =
                AccessSettings.withSecret()
                        .set("parley.access.clock-skew", skew.toString())
                        .set("parley.access.max-token-lifetime", longest.toString())
                        .read();
        var store = new MemoryAccessStore(clock);
        var own = new Revocations(store, hub, clock, settings, new SimpleMeterRegistry());
        // The clock of its issuer is ahead, by as much as it may be.
        Instant issued = clock.instant().plus(skew).minusSeconds(1);
        var last =
                new VerifiedToken(
                        new Person("https://a", "eve", "Eve"),
                        Grants.ALL_ROOMS,
                        Optional.of("token-1"),
                        issued,
                        issued.plus(longest));
        own.revoke(ofEve(Optional.of(clock.instant().plus(skew)))).await().indefinitely();

        Instant refused = last.expires().plus(skew);
        clock.advance(Duration.between(clock.instant(), refused));

        assertThat(own.isRevoked(last)).isTrue();
        var late = new Revocations(store, hub, clock, settings, new SimpleMeterRegistry());
        late.whenLoaded().await().indefinitely();
        assertThat(late.isRevoked(last)).as("on a pod that starts then").isTrue();
        clock.advance(skew.multipliedBy(3).plusSeconds(1));
        assertThat(own.isRevoked(last)).as("much later").isFalse();
    }

    private static Revocation ofEve(Optional<Instant> issuedBefore) {
        return new Revocation(
                Optional.of("eve"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                issuedBefore);
    }

    @Test
    void revocationThatIsLostBeforeThePodAsksAgain_isGivenBack() {
        var store = new ForgetfulStore();
        var own =
                new Revocations(
                        store,
                        hub,
                        Clock.systemUTC(),
                        AccessSettings.withSecret().read(),
                        new SimpleMeterRegistry());
        own.update();
        Revocation revocation = ofEve(Optional.empty());
        own.revoke(revocation).await().indefinitely();
        store.forget();

        own.update();

        assertThat(store.entries).containsOnlyKeys(revocation.toJson());
    }

    /**
     * A token is revoked, and again when tokens may live for longer. Then the server goes back to
     * the first of both, as a replica does that lags when it takes over.
     */
    @Test
    void revocationThatWasMadeTwice_keepsItsLaterEnd_andTheStoreGetsIt() {
        SettableClock clock = SettableClock.stoppedNow();
        // As a clock of nanoseconds, which the store does not keep.
        clock.advance(Duration.ofNanos(1));
        var store = new ForgetfulStore();
        Revocation revocation = ofEve(Optional.empty());
        revocationsOf(store, clock, "1H").revoke(revocation).await().indefinitely();
        Map<String, Instant> first = Map.copyOf(store.entries);
        var own = revocationsOf(store, clock, "24H");
        own.update();
        own.revoke(revocation).await().indefinitely();
        Map<String, Instant> second = Map.copyOf(store.entries);
        store.forget();
        store.putRevocations(first).await().indefinitely();

        own.update();

        assertThat(second).isNotEqualTo(first);
        assertThat(store.entries).isEqualTo(second);
        clock.advance(Duration.ofHours(2));
        assertThat(own.isRevoked(eve.token().orElseThrow())).isTrue();
        int puts = store.puts;
        own.update();
        own.update();
        assertThat(store.puts).as("nothing is given back twice").isEqualTo(puts);
    }

    /** Tokens without {@code iat} can be valid after the first revocation has ended. */
    @Test
    void revocationThatIsMadeAgainAfterItsEnd_endsStreams() {
        SettableClock clock = SettableClock.stoppedNow();
        var own = revocationsOf(new ForgetfulStore(), clock, "1H");
        own.revoke(ofEve(Optional.empty())).await().indefinitely();
        clock.advance(Duration.ofHours(2));
        open();
        assertThat(connection.written).doesNotContain("goodbye");

        own.revoke(ofEve(Optional.empty())).await().indefinitely();
        loop.run();

        assertThat(connection.written).contains("\"reason\":\"revoked\"");
    }

    /** The store drops it when the next one comes. */
    @Test
    void revocationThatHasEnded_andIsStillInTheStore_endsNoStreams() {
        SettableClock clock = SettableClock.stoppedNow();
        var store = new ForgetfulStore();
        revocationsOf(store, clock, "1H").revoke(ofEve(Optional.empty())).await().indefinitely();
        clock.advance(Duration.ofHours(2));
        open();

        var own = revocationsOf(store, clock, "1H");
        own.update();
        loop.run();

        assertThat(own.isLoaded()).isTrue();
        assertThat(connection.written).contains("connected").doesNotContain("goodbye");
    }

    private Revocations revocationsOf(AccessStore store, SettableClock clock, String longest) {
        AccessConfig settings =
                AccessSettings.withSecret().set("parley.access.max-token-lifetime", longest).read();
        return new Revocations(
                store, hub, clock, clock::nanoTime, settings, new SimpleMeterRegistry());
    }

    /** Another pod has revoked; this one reads it while its clock is an hour ahead. */
    @Test
    void revocationThatIsReadWhileTheClockIsAhead_isInForce_whenTheClockIsRightAgain() {
        SettableClock clock = SettableClock.stoppedNow();
        var store = new ForgetfulStore();
        Instant end = clock.instant().plus(Duration.ofMinutes(16));
        store.putRevocations(Map.of(ofEve(Optional.empty()).toJson(), end)).await().indefinitely();
        var own = revocationsOf(store, clock, "1H");
        clock.setAhead(Duration.ofHours(1));
        own.update();
        open();
        assertThat(own.isRevoked(eve.token().orElseThrow())).isFalse();

        clock.setBack(Duration.ofHours(1));
        own.update();
        loop.run();

        assertThat(own.isRevoked(eve.token().orElseThrow())).isTrue();
        assertThat(connection.written).contains("\"reason\":\"revoked\"");
    }

    /** The pod and its store have the same clock. */
    @Test
    void revocation_isInForceAgainWithoutRedis_ifAnotherWasMadeWhileTheClockWasAhead() {
        SettableClock clock = SettableClock.stoppedNow();
        var own = revocationsOf(new MemoryAccessStore(clock), clock, "1H");
        own.revoke(ofEve(Optional.empty())).await().indefinitely();
        clock.setAhead(Duration.ofHours(2));
        own.revoke(ofEve(Optional.of(Instant.EPOCH))).await().indefinitely();
        own.update();
        assertThat(own.isRevoked(eve.token().orElseThrow())).isFalse();

        clock.setBack(Duration.ofHours(2));
        own.update();

        assertThat(own.isRevoked(eve.token().orElseThrow())).isTrue();
    }

    /** Such a stream has a token without {@code iat}, which is still valid by the wrong clock. */
    @Test
    void streamThatIsOpenedWhileTheClockIsAhead_ends_whenTheClockIsRightAgain() {
        SettableClock clock = SettableClock.stoppedNow();
        var own = revocationsOf(new ForgetfulStore(), clock, "1H");
        own.revoke(ofEve(Optional.empty())).await().indefinitely();
        clock.setAhead(Duration.ofHours(2));
        own.update();
        open();
        assertThat(connection.written).doesNotContain("goodbye");

        clock.setBack(Duration.ofHours(2));
        own.update();
        loop.run();

        assertThat(connection.written).contains("\"reason\":\"revoked\"");
    }

    /** Otherwise the caller would take it for revoked everywhere, and no other pod knows of it. */
    @Test
    void revocationThatHasEndedByTheClockOfTheStore_fails_andIsGivenAgainWhenThatIsRight() {
        SettableClock clock = SettableClock.stoppedNow();
        var store = new ForgetfulStore();
        var own = revocationsOf(store, clock, "24H");
        own.update();
        store.keptAt = AccessStore.KeptAt.NO_SERVER;

        assertThatExceptionOfType(BrokerUnavailable.class)
                .isThrownBy(() -> own.revoke(ofEve(Optional.empty())).await().indefinitely())
                .withMessageContaining("clock");

        assertThat(own.isRevoked(eve.token().orElseThrow())).as("on this pod").isTrue();
        for (int i = 0; i < 2; i++) {
            clock.advance(Duration.ofSeconds(10));
            own.update();
            assertThat(store.entries).isEmpty();
        }
        store.keptAt = AccessStore.KeptAt.EVERY_SERVER;
        clock.advance(Duration.ofSeconds(10));
        own.update();
        assertThat(store.entries).containsOnlyKeys(ofEve(Optional.empty()).toJson());
    }

    /** The clock of the store is ahead by as much as clocks may differ. */
    @Test
    void revocationThatIsAboutToEnd_isNotGivenBack() {
        SettableClock clock = SettableClock.stoppedNow();
        var store = new ForgetfulStore();
        var own = revocationsOf(store, clock, "1H");
        own.revoke(ofEve(Optional.empty())).await().indefinitely();
        own.update();
        clock.advance(Duration.ofHours(1).plusSeconds(61));
        store.forget();
        int puts = store.puts;

        own.update();

        assertThat(own.isRevoked(eve.token().orElseThrow())).as("still").isTrue();
        assertThat(store.puts).isEqualTo(puts);
    }

    @Test
    void listsOfAllServers_areComparedAfterAPause_alsoIfTheClockIsSetBackMeanwhile() {
        SettableClock clock = SettableClock.stoppedNow();
        var store = new ForgetfulStore();
        var own = revocationsOf(store, clock, "24H");
        own.update();
        store.keptAt = AccessStore.KeptAt.SOME_SERVERS;
        own.revoke(ofEve(Optional.empty())).await().indefinitely();
        store.keptAt = AccessStore.KeptAt.EVERY_SERVER;
        clock.setBack(Duration.ofHours(1));
        own.update();
        assertThat(store.entries).as("before the pause is over").isEmpty();

        clock.advance(Duration.ofSeconds(1));
        own.update();

        assertThat(store.entries).containsOnlyKeys(ofEve(Optional.empty()).toJson());
    }

    /** So that a stream of another pod ends within a second after its right is revoked. */
    @Test
    void podAsksTheStore_atLeastTwiceASecond() {
        List<Object> periods = new ArrayList<>();
        Vertx vertx =
                (Vertx)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {Vertx.class},
                                (proxy, method, arguments) -> {
                                    assertThat(method.getName()).isEqualTo("setPeriodic");
                                    periods.add(arguments[0]);
                                    return 1L;
                                });

        revocations.start(new StartupEvent(), AccessSettings.withSecret().read(), vertx);

        assertThat(periods).hasSize(1);
        assertThat((long) periods.get(0)).isBetween(1L, 500L);
        assertThat(revocations.isLoaded()).isTrue();
    }

    @Test
    void gauge_countsThoseInForce() {
        var clock = SettableClock.stoppedNow();
        var meters = new SimpleMeterRegistry();
        AccessConfig access = AccessSettings.withSecret().read();
        var own = new Revocations(new MemoryAccessStore(clock), hub, clock, access, meters);
        own.revoke(ofEve(Optional.empty())).await().indefinitely();
        assertThat(meters.get("parley.revocations").gauge().value()).isOne();

        clock.advance(access.maxTokenLifetime().plus(access.clockSkew().multipliedBy(3)));

        assertThat(meters.get("parley.revocations").gauge().value()).isZero();
    }

    /** Has the revision of the beginning again when it has lost its data, as Redis has. */
    private static final class ForgetfulStore implements AccessStore {

        private final Map<String, Instant> entries = new HashMap<>();
        private int revision;
        private int puts;
        private KeptAt keptAt = KeptAt.EVERY_SERVER;

        void forget() {
            entries.clear();
            revision = 0;
        }

        @Override
        public Uni<Void> putTicket(TicketDigest ticket, KeptTicket kept) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Uni<Optional<String>> useTicket(TicketDigest ticket) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Uni<Void> touchTickets(
                Collection<TicketDigest> tickets,
                Function<TicketDigest, Optional<KeptTicket>> lost) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Uni<KeptAt> putRevocations(Map<String, Instant> more) {
            if (keptAt != KeptAt.EVERY_SERVER) {
                return Uni.createFrom().item(keptAt);
            }
            more.forEach(
                    (entry, end) ->
                            // In milliseconds, as Redis.
                            entries.merge(
                                    entry,
                                    end.truncatedTo(ChronoUnit.MILLIS),
                                    (one, other) -> one.isAfter(other) ? one : other));
            revision++;
            puts++;
            return Uni.createFrom().item(keptAt);
        }

        @Override
        public Uni<List<RevocationList>> revocations(Collection<String> known) {
            String present = Integer.toString(revision);
            return Uni.createFrom()
                    .item(
                            List.of(
                                    new RevocationList(
                                            present,
                                            known.contains(present)
                                                    ? Optional.empty()
                                                    : Optional.of(Map.copyOf(entries)))));
        }
    }

    private void revoke(String subject, Optional<Room> room) {
        revoke(Optional.of(subject), Optional.empty(), room);
    }

    private void revoke(Optional<String> subject, Optional<String> tokenId, Optional<Room> room) {
        revocations
                .revoke(
                        new Revocation(
                                subject,
                                Optional.empty(),
                                tokenId,
                                room,
                                Optional.of(Instant.now())))
                .await()
                .indefinitely();
    }

    private void open() {
        hub.subscribe(
                new SubscribeRequest(
                        List.of(new RoomStart(ROOM, new StartPosition.Tail())),
                        Format.TEXT,
                        Heartbeat.DEFAULT,
                        "127.0.0.1",
                        List.of(),
                        eve),
                connection,
                loop);
        revocations.onStreamOpened(eve, List.of(ROOM));
        loop.run();
    }

    /** Runs actions when the test calls it. */
    private static final class ManualLoop implements EventLoop {

        private final Queue<Runnable> due = new ArrayDeque<>();

        @Override
        public void execute(Runnable action) {
            due.add(action);
        }

        @Override
        public void executeLater(Runnable action, Duration pause) {
            // A pause does not end during a test.
        }

        void run() {
            for (Runnable next = due.poll(); next != null; next = due.poll()) {
                next.run();
            }
        }
    }

    /** Records what a client receives. */
    private static final class RecordingConnection implements Connection {

        private String written = "";

        @Override
        public boolean isWritable() {
            return true;
        }

        @Override
        public void write(byte[] bytes) {
            written += new String(bytes, StandardCharsets.UTF_8);
        }

        @Override
        public void end(byte[] last) {
            write(last);
        }

        @Override
        public void cut() {}

        @Override
        public void onDrain(Runnable handler) {}
    }
}
