package dev.parley.log;

import static dev.parley.log.TestMessages.frame;
import static dev.parley.log.TestMessages.message;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.Lineage;
import dev.parley.broker.Page;
import dev.parley.log.RoomReplica.Arrival;
import dev.parley.log.RoomReplica.Outcome;
import dev.parley.message.EventId;
import dev.parley.message.StoredMessage;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is appended to the pod's copy of a log, and when it has to be compared again. */
class RoomReplicaTest {

    private final ScriptedBroker broker = new ScriptedBroker();
    private final RoomLog.Budget budget = new RoomLog.Budget(1 << 20);
    private final RoomReplica copy =
            new RoomReplica(
                    ScriptedBroker.ROOM,
                    broker,
                    TestMessages.LINES,
                    LogSettings.DEFAULT,
                    budget,
                    new LogMeters(new SimpleMeterRegistry()));

    @Test
    void closedCopy_holdsNothing_andTakesNothing() {
        open(1);
        assertThat(copy.accept(message(2))).isEqualTo(Arrival.APPENDED);
        assertThat(budget.held()).isPositive();
        RoomReplica.Question late = copy.question();

        copy.close();

        assertThat(copy.isClosed()).isTrue();
        assertThat(copy.accept(message(3))).isEqualTo(Arrival.KNOWN);
        assertThat(copy.answered(new Page("e", 1, 3, List.of(message(3))), late))
                .isEqualTo(Outcome.EQUAL);
        assertThat(budget.held()).isZero();
    }

    @Test
    void messageAfterAHole_isKept_untilTheHoleIsFilled() {
        open(1);
        RoomReplica.Question asked = copy.question();

        assertThat(copy.accept(message(4))).isEqualTo(Arrival.OUT_OF_STEP);
        assertThat(copy.accept(message(3))).isEqualTo(Arrival.OUT_OF_STEP);
        assertThat(copy.log().head()).isOne();

        assertThat(copy.answered(page("e", 2), asked)).isEqualTo(Outcome.EQUAL);
        assertThat(copy.log().head()).isEqualTo(4);
    }

    @Test
    void messageAfterAHole_followsTheMissingOne_whenThatIsHeardLate() {
        open(1);
        copy.accept(message(3));

        assertThat(copy.accept(message(2))).isEqualTo(Arrival.APPENDED);

        assertThat(copy.log().head()).isEqualTo(3);
    }

    @Test
    void messageHeardBeforeARestartOfDelivery_isNotAppendedAfterIt() {
        open(1);
        copy.accept(message(3));

        copy.countResubscription();

        assertThat(copy.resubscriptions()).isOne();
        assertThat(copy.answered(new Page("e", 1, 9, messages(2)), copy.question()))
                .isEqualTo(Outcome.ASK_AGAIN);
        assertThat(copy.log().head()).isEqualTo(2);
    }

    @Test
    void messageHeardInAnEpochThatEnded_isNotAppendedToTheNext() {
        open(1);
        copy.accept(message(3));

        startAnew(2);

        assertThat(copy.log().head()).isEqualTo(2);
    }

    @Test
    void logOfAnEpochThatEnded_givesItsMemoryBack() {
        open(2);
        long held = budget.held();

        startAnew(2);

        assertThat(budget.held()).isEqualTo(held);
    }

    @Test
    void positionBeyondTheHead_asksForAComparison_thatLooksThatFar() {
        assertThat(copy.isAhead(new EventId("e", 9))).as("it is not open yet").isFalse();
        open(3);

        assertThat(copy.isAhead(new EventId("e", 3))).isFalse();
        assertThat(copy.isAhead(new EventId("other", 9))).isFalse();
        assertThat(copy.isAhead(new EventId("e", 4))).isTrue();

        assertThat(copy.question().expected()).isEqualTo(4);
    }

    @Test
    void earlyMessages_aboveABound_areReadAgainInstead() {
        open(1);
        RoomReplica.Question asked = copy.question();
        for (int offset = 3; offset <= 515; offset++) {
            copy.accept(message(offset));
        }

        assertThat(copy.answered(page("e", 2), asked)).isEqualTo(Outcome.EQUAL);

        assertThat(copy.log().head()).as("512 early messages were kept").isEqualTo(514);
    }

    @Test
    void earlyMessages_thatTheAnswerHasToo_areNotAppendedTwice() {
        open(1);
        RoomReplica.Question asked = copy.question();
        copy.accept(message(3));
        copy.accept(message(5));

        assertThat(copy.answered(page("e", 4), asked)).isEqualTo(Outcome.EQUAL);

        assertThat(copy.log().head()).isEqualTo(5);
    }

    @Test
    void announcementFarAhead_thatTheBrokerDoesNotHave_isForgotten() {
        open(1);
        copy.accept(message(9));

        assertThat(copy.answered(page("e", 1), copy.question())).isEqualTo(Outcome.EQUAL);

        for (int offset = 2; offset <= 8; offset++) {
            assertThat(copy.accept(message(offset))).isEqualTo(Arrival.APPENDED);
        }
        assertThat(copy.log().head()).as("the ninth was made up").isEqualTo(8);
    }

