package dev.parley.log;

import static dev.parley.log.TestMessages.frame;
import static dev.parley.log.TestMessages.message;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.Lineage;
import dev.parley.broker.LostHistories;
import dev.parley.broker.Page;
import dev.parley.broker.TestPages;
import dev.parley.log.RoomReplica.Arrival;
import dev.parley.log.RoomReplica.Outcome;
import dev.parley.message.EventId;
import dev.parley.message.Message.StoredMessage;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is appended to a pod's copy of a log, and when the copy is compared with the broker's. */
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
    void closedReplica_isEmpty_andIgnoresMessages() {
        open(1);
        assertThat(replica.accept(message(2))).isEqualTo(Arrival.APPENDED);
        assertThat(budget.held()).isPositive();

        RoomReplica.Question late = replica.question();

        replica.close();

        assertThat(replica.isClosed()).isTrue();
        assertThat(replica.accept(message(3))).isEqualTo(Arrival.KNOWN);
        assertThat(replica.answered(TestPages.page("e", 1, 3, List.of(message(3))), late))
                .isEqualTo(Outcome.EQUAL);
        assertThat(budget.held()).isZero();
    }

    @Test
    void messageAfterAHole_isAppended_onceTheHoleIsFilled() {
        open(1);
        RoomReplica.Question asked = replica.question();

        assertThat(replica.accept(message(4))).isEqualTo(Arrival.OUT_OF_STEP);
        assertThat(replica.accept(message(3))).isEqualTo(Arrival.OUT_OF_STEP);
        assertThat(replica.log().head()).isOne();

        assertThat(replica.answered(page("e", 2), asked)).isEqualTo(Outcome.EQUAL);
        assertThat(replica.log().head()).isEqualTo(4);
    }

    @Test
    void messageAfterAHole_isAppended_onceTheMissingOneArrivesLate() {
        open(1);
        replica.accept(message(3));

        assertThat(replica.accept(message(2))).isEqualTo(Arrival.APPENDED);

        assertThat(replica.log().head()).isEqualTo(3);
    }

    @Test
    void earlyMessage_fromBeforeARestartOfDelivery_isNotAppendedAfterIt() {
        open(1);
        replica.accept(message(3));

        replica.countResubscription();

        assertThat(replica.resubscriptions()).isOne();
        assertThat(replica.answered(TestPages.page("e", 1, 9, messages(2)), replica.question()))
                .isEqualTo(Outcome.ASK_AGAIN);
        assertThat(replica.log().head()).isEqualTo(2);
    }

    @Test
    void earlyMessage_ofAnEpochThatEnded_isNotAppendedToTheNextOne() {
        open(1);
        replica.accept(message(3));

        startAnew(2);

        assertThat(replica.log().head()).isEqualTo(2);
    }

    @Test
    void logOfAnEpochThatEnded_freesItsMemory() {
        open(2);
        long held = budget.held();

        startAnew(2);

        assertThat(budget.held()).isEqualTo(held);
    }

    @Test
    void positionBeyondTheHead_needsAComparison_thatExpectsIt() {
        assertThat(replica.raiseExpected(new EventId("e", 9)))
                .as("ahead, though not open yet")
                .isFalse();
        open(3);

        assertThat(replica.raiseExpected(new EventId("e", 3))).isFalse();
        assertThat(replica.raiseExpected(new EventId("other", 9))).isFalse();
        assertThat(replica.raiseExpected(new EventId("e", 4))).isTrue();

        assertThat(replica.question().expected()).isEqualTo(4);
    }

    @Test
    void earlyMessages_aboveABound_areNotKept_andReadInstead() {
        open(1);
        RoomReplica.Question asked = replica.question();
        for (int offset = 3; offset <= 515; offset++) {
            replica.accept(message(offset));
        }

        assertThat(replica.answered(page("e", 2), asked)).isEqualTo(Outcome.EQUAL);

        assertThat(replica.log().head()).as("head, with 512 early messages kept").isEqualTo(514);
    }

    @Test
    void earlyMessages_aboveABoundOfCharacters_areNotKept_andReadInstead() {
        open(1);
        RoomReplica.Question asked = replica.question();
        for (int offset = 3; offset <= 42; offset++) {
            replica.accept(TestMessages.message(offset, "x".repeat(60_000)));
        }

        assertThat(replica.answered(page("e", 2), asked)).isEqualTo(Outcome.EQUAL);
        assertThat(replica.log().head()).as("head, with a million characters kept").isEqualTo(18);
    }

    @Test
    void earlyMessages_thatTheAnswerHasToo_areNotAppendedTwice() {
        open(1);
        RoomReplica.Question asked = replica.question();
        replica.accept(message(3));
        replica.accept(message(5));

        assertThat(replica.answered(page("e", 4), asked)).isEqualTo(Outcome.EQUAL);

        assertThat(replica.log().head()).isEqualTo(5);
    }

    @Test
    void announcementFarAhead_thatTheBrokerDoesNotHave_isForgotten() {
        open(1);
        replica.accept(message(9));

        assertThat(replica.answered(page("e", 1), replica.question())).isEqualTo(Outcome.EQUAL);

        for (int offset = 2; offset <= 8; offset++) {
            assertThat(replica.accept(message(offset))).isEqualTo(Arrival.APPENDED);
        }
        assertThat(replica.log().head()).as("the ninth was made up").isEqualTo(8);
    }

    @Test
    void announcementOfTheNextMessage_thatTheBrokerDoesNotHave_isForgotten() {
        open(1);
        replica.countResubscription();
        assertThat(replica.accept(message(2))).isEqualTo(Arrival.OUT_OF_STEP);

        assertThat(replica.answered(page("e", 1), replica.question())).isEqualTo(Outcome.EQUAL);

        assertThat(replica.log().head()).as("the second was made up").isOne();
    }

    /** Pages are short where texts are long. */
    @Test
    void answer_thatEndsBeforeWhatHasArrivedMeanwhile_isFollowedByAnotherQuestion() {
        open(1);
        RoomLog log = replica.log();
        RoomReplica.Question asked = replica.question();
        LongStream.rangeClosed(2, 6).forEach(offset -> replica.accept(message(offset)));

        assertThat(replica.answered(TestPages.page("e", 1, 8, messages(4)), asked))
                .isEqualTo(Outcome.ASK_AGAIN);
        assertThat(replica.answered(page("e", 8), replica.question())).isEqualTo(Outcome.EQUAL);

        assertThat(replica.log()).as("the same log").isSameAs(log);
        assertThat(log.head()).isEqualTo(8);
        assertThat(log.frame(1)).isNotNull();
    }

    @Test
    void answer_withoutTheNextMessage_startsTheCopyOver() {
        open(1);

        assertThat(
                        replica.answered(
                                TestPages.page("e", 1, 3, List.of(message(1), message(3))),
                                replica.question()))
                .isEqualTo(Outcome.ASK_AGAIN);

        assertThat(replica.question().purpose()).isEqualTo(RoomReplica.Purpose.START_OVER);
    }

    @Test
    void comparison_thatFails_isAskedAgain_forACallerThatCameMeanwhile() {
        replica.open();
        broker.holdAnswers();
        CompletableFuture<Void> first = replica.compare();
        CompletableFuture<Void> later = replica.compare();

        broker.failOneAnswer();
        assertThat(later).isNotDone();
        broker.storeUndelivered(1);
        broker.releaseAnswers();

        assertThat(first).isCompleted();
        assertThat(later).isCompleted();
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
        replica.compare();
        for (int i = 0; i < 3; i++) {
            CompletableFuture<Void> later = replica.compare();
            broker.failOneAnswer();
            assertThat(later).isNotDone();
            replica.compare();
            broker.releaseOneAnswer();
            assertThat(later).isNotDone();
        }
    }

    @Test
    void announcementOfAnotherMessageUnderAKnownId_isVerified_beforeTheEpochEnds() {
        open(3);
        StoredMessage madeUp = frame(2, "made up").message();

        assertThat(replica.accept(madeUp)).isEqualTo(Arrival.OUT_OF_STEP);

        RoomReplica.Question verify = replica.question();
        assertThat(verify.purpose()).isEqualTo(RoomReplica.Purpose.VERIFY);
        assertThat(replica.answered(TestPages.page("e", 1, 3, List.of(message(2))), verify))
                .as("the broker has what the copy has")
                .isEqualTo(Outcome.ASK_AGAIN);
        assertThat(replica.question().purpose()).isEqualTo(RoomReplica.Purpose.FOLLOW);

        replica.accept(madeUp);
        assertThat(replica.answered(TestPages.page("e", 1, 3, List.of(madeUp)), replica.question()))
                .as("the broker has another one")
                .isEqualTo(Outcome.FORKED);
    }

    @Test
    void repeatOfAMessage_isKnown_unlessItHasLeftTheRing() {
        open(2);
        for (int offset = 3; offset <= LogSettings.RING + 2; offset++) {
            replica.accept(message(offset));
        }

        assertThat(replica.accept(message(3))).isEqualTo(Arrival.KNOWN);
        assertThat(replica.accept(message(1))).isEqualTo(Arrival.OUT_OF_STEP);
    }

    @Test
    void newEpoch_thatIncludesTheCopy_goesOnInTheSameLog() {
        open(5);
        RoomLog log = replica.log();
        var lineage = new Lineage("f", List.of(new Lineage.Ended("e", 5)));
        StoredMessage sixth = inEpoch("f", 6);

        assertThat(replica.accept(sixth)).isEqualTo(Arrival.OUT_OF_STEP);
        Page page = TestPages.page(lineage, 1, 6, List.of(message(5), sixth));
        assertThat(replica.answered(page, replica.question())).isEqualTo(Outcome.EQUAL);

        assertThat(replica.log()).isSameAs(log);
        assertThat(log.head()).isEqualTo(6);
        assertThat(log.idAt(5)).isEqualTo(new EventId("e", 5));
        assertThat(log.idAt(6)).isEqualTo(new EventId("f", 6));
        assertThat(log.covers(new EventId("e", 5))).isTrue();
        assertThat(log.covers(new EventId("e", 6))).isFalse();
    }

    @Test
    void newEpoch_thatLacksAPartOfTheCopy_startsTheCopyOver() {
        open(5);
        RoomLog log = replica.log();
        var lineage = new Lineage("f", List.of(new Lineage.Ended("e", 3)));
        Page page = TestPages.page(lineage, 1, 6, List.of(inEpoch("f", 5), inEpoch("f", 6)));

        assertThat(replica.answered(page, replica.question())).isEqualTo(Outcome.ASK_AGAIN);
        assertThat(replica.answered(page, replica.question())).isEqualTo(Outcome.EQUAL);

        assertThat(replica.log()).isNotSameAs(log);
        assertThat(replica.log().covers(new EventId("e", 5))).isFalse();
    }

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
    void closing_beforeTheBrokerHasAnswered_leavesNoSubscription() {
        broker.holdAnswers();
        replica.open();

        replica.close();
        broker.releaseAnswers();

        assertThat(broker.isSubscribed(ScriptedBroker.ROOM)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void equalLog_isKept_alsoWhenItIsEmpty(int messages) {
        open(messages);
        RoomLog log = replica.log();

        RoomReplica.Question question = replica.question();

        assertThat(question.purpose()).isEqualTo(RoomReplica.Purpose.FOLLOW);
        assertThat(replica.answered(page("e", messages), question)).isEqualTo(Outcome.EQUAL);
        assertThat(replica.log()).isSameAs(log);
    }

    /** The broker keeps messages for a day, and gives each one a time that is the broker's. */
    @Test
    void messages_growOld_fromTheTimeAtWhichTheBrokerAcceptedThem() {
        Instant readAt = message(1).message().at().plus(Duration.ofHours(20));
        replica.answered(new Page(Lineage.of("e"), 1, 1, messages(1), readAt), replica.question());
        replica.accept(message(2));
        replica.accept(message(4));

        now.addAndGet(Duration.ofHours(4).toNanos() - 1);
        assertThat(replica.log().frame(1)).isNotNull();

        now.addAndGet(1);
        assertThat(replica.log().frame(1)).as("twenty hours old when it was read").isNull();
        assertThat(replica.log().frame(2)).as("new when it arrived").isNotNull();

        // The hole is filled twenty hours later, when the early message has waited for as long.
        now.set(Duration.ofHours(20).toNanos());
        readAt = readAt.plus(Duration.ofHours(20));
        var page = new Page(Lineage.of("e"), 2, 4, List.of(message(2), message(3)), readAt);
        replica.answered(page, replica.question());
        assertThat(replica.log().head()).isEqualTo(4);

        now.set(Duration.ofHours(24).toNanos());
        replica.dropTooOld();
        assertThat(replica.log().oldest()).isEqualTo(5);
        assertThat(budget.held()).isZero();
    }

    private static StoredMessage inEpoch(String epoch, long offset) {
        return new StoredMessage(new EventId(epoch, offset), message(offset).message());
    }

    /** The log has the broker's first messages. */
    private void open(int messages) {
        replica.answered(page("e", messages), replica.question());
    }

    /** Has the broker answer from another epoch. */
    private void startAnew(int messages) {
        Page page = page("other", messages);
        assertThat(replica.answered(page, replica.question())).isEqualTo(Outcome.ASK_AGAIN);
        assertThat(replica.answered(page, replica.question())).isEqualTo(Outcome.EQUAL);
    }

    private static Page page(String epoch, int messages) {
        return TestPages.page(epoch, 1, messages, messages(messages));
    }

    private static List<StoredMessage> messages(int count) {
        return LongStream.rangeClosed(1, count).mapToObj(TestMessages::message).toList();
    }
}
