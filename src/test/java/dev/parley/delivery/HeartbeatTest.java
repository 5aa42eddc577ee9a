package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A heartbeat comes before a silent connection is closed. */
class HeartbeatTest {

    private static final Duration USUAL = Duration.ofSeconds(8);

    @ParameterizedTest
    @CsvSource({"0, 60", "60, 60", "61, 60", "56, 42"})
    void askedFor_isShortenedToThreeQuarters_ifItWouldComeTooLate(long idle, long expected) {
        var heartbeat = new Heartbeat(Optional.of(Duration.ofSeconds(60)), true);

        Heartbeat within = heartbeat.within(Duration.ofSeconds(idle), USUAL);

        assertThat(within)
                .isEqualTo(new Heartbeat(Optional.of(Duration.ofSeconds(expected)), true));
    }

    @ParameterizedTest
    @CsvSource({"8, ", "4, 3"})
    void usualOne_isShortenedToo(long idle, Long expected) {
        Heartbeat within = Heartbeat.DEFAULT.within(Duration.ofSeconds(idle), USUAL);

        assertThat(within.pause())
                .isEqualTo(Optional.ofNullable(expected).map(Duration::ofSeconds));
        assertThat(within.asEvent()).isFalse();
    }
}
