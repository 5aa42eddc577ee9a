package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class OpeningTurnTest {

    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final List<Integer> served = new ArrayList<>();
    private final OpeningTurn turn = new OpeningTurn();

    @Test
    void requestsThatArriveTogether_onlyTheFirstAreServedAtOnce() {
        // given
        int together = 3 * OpeningTurn.AT_ONCE;

        // when
        IntStream.range(0, together).forEach(this::arrive);

        // then
        assertThat(served).containsExactlyElementsOf(upTo(OpeningTurn.AT_ONCE));
    }

    @Test
    void requestsThatArriveTogether_eachOfTheOthersIsATask_inTheOrderInWhichTheyCame() {
        // given
        int together = 3 * OpeningTurn.AT_ONCE;
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
                .hasSize(2 * OpeningTurn.AT_ONCE);
    }

    @Test
    void requestsOfTheNextTurn_areServedAtOnceAgain() {
        // given
        endTheTurn();
        runTasks();

        // when
        arrive(0);

        // then
        assertThat(served).containsExactly(0);
    }

    @Test
    void requestThatWaitedAsBytes_isServedWhenItsTurnComes_thoughOthersWaitBehindIt() {
        // given
        endTheTurn();
        turn.awaitAsBytes(() -> arrive(100));
        arrive(101);

        // when
        tasks.remove().run();

        // then
        assertThat(served).containsExactly(100);
        runTasks();
        assertThat(served).containsExactly(100, 101);
    }

    @Test
    void requestThatFails_doesNotKeepTheOthersFromTheirTurns() {
        // given
        endTheTurn();
        turn.awaitAsBytes(
                () -> {
                    throw new IllegalStateException("on purpose");
                });
        arrive(101);

        // when
        assertThatIllegalStateException().isThrownBy(tasks.remove()::run);
        runTasks();

        // then
        assertThat(served).containsExactly(101);
        assertThat(turn.isOver()).isFalse();
    }

    @Test
    void manyRequestsOfHttp2ThatWait_fillTheTurn_untilOneIsServed() {
        // given
        endTheTurn();

        // when
        IntStream.range(1, OpeningTurn.MAX_OF_HTTP_2).forEach(this::arriveOnHttp2);
        boolean isFullBelow = turn.isFull();
        arriveOnHttp2(OpeningTurn.MAX_OF_HTTP_2);

        // then
        assertThat(isFullBelow).isFalse();
        assertThat(turn.isFull()).isTrue();
        tasks.remove().run();
        assertThat(turn.isFull()).isFalse();
    }

    @Test
    void manyRequestsOfHttp1ThatWait_doNotFillTheTurn() {
        // given
        endTheTurn();

        // when
        IntStream.range(0, 2 * OpeningTurn.MAX_OF_HTTP_2).forEach(this::arrive);

        // then
        assertThat(turn.isFull()).isFalse();
    }

    @Test
    void actionThatWaits_isRunInItsTurn_andRequestsThatItReadsWaitAgain() {
        // given
        endTheTurn();
        turn.await(() -> arriveOnHttp2(100));
        arriveOnHttp2(101);

        // when
        runTasks();

        // then
        assertThat(served).containsExactly(101, 100);
    }

    /** Lets as many requests arrive as are served at once. */
    private void endTheTurn() {
        IntStream.range(0, OpeningTurn.AT_ONCE).forEach(this::arrive);
        served.clear();
    }

    private void arriveOnHttp2(int number) {
        turn.serve(() -> served.add(number), true, tasks::add, Runnable::run);
    }

    private void arrive(int number) {
        turn.serve(() -> served.add(number), false, tasks::add, Runnable::run);
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
