package dev.parley.retry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class BackoffTest {

    private static final Duration SHORT = Duration.ofMillis(10);
    private static final Duration LONG = Duration.ofMillis(20);

    @Test
    void duration_isDrawnBetweenTheBounds() {
        for (int i = 0; i < 100; i++) {
            assertThat(Backoff.between(SHORT, LONG)).isBetween(SHORT, LONG);
        }
    }

    /** An operator may raise the shortest pause, and leave the longest at its default. */
    @Test
    void longestBound_thatIsShorterThanTheShortest_isRaisedToIt() {
        assertThat(Backoff.between(LONG, SHORT)).isEqualTo(LONG);
        assertThat(new Backoff(LONG, SHORT).next()).isBetween(SHORT, LONG);
    }
}
