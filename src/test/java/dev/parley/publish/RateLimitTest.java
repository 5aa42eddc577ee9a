package dev.parley.publish;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.runtime.configuration.MemorySize;
import java.math.BigInteger;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class RateLimitTest {

    private static final String ADDRESS = "203.0.113.1";

    private record Config(OptionalInt rate, int burst) implements PublishConfig {

        @Override
        public MemorySize maxText() {
            return new MemorySize(BigInteger.valueOf(65_536));
        }

        @Override
        public Duration requestTimeout() {
            return Duration.ofSeconds(30);
        }
    }

    @Test
    void configurationWithoutRate_limitsNothing() {
        var limit = new RateLimit(new Config(OptionalInt.empty(), 1));

        assertThat(IntStream.range(0, 1_000).mapToObj(i -> limit.tryAcquire(ADDRESS)))
                .allMatch(Optional::isEmpty);
    }

    @Test
    void burst_isAllowed_andTheNextRequestLearnsThePause() {
        var limit = new RateLimit(new Config(OptionalInt.of(1), 3));
        int allowed = 0;
        Optional<Duration> pause = limit.tryAcquire(ADDRESS);
        while (pause.isEmpty()) {
            allowed++;
            pause = limit.tryAcquire(ADDRESS);
        }

        // Not exactly three: the bucket refills while a loaded machine runs nothing for a second.
        assertThat(allowed).isGreaterThanOrEqualTo(3);
        assertThat(pause.get()).isBetween(Duration.ZERO, Duration.ofSeconds(1));
    }

    @Test
    void addresses_haveSeparateBuckets() {
        var limit = new RateLimit(new Config(OptionalInt.of(1), 1));
        limit.tryAcquire(ADDRESS);

        assertThat(limit.tryAcquire("203.0.113.2")).isEmpty();
    }
}
