package dev.parley.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.LostHistories;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** How a pod's copy of a log is opened, compared with the broker's log, and closed. */
class RoomReplicaTest {

    private final ScriptedBroker broker = new ScriptedBroker();
    private final AtomicLong now = new AtomicLong();
    private final RoomLog.Budget budget = new RoomLog.Budget(1 << 20);
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final RoomReplica replica =
            new RoomReplica(
                    ScriptedBroker.ROOM,
                    broker,
                    TestMessages.LINES,
                    LogSettings.DEFAULT,
                    budget,
                    new LogMeters(registry, new LostHistories(registry)),
                    now::get);

    @Test
    void opening_subscribesBeforeItReads_soThatNothingFallsBetween() {
        broker.holdAnswers();

        CompletableFuture<Void> opened = replica.open();

        assertThat(broker.isSubscribed(ScriptedBroker.ROOM)).isTrue();
        broker.publish(1);
        broker.releaseAnswers();
        assertThat(opened).isCompleted();
        assertThat(replica.log().head()).isOne();
    }

    @Test
    void room_isOpen_onceItsFirstComparisonHasSucceeded() {
        broker.holdAnswers();

        CompletableFuture<Void> opened = replica.open();
        assertThat(replica.isOpen()).isFalse();
        assertThat(replica.couldNotOpen()).isFalse();
        broker.releaseAnswers();

        assertThat(opened).isCompleted();
        assertThat(replica.isOpen()).isTrue();
        assertThat(replica.couldNotOpen()).isFalse();
    }

    @Test
    void opening_aSecondTime_asksTheBrokerNothing() {
        replica.open();
        int reads = broker.reads();

        assertThat(replica.open()).isCompleted();

        assertThat(broker.reads()).isEqualTo(reads);
    }

    @Test
    void room_thatCouldNotOpen_isNotOpenedByALaterComparison() {
        broker.goDown();
        CompletableFuture<Void> opened = replica.open();
        broker.comeUp();

        assertThat(replica.compare()).isCompleted();

        assertThat(opened).isCompletedExceptionally();
        assertThat(replica.isOpen()).isFalse();
        assertThat(replica.couldNotOpen()).isTrue();
    }

    @Test
    void openRoom_staysOpen_whenALaterComparisonFails() {
        replica.open();
        broker.goDown();

        assertThat(replica.compare()).isCompletedExceptionally();

        assertThat(replica.isOpen()).isTrue();
        assertThat(replica.couldNotOpen()).isFalse();
    }

    @Test
    void comparison_thatFails_isAskedAgain_forACallerThatCameMeanwhile() {
        replica.open();
        broker.holdAnswers();
        CompletableFuture<Void> first = replica.compare();
        CompletableFuture<Void> later = replica.compare();

        broker.storeUndelivered(1);
        broker.failOneAnswer();
        assertThat(later).isNotDone();
        broker.releaseAnswers();

        assertThat(first).isCompleted();
        assertThat(later).isCompleted();
        assertThat(replica.log().head()).isOne();
    }

    @Test
    void comparison_thatFailsTwice_fails_thoughACallerCameMeanwhile() {
        replica.open();
        broker.holdAnswers();
        replica.compare();
        CompletableFuture<Void> later = replica.compare();

        broker.failOneAnswer();
        broker.failOneAnswer();

        assertThat(later).isCompletedExceptionally();
    }

    @Test
    void readThatWaitsForItsTurn_isMadeByTheEventLoopOfItsCursor() {
        replica.open();
        broker.holdAnswers();
        readBeyondExpired(RoomReplica.MAX_BEYOND_EXPIRED, Runnable::run);
        List<Runnable> loop = new ArrayList<>();
        readBeyondExpired(1, loop::add);
        int reads = broker.reads();

        broker.releaseOneAnswer();

        assertThat(broker.reads()).isEqualTo(reads);
        loop.get(0).run();
        assertThat(broker.reads()).isEqualTo(reads + 1);
    }

