package dev.parley.access.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.access.AccessStore;
import dev.parley.access.AccessStore.KeptTicket;
import dev.parley.access.AccessStoreContract;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
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
