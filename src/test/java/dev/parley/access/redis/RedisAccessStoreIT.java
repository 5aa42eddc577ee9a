package dev.parley.access.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.access.AccessStore;
import dev.parley.access.AccessStore.KeptAt;
import dev.parley.access.AccessStore.KeptTicket;
import dev.parley.access.AccessStore.TicketDigest;
import dev.parley.access.AccessStoreContract;
import dev.parley.broker.BrokerState;
import dev.parley.broker.BrokerUnavailable;
import dev.parley.broker.HistorySettings;
import dev.parley.broker.redis.RedisBrokers;
import dev.parley.broker.redis.ServersBroker;
import dev.parley.redis.RedisSettings;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.Timeouts;
import io.smallrye.mutiny.Uni;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tickets and revocations on two Redis servers, of which one may be away. */
class RedisAccessStoreIT extends AccessStoreContract {

    private static final Duration HOUR = Duration.ofHours(1);

    @AutoClose private final RedisServer first = RedisServer.start();
    @AutoClose private final RedisServer second = RedisServer.start();
    @AutoClose private final RedisBrokers brokers = new RedisBrokers();

    private AccessStore store;

    @BeforeEach
    void connect() {
        connect(RedisSettings.QUICK);
    }

    private void connect(RedisSettings settings) {
        ServersBroker broker =
                brokers.create(
                        Map.of("one", first.uri(), "two", second.uri()),
                        settings,
                        HistorySettings.DEFAULT.ofAllRooms());
        Timeouts.await("both servers are connected")
                .until(() -> broker.state() instanceof BrokerState.Up);
        store = new RedisAccessStore(broker.redis(), "parley", Clock.systemUTC());
        Timeouts.await("both servers answer")
                .ignoreExceptions()
                .until(
                        () -> {
                            get(store.useTicket(TicketDigest.of("none")));
                            return true;
                        });
    }

    @Override
    protected AccessStore store() {
        return store;
    }

    @Test
    void ticketsAndRevocations_areOnBothServers() {
        TicketDigest ticket = TicketDigest.of("ticket");
        get(store.putTicket(ticket, kept()));
        get(store.putRevocations(Map.of("one", Instant.now().plus(HOUR))));

        for (RedisServer server : List.of(first, second)) {
            Timeouts.await("the ticket, of which the answer may be late")
                    .until(() -> ticketsOn(server) == 1);
            assertThat(server.command("ZCARD", "parley:{:access}:revocations").number()).isOne();
        }
    }

    @Test
    void lossOfTheRevocationsAlone_isNoticed_alsoAfterThatOfTheirRevision() {
        get(store.putRevocations(Map.of("one", Instant.now().plus(HOUR))));
        List<String> known = revisions();
        for (String key : List.of("revision", "revocations")) {
            first.command("DEL", "parley:{:access}:" + key);
            second.command("DEL", "parley:{:access}:" + key);

            assertThat(get(store.revocations(known)))
                    .as(key)
                    .allSatisfy(list -> assertThat(list.entries()).isPresent());

            known = revisions();
        }
        assertThat(get(store.revocations(known)))
                .allSatisfy(list -> assertThat(list.entries()).isEmpty());
    }

