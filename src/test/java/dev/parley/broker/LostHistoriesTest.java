package dev.parley.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.Room;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.Test;

/** How many lines the loss of many rooms makes. */
class LostHistoriesTest {

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final Queue<Runnable> timers = new ArrayDeque<>();
    private final List<Duration> pauses = new ArrayList<>();
    private final List<String> lines = new ArrayList<>();
    private final LostHistories lost =
            new LostHistories(
                    registry,
                    (pause, task) -> {
                        pauses.add(pause);
                        timers.add(task);
                    },
                    lines::add);

    @Test
    void roomsThatAreNoticedTogether_areOneLine() {
        add(1, 1_000);
        assertThat(lines).isEmpty();

        runTimer();

        assertThat(lines).hasSize(1);
        assertThat(lines.get(0)).startsWith("1000 rooms, room-1 among them: the history is gone");
        assertThat(counted()).isEqualTo(1_000);
    }

    @Test
    void roomsThatAreNoticedLater_areGatheredForAMinute() {
        add(1, 1);
        runTimer();
        add(2, 21);
        assertThat(lines).hasSize(1);

        runTimer();

        assertThat(lines).hasSize(2);
        assertThat(lines.get(0)).startsWith("room room-1: ");
        assertThat(lines.get(1)).startsWith("20 rooms, room-2 among them: ");
        assertThat(pauses)
                .containsExactly(
                        Duration.ofSeconds(1), Duration.ofMinutes(1), Duration.ofMinutes(1));
    }

    @Test
    void afterAMinuteWithoutALoss_theNextOneIsLoggedSoon() {
        add(1, 1);
        runTimer();
        runTimer();
        assertThat(timers).isEmpty();

        add(2, 2);

        assertThat(pauses).last().isEqualTo(Duration.ofSeconds(1));
        runTimer();
        assertThat(lines).hasSize(2);
    }

    private void add(int first, int last) {
        for (int i = first; i < last + 1; i++) {
            lost.add(new Room("room-" + i));
        }
    }

    private void runTimer() {
        timers.remove().run();
    }

    private double counted() {
        return registry.get("parley.histories.lost").counter().count();
    }
}