    @Test
    void announcementOfAnotherMessageUnderAKnownId_isVerified_beforeTheEpochEnds() {
        open(3);
        StoredMessage madeUp = frame(2, "made up").message();

        assertThat(copy.accept(madeUp)).isEqualTo(Arrival.OUT_OF_STEP);

        RoomReplica.Question verify = copy.question();
        assertThat(verify.purpose()).isEqualTo(RoomReplica.Purpose.VERIFY);
        assertThat(copy.answered(new Page("e", 1, 3, List.of(message(2))), verify))
                .as("the broker has what the copy has")
                .isEqualTo(Outcome.ASK_AGAIN);
        assertThat(copy.question().purpose()).isEqualTo(RoomReplica.Purpose.FOLLOW);

        copy.accept(madeUp);
        assertThat(copy.answered(new Page("e", 1, 3, List.of(madeUp)), copy.question()))
                .as("the broker has another one")
                .isEqualTo(Outcome.FORKED);
    }

    @Test
    void repeatOfAMessage_isKnown_unlessItHasLeftTheRing() {
        open(2);
        for (int offset = 3; offset <= LogSettings.RING + 2; offset++) {
            copy.accept(message(offset));
        }

        assertThat(copy.accept(message(3))).isEqualTo(Arrival.KNOWN);
        assertThat(copy.accept(message(1))).isEqualTo(Arrival.OUT_OF_STEP);
    }

    @Test
    void newEpoch_thatIncludesTheCopy_goesOnInTheSameLog() {
        open(5);
        RoomLog log = copy.log();
        var lineage = new Lineage("f", List.of(new Lineage.Ended("e", 5)));
        StoredMessage sixth = inEpoch("f", 6);

        assertThat(copy.accept(sixth)).isEqualTo(Arrival.OUT_OF_STEP);
        var page = new Page(lineage, 1, 6, List.of(message(5), sixth));
        assertThat(copy.answered(page, copy.question())).isEqualTo(Outcome.EQUAL);

        assertThat(copy.log()).isSameAs(log);
        assertThat(log.head()).isEqualTo(6);
        assertThat(log.idAt(5)).isEqualTo(new EventId("e", 5));
        assertThat(log.idAt(6)).isEqualTo(new EventId("f", 6));
        assertThat(log.covers(new EventId("e", 5))).isTrue();
        assertThat(log.covers(new EventId("e", 6))).isFalse();
    }

    @Test
    void newEpoch_thatLacksAPartOfTheCopy_startsTheCopyOver() {
        open(5);
        RoomLog log = copy.log();
        var lineage = new Lineage("f", List.of(new Lineage.Ended("e", 3)));
        var page = new Page(lineage, 1, 6, List.of(inEpoch("f", 5), inEpoch("f", 6)));

        assertThat(copy.answered(page, copy.question())).isEqualTo(Outcome.ASK_AGAIN);
        assertThat(copy.answered(page, copy.question())).isEqualTo(Outcome.EQUAL);

        assertThat(copy.log()).isNotSameAs(log);
        assertThat(copy.log().covers(new EventId("e", 5))).isFalse();
    }

    @Test
    void opening_subscribesBeforeItReads_soThatNothingFallsBetween() {
        broker.hold();

        CompletableFuture<Void> opened = copy.open();

        assertThat(broker.isSubscribed(ScriptedBroker.ROOM)).isTrue();
        broker.say(1);
        broker.release();
        assertThat(opened).isCompleted();
        assertThat(copy.log().head()).isOne();
    }

    @Test
    void closing_beforeTheBrokerHasAnswered_leavesNoSubscription() {
        broker.hold();
        copy.open();

        copy.close();
        broker.release();

        assertThat(broker.isSubscribed(ScriptedBroker.ROOM)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void equalLog_staysAsItIs_alsoWhenItIsEmpty(int messages) {
        open(messages);
        RoomLog log = copy.log();

        RoomReplica.Question question = copy.question();

        assertThat(question.purpose()).isEqualTo(RoomReplica.Purpose.FOLLOW);
        assertThat(copy.answered(page("e", messages), question)).isEqualTo(Outcome.EQUAL);
        assertThat(copy.log()).isSameAs(log);
    }

    private static StoredMessage inEpoch(String epoch, long offset) {
        return new StoredMessage(new EventId(epoch, offset), message(offset).message());
    }

    /** The log has the broker's first messages. */
    private void open(int messages) {
        copy.answered(page("e", messages), copy.question());
    }

    /** The broker has another epoch by now. */
    private void startAnew(int messages) {
        Page page = page("other", messages);
        assertThat(copy.answered(page, copy.question())).isEqualTo(Outcome.ASK_AGAIN);
        assertThat(copy.answered(page, copy.question())).isEqualTo(Outcome.EQUAL);
    }

    private static Page page(String epoch, int messages) {
        return new Page(epoch, 1, messages, messages(messages));
    }

    private static List<StoredMessage> messages(int count) {
        return LongStream.rangeClosed(1, count).mapToObj(TestMessages::message).toList();
    }
}
