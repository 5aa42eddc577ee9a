package dev.parley.access.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.access.AccessStore;
import dev.parley.access.AccessStore.KeptTicket;
import dev.parley.access.AccessStoreContract;
import dev.parley.testsupport.SettableClock;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MemoryAccessStoreTest extends AccessStoreContract {

    private final AccessStore store = new MemoryAccessStore(Clock.systemUTC());

    @Override
    protected AccessStore store() {
        return store;
    }

    @Test
    void ticketsWithLongContents_endTheOnesThatWereNotUsedForLongest() {
        Instant end = Instant.now().plusSeconds(3_600);
        String content = "x".repeat(1_000_000);
        for (int i = 0; i < 32; i++) {
            put(i, content, end);
        }
        assertThat(isKept(0)).isTrue();

        put(32, content, end);

        // The second one was not used for longest, since the first one was used just now.
        assertThat(isKept(0)).isTrue();
        assertThat(isKept(1)).isFalse();
        assertThat(IntStream.rangeClosed(2, 32)).allMatch(this::isKept);
    }

    @Test
    void ticketThatIsNotUsed_endsWhenItsTimeHasPassed_andNotWhenTheClockIsSetAhead() {
        SettableClock clock = SettableClock.stoppedNow();
        var own = new MemoryAccessStore(clock, clock::nanoTime);
        Instant end = clock.instant().plus(Duration.ofHours(9));
        own.putTicket(ticket(1), new KeptTicket("x", Duration.ofMinutes(5), end))
                .await()
                .indefinitely();

        clock.setAhead(Duration.ofHours(1));

        assertThat(own.useTicket(ticket(1)).await().indefinitely()).isPresent();
        clock.advance(Duration.ofMinutes(5));
        assertThat(own.useTicket(ticket(1)).await().indefinitely()).isEmpty();
    }

    @Test
    void revocationsThatHaveEnded_giveWayToOthers_whenThereIsNoRoom() {
        SettableClock clock = SettableClock.stoppedNow();
        var own = new MemoryAccessStore(clock, clock::nanoTime);
        Instant end = clock.instant().plusSeconds(1);
        own.putRevocations(
                        IntStream.range(0, AccessStore.MAX_REVOCATIONS)
                                .boxed()
                                .collect(Collectors.toMap(i -> "revocation " + i, i -> end)))
                .await()
                .indefinitely();
        clock.advance(Duration.ofSeconds(1));

        own.putRevocations(Map.of("another", end.plusSeconds(1))).await().indefinitely();

        assertThat(own.revocations(List.of()).await().indefinitely().get(0).entries().orElseThrow())
                .containsOnlyKeys("another");
    }

    private void put(int number, String content, Instant end) {
        store.putTicket(ticket(number), new KeptTicket(content, Duration.ofHours(1), end))
                .await()
                .indefinitely();
    }

    private boolean isKept(int number) {
        return store.useTicket(ticket(number)).await().indefinitely().isPresent();
    }

    private static AccessStore.TicketDigest ticket(int number) {
        return AccessStore.TicketDigest.of("ticket " + number);
    }
}
