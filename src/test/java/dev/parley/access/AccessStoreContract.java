package dev.parley.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.parley.access.AccessStore.KeptAt;
import dev.parley.access.AccessStore.KeptTicket;
import dev.parley.access.AccessStore.RevocationList;
import dev.parley.access.AccessStore.TicketDigest;
import dev.parley.access.AccessStore.TooManyRevocations;
import dev.parley.testsupport.Timeouts;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What every store of tickets and revocations does. */
public abstract class AccessStoreContract {

    private static final Duration LONG = Duration.ofHours(1);
    private static final TicketDigest TICKET = TicketDigest.of("a ticket");

    /** Returns the store, empty. */
    protected abstract AccessStore store();

    @Test
    void ticket_standsForItsContent_eachTimeItIsUsed() {
        get(store().putTicket(TICKET, new KeptTicket("content \u00e9 {}", LONG, in(LONG))));

        assertThat(get(store().useTicket(TICKET))).contains("content \u00e9 {}");
        assertThat(get(store().useTicket(TICKET))).contains("content \u00e9 {}");
        assertThat(get(store().useTicket(TicketDigest.of("another")))).isEmpty();
    }

    @Test
    void ticket_ends_whenItIsNotUsed() {
        Duration brief = Duration.ofMillis(1);
        get(store().putTicket(TICKET, new KeptTicket("x", brief, in(LONG))));

        Timeouts.await("the ticket ends")
                .pollInterval(Duration.ofMillis(100))
                .until(() -> get(store().useTicket(TICKET)), Optional::isEmpty);
    }

    @Test
    void ticket_ends_howeverOftenItIsUsed() {
        get(store().putTicket(TICKET, new KeptTicket("x", LONG, in(Duration.ofMillis(300)))));

        Timeouts.await("the ticket ends")
                .until(() -> get(store().useTicket(TICKET)), Optional::isEmpty);
    }

    @Test
    void lostTicket_isNotMadeByTouchingIt_ifItIsNotUsedAnyMore() {
        get(store().touchTickets(List.of(TICKET), ticket -> Optional.empty()));

        assertThat(get(store().useTicket(TICKET))).isEmpty();
    }

    @Test
    void ticketsThatAreTouched_areMadeAgainIfTheyAreLost_andStayAsTheyAreOtherwise() {
        TicketDigest lost = TicketDigest.of("lost");
        get(store().putTicket(TICKET, new KeptTicket("as it was", LONG, in(LONG))));

        get(
                store().touchTickets(
                                List.of(TICKET, lost),
                                ticket ->
                                        Optional.of(new KeptTicket("made again", LONG, in(LONG)))));

        assertThat(get(store().useTicket(TICKET))).contains("as it was");
        assertThat(get(store().useTicket(lost))).contains("made again");
    }

    @Test
    void revocations_areThoseThatWereGiven_untilTheyEnd() {
        Instant end = in(LONG);
        get(store().putRevocations(Map.of("one", end, "two", end.plusSeconds(1))));
        get(store().putRevocations(Map.of("over", Instant.now().minusSeconds(1))));

        Map<String, Instant> entries =
                get(store().revocations(List.of())).get(0).entries().orElseThrow();

        assertThat(entries).containsEntry("one", end).containsEntry("two", end.plusSeconds(1));
    }

    @Test
    void revocationsThatHaveEnded_areLeftOut_andTheAnswerSaysSo() {
        Instant end = in(LONG);
        Instant over = Instant.now().minusSeconds(1);

        assertThat(get(store().putRevocations(Map.of("one", end, "over", over))))
                .isEqualTo(KeptAt.NO_SERVER);
        assertThat(get(store().putRevocations(Map.of("over", over)))).isEqualTo(KeptAt.NO_SERVER);
        assertThat(get(store().putRevocations(Map.of("one", over))))
                .as("is there with a later end")
                .isEqualTo(KeptAt.EVERY_SERVER);

        assertThat(get(store().revocations(List.of())).get(0).entries().orElseThrow())
                .containsOnly(Map.entry("one", end));
    }

    @Test
    void revocationsAboveTheNumber_areRefused() {
        Map<String, Instant> all =
                IntStream.range(0, AccessStore.MAX_REVOCATIONS)
                        .boxed()
                        .collect(Collectors.toMap(i -> "revocation " + i, i -> in(LONG)));
        get(store().putRevocations(all));
        List<RevocationList> full = get(store().revocations(List.of()));

        assertThatExceptionOfType(TooManyRevocations.class)
                .isThrownBy(() -> get(store().putRevocations(Map.of("one more", in(LONG)))));

        assertThat(get(store().revocations(List.of()))).isEqualTo(full);
    }

    @Test
    void revocationThatIsThereAlready_isTakenAgain_alsoWhenThereIsNoRoomForAnother() {
        Instant end = in(LONG);
        Map<String, Instant> all =
                IntStream.range(0, AccessStore.MAX_REVOCATIONS)
                        .boxed()
                        .collect(Collectors.toMap(i -> "revocation " + i, i -> end));
        get(store().putRevocations(all));

        assertThat(get(store().putRevocations(Map.of("revocation 7", end.plusSeconds(1)))))
                .isEqualTo(KeptAt.EVERY_SERVER);
        assertThat(get(store().putRevocations(all))).isEqualTo(KeptAt.EVERY_SERVER);

        assertThat(get(store().revocations(List.of())).get(0).entries().orElseThrow())
                .hasSize(AccessStore.MAX_REVOCATIONS)
                .containsEntry("revocation 7", end.plusSeconds(1));
    }

    @Test
    void revocationThatIsGivenAgain_keepsTheLaterEnd() {
        Instant end = in(LONG);
        get(store().putRevocations(Map.of("one", end)));
        get(store().putRevocations(Map.of("one", end.minusSeconds(60))));

        assertThat(get(store().revocations(List.of())).get(0).entries().orElseThrow())
                .containsEntry("one", end);
    }

    @Test
    void revocationsThatChangeNothing_leaveTheRevision() {
        Instant end = in(LONG);
        get(store().putRevocations(Map.of("one", end)));
        RevocationList known = get(store().revocations(List.of())).get(0);

        get(store().putRevocations(Map.of("one", end)));
        get(store().putRevocations(Map.of("one", end.minusSeconds(1))));
        get(store().putRevocations(Map.of("over", Instant.now().minusSeconds(1))));

        assertThat(get(store().revocations(List.of())).get(0)).isEqualTo(known);
    }

    @Test
    void list_isLeftOut_untilItChanges() {
        get(store().putRevocations(Map.of("one", in(LONG))));
        RevocationList known = get(store().revocations(List.of())).get(0);

        assertThat(get(store().revocations(List.of(known.revision()))).get(0))
                .isEqualTo(new RevocationList(known.revision(), Optional.empty()));

        get(store().putRevocations(Map.of("two", in(LONG))));
        assertThat(
                        get(store().revocations(List.of(known.revision())))
                                .get(0)
                                .entries()
                                .orElseThrow())
                .containsKeys("one", "two");
    }

    private static Instant in(Duration time) {
        return Instant.now().plus(time).truncatedTo(ChronoUnit.MILLIS);
    }

    private static <T> T get(Uni<T> answer) {
        return answer.await().atMost(Timeouts.LIMIT);
    }
}
