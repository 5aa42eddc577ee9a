package dev.parley.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarkus.runtime.configuration.MemorySize;
import java.math.BigInteger;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Who publishes too fast, and for how long. */
final class RateLimitTest {

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
    void withoutRate_nobodyIsLimited() {
        var limit = new RateLimit(new Config(OptionalInt.empty(), 1));

        assertThatCode(() -> checkOften(limit)).doesNotThrowAnyException();
    }

    private static void checkOften(RateLimit limit) {
        for (int i = 0; i < 1_000; i++) {
            limit.check("203.0.113.1");
        }
    }

    @Test
    void burstIsAllowed_thenThePauseIsSaid() {
        var limit = new RateLimit(new Config(OptionalInt.of(1), 3));
        var allowed = new AtomicInteger();

        TooManyRequests refusal =
                catchThrowableOfType(TooManyRequests.class, () -> checkForEver(limit, allowed));

        assertThat(allowed.get()).isGreaterThanOrEqualTo(3);
        assertThat(refusal.retryAfter().orElseThrow())
                .isBetween(Duration.ZERO, Duration.ofSeconds(1));
    }

    /**
     * Not three times: on a machine that stands still for a second there is more than the burst.
     */
    private static void checkForEver(RateLimit limit, AtomicInteger allowed) {
        while (true) {
            limit.check("203.0.113.1");
            allowed.incrementAndGet();
        }
    }

    @Test
    void oneAddress_doesNotUseUpAnothers() {
        var limit = new RateLimit(new Config(OptionalInt.of(1), 1));
        limit.check("203.0.113.1");

        assertThatCode(() -> limit.check("203.0.113.2")).doesNotThrowAnyException();
    }
}
