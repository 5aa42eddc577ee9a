package dev.parley.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.parley.access.AccessStore.KeptTicket;
import dev.parley.access.AccessStore.TicketDigest;
import dev.parley.access.memory.MemoryAccessStore;
import dev.parley.delivery.Hub;
import dev.parley.message.RoomPattern;
import dev.parley.testsupport.SettableClock;
import dev.parley.testsupport.Timeouts;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a pod does for the tickets of its open streams, and which tickets it accepts. */
final class TicketsTest {

    private final SettableClock clock = SettableClock.stoppedNow();

    private Tickets tickets(AccessStore store, String... settings) {
        AccessSettings all = AccessSettings.withSecret();
        for (int i = 0; i < settings.length; i += 2) {
            all.set(settings[i], settings[i + 1]);
        }
        return new Tickets(store, new AccessMeters(new SimpleMeterRegistry()), all.read(), clock);
    }

    private VerifiedToken token(Duration lifetime) {
        return new VerifiedToken(
                new Person(TestTokens.ISSUER, "ada", "Ada"),
                Grants.ALL_ROOMS,
                Optional.empty(),
                clock.instant(),
                clock.instant().plus(lifetime));
    }

    private Caller holder(int number, Duration lifetime) {
        return new Caller(
                Optional.of(token(lifetime)),
                Grants.NONE,
                Caller.Carrier.TICKET,
                Optional.of(TicketDigest.of("ticket " + number)));
    }

    @Test
    void lostTicket_isGivenBack_whileAStreamIsOpenAndItsTokenLasts() {
        var store = new ScriptedStore();
        Tickets tickets = tickets(store);
        tickets.enter(holder(1, Duration.ofHours(1)));
        Runnable leave = tickets.enter(holder(2, Duration.ofHours(1)));
        tickets.enter(holder(3, Duration.ofMinutes(1)));

        tickets.touch();
        leave.run();
        clock.advance(Duration.ofMinutes(2));

        assertThat(store.asked.get(0)).hasSize(3);
        KeptTicket kept = store.lost.apply(TicketDigest.of("ticket 1")).orElseThrow();
        assertThat(kept.end()).isEqualTo(clock.instant().plus(Duration.ofMinutes(58)));
        assertThat(kept.content()).contains("ada");
        assertThat(store.lost.apply(TicketDigest.of("ticket 2"))).as("left").isEmpty();
        assertThat(store.lost.apply(TicketDigest.of("ticket 3"))).as("ended").isEmpty();
    }

    @Test
    void ticketOfAStreamThatCannotBeOpened_isNotKept() {
        var store = new ScriptedStore();
        Tickets tickets = tickets(store);
        Caller caller = holder(1, Duration.ofHours(1));

        assertThatExceptionOfType(OutOfMemoryError.class)
                .isThrownBy(
                        () ->
                                tickets.open(
                                        caller,
                                        () -> {
                                            throw new OutOfMemoryError("direct buffer");
                                        }));
        tickets.touch();

        assertThat(store.asked).isEmpty();
    }

    @Test
    void ticketOfAnOpenStream_isKept_untilItsConnectionIsGone() {
        var store = new ScriptedStore();
        Tickets tickets = tickets(store);
        var gone = new AtomicInteger();

        Hub.Registration stream =
                tickets.open(holder(1, Duration.ofHours(1)), () -> admitted(gone::incrementAndGet));
        tickets.touch();
        assertThat(stream.isAdmitted()).isTrue();
        stream.onConnectionGone();

        assertThat(store.asked).containsExactly(List.of(TicketDigest.of("ticket 1")));
        assertThat(store.lost.apply(TicketDigest.of("ticket 1"))).isEmpty();
        assertThat(gone).hasValue(1);
    }

    private static Hub.Registration admitted(Runnable onGone) {
        return new Hub.Registration() {
            @Override
            public boolean isAdmitted() {
                return true;
            }

            @Override
            public void onConnectionGone() {
                onGone.run();
            }
        };
    }

    @Test
    void nextRound_beginsWhenTheOneBeforeHasEnded() {
        var store = new ScriptedStore();
        Tickets tickets = tickets(store);
        tickets.enter(holder(1, Duration.ofHours(1)));

        tickets.touch();
        tickets.touch();
        assertThat(store.asked).hasSize(1);
        store.touched.remove().complete(null);
        tickets.touch();
        assertThat(store.asked).hasSize(2);
    }

