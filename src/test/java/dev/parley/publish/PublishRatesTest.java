package dev.parley.publish;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.Room;
import dev.parley.publish.SendResource.PublishRates;
import dev.parley.settings.RoomSettingsTest;
import io.github.bucket4j.TimeMeter;
import io.quarkus.runtime.configuration.MemorySize;
import java.math.BigInteger;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class PublishRatesTest {

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

    private static final Room RED = new Room("team.red");

    private long now;

    private final PublishRates roomRates =
            new PublishRates(
                    new Config(OptionalInt.empty(), 1),
                    RoomSettingsTest.settings(
                            Map.of(
                                    "parley.rooms.\"team.*\".publish.rate", "2",
                                    "parley.rooms.\"team.free\".history.size", "5")),
                    time());

    @Test
    void configurationWithoutRate_limitsNothing() {
        var rates = ratesOf(new Config(OptionalInt.empty(), 1));

        assertThat(IntStream.range(0, 1_000).mapToObj(i -> rates.tryAcquire(() -> ADDRESS)))
                .allMatch(Optional::isEmpty);
    }

    @Test
    void burst_isAllowed_thenTheRate() {
        var rates = ratesOf(new Config(OptionalInt.of(2), 3));
        for (int i = 0; i < 3; i++) {
            assertThat(rates.tryAcquire(() -> ADDRESS)).isEmpty();
        }
        assertThat(rates.tryAcquire(() -> ADDRESS)).contains(Duration.ofMillis(500));

        now += Duration.ofMillis(499).toNanos();
        assertThat(rates.tryAcquire(() -> ADDRESS)).contains(Duration.ofMillis(1));
        now += Duration.ofMillis(1).toNanos();
        assertThat(rates.tryAcquire(() -> ADDRESS)).isEmpty();
        assertThat(rates.tryAcquire(() -> ADDRESS)).contains(Duration.ofMillis(500));
    }

    @Test
    void addresses_haveSeparateBuckets() {
        var rates = ratesOf(new Config(OptionalInt.of(1), 1));
        rates.tryAcquire(() -> ADDRESS);
        assertThat(rates.tryAcquire(() -> ADDRESS)).isPresent();

        assertThat(rates.tryAcquire(() -> "203.0.113.2")).isEmpty();
    }

    @Test
    void roomHasItsRate_eachSecond() {
        for (int second = 0; second < 3; second++) {
            assertThat(roomRates.tryAcquire(RED)).isEmpty();
            assertThat(roomRates.tryAcquire(RED)).isEmpty();
            assertThat(roomRates.tryAcquire(RED)).contains(Duration.ofMillis(500));
            now += Duration.ofSeconds(1).toNanos();
        }
    }

    @Test
    void roomsOfOnePattern_haveSeparateBuckets() {
        roomRates.tryAcquire(RED);
        roomRates.tryAcquire(RED);
        assertThat(roomRates.tryAcquire(RED)).isPresent();

        assertThat(roomRates.tryAcquire(new Room("team.blue"))).isEmpty();
    }

    @Test
    void roomWithoutARate_isNotLimited() {
        for (Room room : new Room[] {new Room("kitchen"), new Room("team.free")}) {
            assertThat(IntStream.range(0, 1_000).mapToObj(i -> roomRates.tryAcquire(room)))
                    .allMatch(Optional::isEmpty);
        }
    }

    /** Makes rates for a configuration in which no room has one of its own. */
    private PublishRates ratesOf(PublishConfig config) {
        return new PublishRates(config, RoomSettingsTest.settings(Map.of()), time());
    }

    private TimeMeter time() {
        return new TimeMeter() {
            @Override
            public long currentTimeNanos() {
                return now;
            }

            @Override
            public boolean isWallClockBased() {
                return false;
            }
        };
    }
}
