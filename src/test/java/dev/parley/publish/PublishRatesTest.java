package dev.parley.publish;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.Room;
import dev.parley.publish.SendResource.PublishRates;
import dev.parley.settings.RoomSettingsTest;
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

    private final PublishRates roomRates =
            new PublishRates(
                    new Config(OptionalInt.empty(), 1),
                    RoomSettingsTest.settings(
                            Map.of(
                                    "parley.rooms.\"team.*\".publish.rate", "1",
                                    "parley.rooms.\"team.free\".history.size", "5")));

    @Test
    void configurationWithoutRate_limitsNothing() {
        var rates = ratesOf(new Config(OptionalInt.empty(), 1));

        assertThat(IntStream.range(0, 1_000).mapToObj(i -> rates.tryAcquire(() -> ADDRESS)))
                .allMatch(Optional::isEmpty);
    }

    @Test
    void burst_isAllowed_andTheNextRequestLearnsThePause() {
        var rates = ratesOf(new Config(OptionalInt.of(1), 3));
        int allowed = 0;
        Optional<Duration> pause = rates.tryAcquire(() -> ADDRESS);
        while (pause.isEmpty()) {
            allowed++;
            pause = rates.tryAcquire(() -> ADDRESS);
        }

        // Not exactly three: the bucket refills while a loaded machine runs nothing for a second.
        assertThat(allowed).isGreaterThanOrEqualTo(3);
        assertThat(pause.get()).isBetween(Duration.ZERO, Duration.ofSeconds(1));
    }

    @Test
    void addresses_haveSeparateBuckets() {
        var rates = ratesOf(new Config(OptionalInt.of(1), 1));
        rates.tryAcquire(() -> ADDRESS);

        assertThat(rates.tryAcquire(() -> "203.0.113.2")).isEmpty();
    }

    @Test
    void rateIsMet_andTheNextRequestLearnsThePause() {
        Optional<Duration> pause = exhaust(RED);

        assertThat(pause.orElseThrow()).isBetween(Duration.ZERO, Duration.ofSeconds(1));
    }

    @Test
    void roomsOfOnePattern_haveSeparateBuckets() {
        exhaust(RED);

        assertThat(roomRates.tryAcquire(new Room("team.blue"))).isEmpty();
    }

    @Test
    void roomWithoutARate_isNotLimited() {
        for (Room room : new Room[] {new Room("kitchen"), new Room("team.free")}) {
            assertThat(IntStream.range(0, 1_000).mapToObj(i -> roomRates.tryAcquire(room)))
                    .allMatch(Optional::isEmpty);
        }
    }

    /** Takes tokens until there is none. */
    private Optional<Duration> exhaust(Room room) {
        Optional<Duration> pause = roomRates.tryAcquire(room);
        for (int i = 0; i < 10_000 && pause.isEmpty(); i++) {
            pause = roomRates.tryAcquire(room);
        }
        return pause;
    }

    /** Makes rates for a configuration in which no room has one of its own. */
    private static PublishRates ratesOf(PublishConfig config) {
        return new PublishRates(config, RoomSettingsTest.settings(Map.of()));
    }
}
