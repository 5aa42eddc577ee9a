package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.http.StreamOpenings.Turn;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StreamOpeningsTest {

    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final List<Integer> served = new ArrayList<>();
    private final Turn turn = new Turn();

    @Test
    void requestsThatArriveTogether_onlyTheFirstAreServedAtOnce() {
        // given
        int together = 3 * StreamOpenings.AT_ONCE;

        // when
        IntStream.range(0, together).forEach(this::arrive);

        // then
        assertThat(served).containsExactlyElementsOf(upTo(StreamOpenings.AT_ONCE));
    }

    @Test
    void requestsThatArriveTogether_eachOfTheOthersIsATask_inTheOrderInWhichTheyCame() {
        // given
        int together = 3 * StreamOpenings.AT_ONCE;
        IntStream.range(0, together).forEach(this::arrive);

        // when
        List<Integer> servedByTask = new ArrayList<>();
        while (!tasks.isEmpty()) {
            int before = served.size();
            tasks.remove().run();
            servedByTask.add(served.size() - before);
        }

        // then
        assertThat(served).containsExactlyElementsOf(upTo(together));
        assertThat(servedByTask)
                .allMatch(count -> count <= 1)
                .filteredOn(count -> count == 1)
                .hasSize(2 * StreamOpenings.AT_ONCE);
    }

    @Test
    void requestsOfTheNextTurn_areServedAtOnceAgain() {
        // given
        IntStream.range(0, StreamOpenings.AT_ONCE).forEach(this::arrive);
        runTasks();
        served.clear();

        // when
        arrive(0);

        // then
        assertThat(served).containsExactly(0);
    }

    private void arrive(int number) {
        turn.serve(() -> served.add(number), tasks::add, Runnable::run);
    }

    private void runTasks() {
        while (!tasks.isEmpty()) {
            tasks.remove().run();
        }
    }

    private static List<Integer> upTo(int count) {
        return IntStream.range(0, count).boxed().toList();
    }
}