    private List<String> revisions() {
        return get(store.revocations(List.of())).stream()
                .map(AccessStore.RevocationList::revision)
                .toList();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void whileAServerHangs_theOtherIsEnough(int hanging) {
        TicketDigest ticket = TicketDigest.of("made before");
        Instant end = Instant.now().plus(HOUR);
        get(store.putTicket(ticket, kept()));
        get(store.putRevocations(Map.of("one", end)));
        RedisServer server = List.of(first, second).get(hanging);
        Timeouts.await("the ticket on both").until(() -> ticketsOn(server) > 0);
        server.pause();

        assertThat(getSoon(store.useTicket(ticket))).contains("x");
        assertThat(getSoon(store.revocations(List.of()))).hasSize(1);
        getSoon(store.putTicket(TicketDigest.of("made meanwhile"), kept()));
        server.resume();
    }

    @Test
    void whileAServerIsAway_theOtherHasAllTickets_andUnknownOnesCannotBeJudged() {
        List<TicketDigest> before =
                IntStream.range(0, 10).mapToObj(i -> TicketDigest.of("before " + i)).toList();
        before.forEach(one -> get(store.putTicket(one, kept())));
        Timeouts.await("all of them on the other").until(() -> ticketsOn(second) == 10);
        first.kill();
        TicketDigest meanwhile = TicketDigest.of("made meanwhile");
        get(store.putTicket(meanwhile, kept()));

        before.forEach(one -> assertThat(get(store.useTicket(one))).contains("x"));
        assertThat(get(store.useTicket(meanwhile))).contains("x");
        assertThatThrownBy(() -> get(store.useTicket(TicketDigest.of("unknown"))))
                .isInstanceOf(BrokerUnavailable.class);
        assertThat(get(store.putRevocations(Map.of("one", Instant.now().plus(HOUR)))))
                .isEqualTo(KeptAt.SOME_SERVERS);
        assertThat(get(store.revocations(List.of())).get(0).entries().orElseThrow())
                .containsKey("one");
    }

    @Test
    void whileTheServersRefuseWrites_aTicketIsUsedAllTheSame() {
        TicketDigest ticket = TicketDigest.of("made before");
        get(store.putTicket(ticket, kept()));
        for (RedisServer server : List.of(first, second)) {
            server.command("CONFIG", "SET", "min-replicas-to-write", "1");
        }

        assertThatThrownBy(() -> get(store.putTicket(TicketDigest.of("another"), kept())))
                .isInstanceOf(BrokerUnavailable.class);
        assertThat(get(store.useTicket(ticket))).contains("x");
        List<TicketDigest> lost = new ArrayList<>();
        get(
                store.touchTickets(
                        List.of(ticket),
                        one -> {
                            lost.add(one);
                            return Optional.empty();
                        }));
        assertThat(lost).isEmpty();
    }

    @Test
    void whileAServerIsAway_andTheOtherIsFull_itIsUnknownWhetherARevocationIsKept() {
        Instant end = Instant.now().plus(HOUR);
        Map<String, Instant> all =
                IntStream.range(0, AccessStore.MAX_REVOCATIONS)
                        .boxed()
                        .collect(Collectors.toMap(i -> "revocation " + i, i -> end));
        assertThat(get(store.putRevocations(all))).isEqualTo(KeptAt.EVERY_SERVER);
        second.command("ZREM", "parley:{:access}:revocations", "revocation 0");

        assertThat(get(store.putRevocations(Map.of("one more", end))))
                .isEqualTo(KeptAt.SOME_SERVERS);
        assertThatThrownBy(() -> get(store.putRevocations(Map.of("two more", end))))
                .isInstanceOf(AccessStore.TooManyRevocations.class);
        second.kill();
        assertThatThrownBy(() -> get(store.putRevocations(Map.of("two more", end))))
                .isInstanceOf(BrokerUnavailable.class);
    }

    @Test
    void withoutAnyServer_nothingIsAnswered() {
        first.kill();
        second.kill();

        assertThatThrownBy(() -> get(store.useTicket(TicketDigest.of("a"))))
                .isInstanceOf(BrokerUnavailable.class);
        assertThatThrownBy(() -> get(store.revocations(List.of())))
                .isInstanceOf(BrokerUnavailable.class);
        assertThatThrownBy(() -> get(store.putRevocations(Map.of("a", Instant.now().plus(HOUR)))))
                .isInstanceOf(BrokerUnavailable.class);
    }

    @Test
    void serverWhoseListHasNotChanged_leavesItOut_whileTheOthersIsRead() {
        get(store.putRevocations(Map.of("one", Instant.now().plus(HOUR))));
        List<String> revisions =
                get(store.revocations(List.of())).stream()
                        .map(AccessStore.RevocationList::revision)
                        .distinct()
                        .toList();
        second.command("SET", "parley:{:access}:revision", "another");

        List<AccessStore.RevocationList> lists = get(store.revocations(revisions));

        assertThat(lists).hasSize(2);
        assertThat(lists).filteredOn(list -> list.entries().isPresent()).hasSize(1);
        assertThat(lists)
                .extracting(AccessStore.RevocationList::revision)
                .containsExactlyInAnyOrder(revisions.get(0), "another");
    }

    @Test
    void thousandsOfTickets_areTouchedInOneCall_andGivenToTheServerThatHasLostThem() {
        List<TicketDigest> tickets =
                IntStream.range(0, 5_000).mapToObj(i -> TicketDigest.of("many " + i)).toList();
        tickets.subList(0, 500).forEach(one -> get(store.putTicket(one, kept())));
        Timeouts.await("the first 500 on both")
                .until(() -> ticketsOn(first) == 500 && ticketsOn(second) == 500);
        second.command("FLUSHALL");

        get(store.touchTickets(tickets, ticket -> Optional.of(kept())));

        assertThat(ticketsOn(first)).isEqualTo(5_000);
        assertThat(ticketsOn(second)).isEqualTo(5_000);
    }

    /** Otherwise it would refuse the publishes of its rooms, because too many commands wait. */
    @Test
    void serverThatStalls_hasFewTouchesWaiting_whileTheOtherGetsAll() {
        connect(RedisSettings.QUICK.withMaxPending(100));
        List<TicketDigest> tickets =
                IntStream.range(0, 1_000).mapToObj(i -> TicketDigest.of("many " + i)).toList();
        second.pause();

        CompletableFuture<Void> touched =
                store.touchTickets(tickets, ticket -> Optional.of(kept()))
                        .subscribeAsCompletionStage();
        Timeouts.await("all on the other server").until(() -> ticketsOn(first) == 1_000);
        CompletableFuture<Optional<String>> used =
                store.useTicket(TicketDigest.of("unknown")).subscribeAsCompletionStage();
        second.resume();

        assertThat(used.join()).as("answered by both servers").isEmpty();
        touched.join();
        assertThat(ticketsOn(second)).isEqualTo(1_000);
    }

    @Test
    void brokenTicket_standsForNothing() {
        TicketDigest ticket = TicketDigest.of("broken");
        for (RedisServer server : List.of(first, second)) {
            server.command("SET", "parley:{:ticket:" + ticket.value() + "}", "not a ticket");
        }

        assertThat(get(store.useTicket(ticket))).isEqualTo(Optional.empty());
    }

    private static KeptTicket kept() {
        return new KeptTicket("x", HOUR, Instant.now().plus(HOUR));
    }

    private static int ticketsOn(RedisServer server) {
        return server.command("KEYS", "parley:{:ticket:*").items().size();
    }

    /** Waits for less than a server that hangs is waited for. */
    private static <T> T getSoon(Uni<T> answer) {
        return answer.await().atMost(RedisSettings.QUICK.timeout().dividedBy(2));
    }

    private static <T> T get(Uni<T> answer) {
        return answer.await().atMost(Timeouts.LIMIT);
    }
}
