package dev.parley.publish;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.Room;
import dev.parley.settings.RoomSettingsTest;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class RoomRateLimitTest {

    private static final Room RED = new Room("team.red");

    private final RoomRateLimit limit =
            new RoomRateLimit(
                    RoomSettingsTest.settings(
                            Map.of(
                                    "parley.rooms.\"team.*\".publish.rate", "1",
                                    "parley.rooms.\"team.free\".history.size", "5")));

    @Test
    void rateIsMet_andTheNextRequestLearnsThePause() {
        Optional<Duration> pause = exhaust(RED);

        assertThat(pause.orElseThrow()).isBetween(Duration.ZERO, Duration.ofSeconds(1));
    }

    @Test
    void roomsOfOnePattern_haveSeparateBuckets() {
        exhaust(RED);

        assertThat(limit.tryAcquire(new Room("team.blue"))).isEmpty();
    }

    @Test
    void roomWithoutARate_isNotLimited() {
        for (Room room : new Room[] {new Room("kitchen"), new Room("team.free")}) {
            assertThat(IntStream.range(0, 1_000).mapToObj(i -> limit.tryAcquire(room)))
                    .allMatch(Optional::isEmpty);
        }
    }

    /** Takes tokens until there is none. */
    private Optional<Duration> exhaust(Room room) {
        Optional<Duration> pause = limit.tryAcquire(room);
        for (int i = 0; i < 10_000 && pause.isEmpty(); i++) {
            pause = limit.tryAcquire(room);
        }
        return pause;
    }
}
