package dev.parley.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Timeouts;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.Cancellable;
import io.smallrye.mutiny.subscription.UniEmitter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** How many reads run at a time. */
class ReadTurnsTest {

    private static final int MAX_RUNNING = 4;

    private final ReadTurns turns = new ReadTurns(MAX_RUNNING);
    private final List<UniEmitter<? super Integer>> running = new ArrayList<>();
    private final List<Integer> answers = new ArrayList<>();
    private int failures;

    @Test
    void readBeyondTheBound_waitsUntilAnotherHasEnded_howeverThatEnds() {
        read(MAX_RUNNING + 2);
        assertThat(running).hasSize(MAX_RUNNING);

        running.get(1).complete(7);
        assertThat(running).hasSize(MAX_RUNNING + 1);
        running.get(0).fail(new IllegalStateException("away"));

        assertThat(running).hasSize(MAX_RUNNING + 2);
        assertThat(answers).containsExactly(7);
        assertThat(failures).isOne();
    }

    @Test
    void readsThatEndAtOnce_allRun() {
        for (int i = 0; i < 10_000; i++) {
            turns.run(Uni.createFrom().item(i)).subscribe().with(answers::add);
        }

        assertThat(answers).hasSize(10_000);
    }

    @Test
    void readThatIsBeingStarted_doesNotKeepAnotherThreadFromItsTurn() {
        Uni<Integer> other = turns.run(Uni.createFrom().item(2));
        Uni<Integer> lasting =
                Uni.createFrom()
                        .item(
                                () -> {
                                    CompletableFuture.runAsync(
                                                    () -> other.subscribe().with(answers::add))
                                            .join();
                                    return answers.size();
                                });

        int answersBeforeItsEnd = turns.run(lasting).await().atMost(Timeouts.LIMIT);

        assertThat(answersBeforeItsEnd).isOne();
    }

    @Test
    void readsThatEndAtOnce_whenATurnIsFreeAgain_allRun() {
        read(MAX_RUNNING);
        for (int i = 0; i < 10_000; i++) {
            turns.run(Uni.createFrom().item(i)).subscribe().with(answers::add);
        }

        running.get(0).complete(0);

        assertThat(answers).hasSize(10_001);
        assertThat(turns.waiting()).isZero();
    }

    /** As rooms do without a connection: each comparison that fails asks once more at once. */
    @Test
    void readsThatEndAtOnce_andAreMadeAgainFromInside_allEnd() {
        read(MAX_RUNNING);
        Uni<Integer> away = Uni.createFrom().failure(new IllegalStateException("away"));
        for (int i = 0; i < 10_000; i++) {
            turns.run(away)
                    .subscribe()
                    .with(
                            answers::add,
                            failure ->
                                    turns.run(away)
                                            .subscribe()
                                            .with(answers::add, again -> failures++));
        }

        running.get(0).complete(0);

        assertThat(failures).isEqualTo(10_000);
        assertThat(turns.waiting()).isZero();
    }

    @Test
    void readThatIsCancelledWhileItWaits_isNeverMade_andHoldsNoOtherUp() {
        read(MAX_RUNNING);
        Cancellable left = turns.run(Uni.createFrom().item(7)).subscribe().with(answers::add);
        turns.run(Uni.createFrom().item(8)).subscribe().with(answers::add);

        left.cancel();
        assertThat(turns.waiting()).isOne();
        running.get(0).complete(1);

        assertThat(answers).containsExactly(8, 1);
    }

    @Test
    void readThatIsCancelledWhileItRuns_keepsItsTurn_untilItHasEnded() {
        read(MAX_RUNNING - 1);
        Cancellable left =
                turns.run(Uni.createFrom().<Integer>emitter(running::add))
                        .subscribe()
                        .with(answers::add);

        left.cancel();
        read(1);
        assertThat(running).hasSize(MAX_RUNNING);
        running.get(MAX_RUNNING - 1).complete(7);

        assertThat(running).hasSize(MAX_RUNNING + 1);
        assertThat(answers).isEmpty();
    }

    private void read(int count) {
        for (int i = 0; i < count; i++) {
            turns.run(Uni.createFrom().<Integer>emitter(running::add))
                    .subscribe()
                    .with(answers::add, failure -> failures++);
        }
    }
}
