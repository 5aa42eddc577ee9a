package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class RoomUseTest {

    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final LiveRoom room =
            new LiveRoom(
                    ScriptedBroker.ROOM,
                    new ScriptedBroker(),
                    new LineEncoder(),
                    LogSettings.DEFAULT,
                    new LogBudget(1 << 20),
                    new HubMeters(new SimpleMeterRegistry()));

    @Test
    void room_isIdle_sinceItsLastReaderLeft() {
        var use = new RoomUse(room, 0);
        use.acquire();
        use.acquire();

        use.release(seconds(100));
        assertThat(use.isIdleFor(MINUTE, seconds(1_000))).as("one reads still").isFalse();
        use.release(seconds(1_000));

        assertThat(use.isIdleFor(MINUTE, seconds(1_059))).isFalse();
        assertThat(use.isIdleFor(MINUTE, seconds(1_060))).isTrue();
        use.acquire();
        assertThat(use.isIdleFor(MINUTE, seconds(1_060))).isFalse();
    }

    @Test
    void audit_isDueOnceAnInterval() {
        var use = new RoomUse(room, seconds(100));

        assertThat(use.isAuditDue(MINUTE, seconds(159))).isFalse();
        assertThat(use.isAuditDue(MINUTE, seconds(160))).isTrue();
        assertThat(use.isAuditDue(MINUTE, seconds(161))).isFalse();
        assertThat(use.isAuditDue(MINUTE, seconds(220))).isTrue();
    }

    private static long seconds(long count) {
        return Duration.ofSeconds(count).toNanos();
    }
}