    @Test
    void readThatWaitsForItsTurn_isNotMade_ifDeliveryWasInterruptedMeanwhile() {
        replica.open();
        broker.holdAnswers();
        readBeyondExpired(RoomReplica.MAX_BEYOND_EXPIRED, Runnable::run);
        CompletableFuture<Optional<Page>> waiting = readBeyondExpired(1, Runnable::run);

        broker.interrupt();
        int reads = broker.reads();
        broker.releaseOneAnswer();

        assertThat(waiting).isCompletedWithValue(Optional.empty());
        assertThat(broker.reads()).isEqualTo(reads);
    }

    @Test
    void readThatWaitsForItsTurn_isNotMade_ifTheLogWasReplacedMeanwhile() {
        replica.open();
        broker.publish(1);
        RoomLog log = replica.log();
        List<Runnable> loop = new ArrayList<>();
        CompletableFuture<Optional<Page>> waiting = readBeyondExpired(1, loop::add);

        broker.loseAll();
        broker.publish(2);
        assertThat(replica.log()).isNotSameAs(log);
        int reads = broker.reads();
        loop.get(0).run();

        assertThat(waiting).isCompletedWithValue(Optional.empty());
        assertThat(broker.reads()).isEqualTo(reads);
    }

    /**
     * Reads as cursors on an event loop do.
     *
     * @return the answer to the last of these reads
     */
    private CompletableFuture<Optional<Page>> readBeyondExpired(int count, Executor loop) {
        var last = new CompletableFuture<Optional<Page>>();
        for (int i = 0; i < count; i++) {
            last =
                    replica.readInTurn(replica.log(), new Range.After(0, 10), loop)
                            .subscribeAsCompletionStage();
        }
        return last;
    }

    /** Each message of a busy room may call while the broker does not answer. */
    @Test
    void comparison_thatFailsTwice_fails_howeverManyCallMeanwhile() {
        replica.open();
        broker.holdAnswers();
        CompletableFuture<Void> first = replica.compare();
        replica.compare();
        broker.failOneAnswer();
        replica.compare();

        broker.failOneAnswer();

        assertThat(first).isCompletedExceptionally();
    }

    @Test
    void comparison_thatCannotEndTheEpoch_fails_howeverManyCallMeanwhile() {
        broker.storeUndelivered(3);
        replica.open();
        broker.loseNewest(1);
        broker.refuseWrites();
        broker.holdAnswers();
        CompletableFuture<Void> first = replica.compare();
        replica.compare();
        broker.releaseOneAnswer();
        assertThat(first).isNotDone();
        replica.compare();

        broker.releaseOneAnswer();

        assertThat(first).isCompletedExceptionally();
    }

    @Test
    void comparison_thatFailsNowAndThen_isAskedAgainEachTime() {
        replica.open();
        broker.holdAnswers();
        CompletableFuture<Void> last = replica.compare();
        for (int i = 0; i < 3; i++) {
            CompletableFuture<Void> later = replica.compare();
            broker.failOneAnswer();
            assertThat(later).isNotDone();
            last = replica.compare();
            broker.releaseOneAnswer();
            assertThat(later).isNotDone();
        }

        broker.releaseAnswers();
        assertThat(last).isCompleted();
    }

    @Test
    void closing_beforeTheBrokerHasAnswered_leavesNoSubscription() {
        broker.holdAnswers();
        replica.open();

        replica.close();
        broker.releaseAnswers();

        assertThat(broker.isSubscribed(ScriptedBroker.ROOM)).isFalse();
    }

    @Test
    void messages_thatAreTooOld_freeTheirMemory() {
        broker.storeUndelivered(2);
        replica.open();
        assertThat(budget.held()).isPositive();

        now.addAndGet(Duration.ofHours(24).toNanos());
        replica.dropTooOld();

        assertThat(budget.held()).isZero();
    }
}