    @Test
    void roundThatIsNotAnswered_isGivenUp_andTheNextHasAnotherOrder() {
        var store = new ScriptedStore();
        Tickets tickets = tickets(store, "parley.access.ticket-lifetime", "1S");
        IntStream.range(0, 100).forEach(i -> tickets.enter(holder(i, Duration.ofHours(1))));

        tickets.touch();

        Timeouts.await("the next round")
                .until(
                        () -> {
                            tickets.touch();
                            return store.asked.size() > 1;
                        });
        assertThat(store.asked.get(1))
                .containsExactlyInAnyOrderElementsOf(store.asked.get(0))
                .isNotEqualTo(store.asked.get(0));
    }

    /** As when the end of its stream was never noticed. */
    @Test
    void ticketWhoseTokenHasEnded_isNotTouchedAnyMore() {
        var store = new ScriptedStore();
        Tickets tickets = tickets(store);
        tickets.enter(holder(1, Duration.ofMinutes(1)));
        Runnable leave = tickets.enter(holder(2, Duration.ofMinutes(1)));
        tickets.enter(holder(3, Duration.ofMinutes(3)));
        clock.advance(Duration.ofMinutes(2));

        tickets.touch();
        leave.run();

        assertThat(store.asked).containsExactly(List.of(TicketDigest.of("ticket 3")));
    }

    /** Until then an open stream goes on, and its client comes back with its ticket. */
    @Test
    void ticketThatHasEndedByAClockThatIsAhead_isTouchedAgain_whenTheClockIsRight() {
        var store = new ScriptedStore();
        Tickets tickets = tickets(store);
        tickets.enter(holder(1, Duration.ofMinutes(30)));
        clock.setAhead(Duration.ofHours(1));
        tickets.touch();
        assertThat(store.asked).isEmpty();

        clock.setBack(Duration.ofHours(1));
        tickets.touch();

        assertThat(store.asked).containsExactly(List.of(TicketDigest.of("ticket 1")));
    }

    @Test
    void ticketOfTwoStreams_isTouchedUntilBothHaveEnded_alsoIfTheClockWasAheadBetweenThem() {
        var store = new ScriptedStore();
        Tickets tickets = tickets(store);
        Caller holder = holder(1, Duration.ofMinutes(30));
        Runnable firstLeaves = tickets.enter(holder);
        clock.setAhead(Duration.ofHours(1));
        tickets.touch();
        clock.setBack(Duration.ofHours(1));
        Runnable secondLeaves = tickets.enter(holder);

        firstLeaves.run();
        tickets.touch();

        assertThat(store.asked).containsExactly(List.of(TicketDigest.of("ticket 1")));
        store.touched.remove().complete(null);
        secondLeaves.run();
        tickets.touch();
        assertThat(store.asked).as("after both").hasSize(1);
    }

    /** Revocations are kept for as long as the present setting says. */
    @Test
    void ticketOfATokenForLongerThanIsAcceptedNow_isRefused() {
        assertEndsWithASetting("parley.access.max-token-lifetime", "1H");
    }

    /** As its token: the issuer was removed from the settings, and the pod started again. */
    @Test
    void ticketOfAnIssuerThatIsNotConfiguredAnyMore_isRefused() {
        assertEndsWithASetting("parley.access.issuers.dev.issuer", "https://other.example");
    }

    /** Gives a ticket for a token of two hours, and uses it before and after a change. */
    private void assertEndsWithASetting(String name, String value) {
        var store = new MemoryAccessStore(clock);
        List<RoomPattern> rooms = List.of(new RoomPattern("*"));
        String ticket =
                tickets(store)
                        .give(token(Duration.ofHours(2)), rooms)
                        .await()
                        .indefinitely()
                        .ticket();
        TicketDigest digest = TicketDigest.of(ticket);

        assertThat(tickets(store).use(digest).await().indefinitely()).isPresent();
        assertThat(tickets(store, name, value).use(digest).await().indefinitely()).isEmpty();
    }

    /** Answers when the test says so. */
    private static final class ScriptedStore implements AccessStore {

        private final List<List<TicketDigest>> asked = new ArrayList<>();
        private final Queue<UniEmitter<? super Void>> touched = new ArrayDeque<>();
        private Function<TicketDigest, Optional<KeptTicket>> lost = ticket -> Optional.empty();

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
            asked.add(List.copyOf(tickets));
            this.lost = lost;
            return Uni.createFrom().emitter(caller -> touched.add(caller));
        }

        @Override
        public Uni<KeptAt> putRevocations(Map<String, Instant> entries) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Uni<List<RevocationList>> revocations(Collection<String> known) {
            throw new UnsupportedOperationException();
        }
    }
}
