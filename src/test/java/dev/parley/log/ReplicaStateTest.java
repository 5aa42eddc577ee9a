package dev.parley.log;

import static dev.parley.log.TestMessages.frame;
import static dev.parley.log.TestMessages.message;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.Lineage;
import dev.parley.broker.LostHistories;
import dev.parley.broker.Page;
import dev.parley.broker.TestPages;
import dev.parley.log.ReplicaState.Arrival;
import dev.parley.log.ReplicaState.Outcome;
import dev.parley.log.ReplicaState.Purpose;
import dev.parley.log.ReplicaState.Question;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is appended to a pod's copy of a log, and what the broker is asked. */
class ReplicaStateTest {

    private final AtomicLong now = new AtomicLong();
    private final RoomLog.Budget budget = new RoomLog.Budget(1 << 20);
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final ReplicaState state =
            new ReplicaState(
                    ScriptedBroker.ROOM,
                    TestMessages.LINES,
                    LogSettings.DEFAULT,
                    budget,
                    new LogMeters(registry, new LostHistories(registry)),
                    Duration.ofHours(24),
                    now::get);

    @Test
    void closedState_isEmpty_andIgnoresMessages() {
        open(1);
        assertThat(state.accept(message(2))).isEqualTo(Arrival.APPENDED);
        assertThat(budget.held()).isPositive();

        Question late = state.question();

        state.close();

        assertThat(state.isClosed()).isTrue();
        assertThat(state.accept(message(3))).isEqualTo(Arrival.KNOWN);
        assertThat(state.answered(TestPages.page("e", 1, 3, List.of(message(3))), late))
                .isEqualTo(Outcome.EQUAL);
        assertThat(budget.held()).isZero();
    }

    /** Another program may have written it, with any time that Redis can hold. */
    @Test
    void messageOfLongAgo_isAppended_asTooOld() {
        open(1);
        Message ancient =
                Message.of(ScriptedBroker.ROOM, "x", Instant.ofEpochMilli(Long.MIN_VALUE));
        var stored = new StoredMessage(new EventId("e", 2), ancient);

        Outcome outcome =
                state.answered(TestPages.page("e", 1, 2, List.of(stored)), state.question());

        assertThat(outcome).isEqualTo(Outcome.EQUAL);
        assertThat(state.log().head()).isEqualTo(2);
    }

    @Test
    void messageAfterAHole_isAppended_onceTheHoleIsFilled() {
        open(1);
        Question asked = state.question();

        assertThat(state.accept(message(4))).isEqualTo(Arrival.OUT_OF_STEP);
        assertThat(state.accept(message(3))).isEqualTo(Arrival.OUT_OF_STEP);
        assertThat(state.log().head()).isOne();

        assertThat(state.answered(page("e", 2), asked)).isEqualTo(Outcome.EQUAL);
        assertThat(state.log().head()).isEqualTo(4);
    }

    @Test
    void messageAfterAHole_isAppended_onceTheMissingOneArrivesLate() {
        open(1);
        state.accept(message(3));

        assertThat(state.accept(message(2))).isEqualTo(Arrival.APPENDED);

        assertThat(state.log().head()).isEqualTo(3);
    }

    @Test
    void earlyMessage_fromBeforeARestartOfDelivery_isNotAppendedAfterIt() {
        open(1);
        state.accept(message(3));

        state.countInterruption();

        assertThat(state.interruptions()).isOne();
        assertThat(state.answered(TestPages.page("e", 1, 9, messages(2)), state.question()))
                .isEqualTo(Outcome.ASK_AGAIN);
        assertThat(state.log().head()).isEqualTo(2);
    }

    @Test
    void earlyMessage_ofAnEpochThatEnded_isNotAppendedToTheNextOne() {
        open(1);
        state.accept(message(3));

        startAnew(2);

        assertThat(state.log().head()).isEqualTo(2);
    }

    @Test
    void logOfAnEpochThatEnded_freesItsMemory() {
        open(2);
        long held = budget.held();

        startAnew(2);

        assertThat(budget.held()).isEqualTo(held);
    }

    @Test
    void logOfTheNextEpoch_hasTheMemoryOfTheFormer_whileThatOfAllLogsIsUsedUp() {
        open(4);
        budget.add((1 << 20) - budget.held());

        startAnew(4);

        assertThat(state.log().oldest()).isOne();
    }

    @Test
    void positionBeyondTheHead_needsAComparison_thatExpectsIt() {
        assertThat(state.raiseExpected(new EventId("e", 9)))
                .as("ahead, though not open yet")
                .isFalse();
        open(3);

        assertThat(state.raiseExpected(new EventId("e", 3))).isFalse();
        assertThat(state.raiseExpected(new EventId("other", 9))).isFalse();
        assertThat(state.raiseExpected(new EventId("e", 4))).isTrue();

        assertThat(state.question().expected()).isEqualTo(4);
    }

    @Test
    void earlyMessages_aboveABound_areNotKept_andReadInstead() {
        open(1);
        Question asked = state.question();
        for (int offset = 3; offset <= 515; offset++) {
            state.accept(message(offset));
        }

        assertThat(state.answered(page("e", 2), asked)).isEqualTo(Outcome.EQUAL);

        assertThat(state.log().head()).as("head, with 512 early messages kept").isEqualTo(514);
    }

    @Test
    void earlyMessages_aboveABoundOfCharacters_areNotKept_andReadInstead() {
        open(1);
        Question asked = state.question();
        for (int offset = 3; offset <= 42; offset++) {
            state.accept(TestMessages.message(offset, "x".repeat(60_000)));
        }

        assertThat(state.answered(page("e", 2), asked)).isEqualTo(Outcome.EQUAL);
        assertThat(state.log().head()).as("head, with a million characters kept").isEqualTo(18);
    }

    @Test
    void earlyMessages_thatTheAnswerHasToo_areNotAppendedTwice() {
        open(1);
        Question asked = state.question();
        state.accept(message(3));
        state.accept(message(5));

        assertThat(state.answered(page("e", 4), asked)).isEqualTo(Outcome.EQUAL);

        assertThat(state.log().head()).isEqualTo(5);
    }

    @Test
    void announcementFarAhead_thatTheBrokerDoesNotHave_isForgotten() {
        open(1);
        state.accept(message(9));

        assertThat(state.answered(page("e", 1), state.question())).isEqualTo(Outcome.EQUAL);

        for (int offset = 2; offset <= 8; offset++) {
            assertThat(state.accept(message(offset))).isEqualTo(Arrival.APPENDED);
        }
        assertThat(state.log().head()).as("the ninth was made up").isEqualTo(8);
    }

    @Test
    void announcementOfTheNextMessage_thatTheBrokerDoesNotHave_isForgotten() {
        open(1);
        state.countInterruption();
        assertThat(state.accept(message(2))).isEqualTo(Arrival.OUT_OF_STEP);

        assertThat(state.answered(page("e", 1), state.question())).isEqualTo(Outcome.EQUAL);

        assertThat(state.log().head()).as("the second was made up").isOne();
    }

    /** Pages are short where texts are long. */
    @Test
    void answer_thatEndsBeforeWhatHasArrivedMeanwhile_isFollowedByAnotherQuestion() {
        open(1);
        RoomLog log = state.log();
        Question asked = state.question();
        LongStream.rangeClosed(2, 6).forEach(offset -> state.accept(message(offset)));

        assertThat(state.answered(TestPages.page("e", 1, 8, messages(4)), asked))
                .isEqualTo(Outcome.ASK_AGAIN);
        assertThat(state.answered(page("e", 8), state.question())).isEqualTo(Outcome.EQUAL);

        assertThat(state.log()).as("the same log").isSameAs(log);
        assertThat(log.head()).isEqualTo(8);
        assertThat(log.frame(1)).isNotNull();
    }

    @Test
    void answer_withoutTheNextMessage_startsTheCopyOver() {
        open(1);

        assertThat(
                        state.answered(
                                TestPages.page("e", 1, 3, List.of(message(1), message(3))),
                                state.question()))
                .isEqualTo(Outcome.MESSAGES_DELETED);

        assertThat(state.question().purpose()).isEqualTo(Purpose.START_OVER);
    }

    @Test
    void announcementOfAnotherMessageUnderAKnownId_isVerified_beforeTheEpochEnds() {
        open(3);
        StoredMessage madeUp = frame(2, "made up").message();

        assertThat(state.accept(madeUp)).isEqualTo(Arrival.OUT_OF_STEP);

        Question verify = state.question();
        assertThat(verify.purpose()).isEqualTo(Purpose.VERIFY);
        assertThat(state.answered(TestPages.page("e", 1, 3, List.of(message(2))), verify))
                .as("the broker has what the copy has")
                .isEqualTo(Outcome.ASK_AGAIN);
        assertThat(state.question().purpose()).isEqualTo(Purpose.FOLLOW);

        state.accept(madeUp);
        assertThat(state.answered(TestPages.page("e", 1, 3, List.of(madeUp)), state.question()))
                .as("the broker has another one")
                .isEqualTo(Outcome.FORKED);
    }

    @Test
    void repeatOfAMessage_isKnown_unlessItHasLeftTheRing() {
        open(2);
        for (int offset = 3; offset <= LogSettings.RING + 2; offset++) {
            state.accept(message(offset));
        }

        assertThat(state.accept(message(3))).isEqualTo(Arrival.KNOWN);
        assertThat(state.accept(message(1))).isEqualTo(Arrival.OUT_OF_STEP);
    }

    @Test
    void newEpoch_thatIncludesTheCopy_goesOnInTheSameLog() {
        open(5);
        RoomLog log = state.log();
        var lineage = new Lineage("f", List.of(new Lineage.Ended("e", 5)));
        StoredMessage sixth = inEpoch("f", 6);

        assertThat(state.accept(sixth)).isEqualTo(Arrival.OUT_OF_STEP);
        var page = TestPages.page(lineage, 1, 6, List.of(message(5), sixth));
        assertThat(state.answered(page, state.question())).isEqualTo(Outcome.EQUAL);

        assertThat(state.log()).isSameAs(log);
        assertThat(log.head()).isEqualTo(6);
        assertThat(log.idAt(5)).isEqualTo(new EventId("e", 5));
        assertThat(log.idAt(6)).isEqualTo(new EventId("f", 6));
        assertThat(log.covers(new EventId("e", 5))).isTrue();
        assertThat(log.covers(new EventId("e", 6))).isFalse();
    }

    @Test
    void newEpoch_thatLacksAPartOfTheCopy_startsTheCopyOver() {
        open(5);
        RoomLog log = state.log();
        var lineage = new Lineage("f", List.of(new Lineage.Ended("e", 3)));
        var page = TestPages.page(lineage, 1, 6, List.of(inEpoch("f", 5), inEpoch("f", 6)));

        assertThat(state.answered(page, state.question())).isEqualTo(Outcome.ASK_AGAIN);
        assertThat(state.answered(page, state.question())).isEqualTo(Outcome.EQUAL);

        assertThat(state.log()).isNotSameAs(log);
        assertThat(state.log().covers(new EventId("e", 5))).isFalse();
    }

    /** A reader that was given a gap may be at 7, and would pass over 4 to 7 of the new epoch. */
    @Test
    void newEpoch_thatLacksWhatIsExpected_startsTheCopyOver() {
        open(3);
        RoomLog log = state.log();
        assertThat(state.raiseExpected(new EventId("e", 8))).isTrue();
        var lineage = new Lineage("f", List.of(new Lineage.Ended("e", 3)));
        var page =
                TestPages.page(
                        lineage, 1, 5, List.of(message(3), inEpoch("f", 4), inEpoch("f", 5)));

        assertThat(state.answered(page, state.question())).isEqualTo(Outcome.ASK_AGAIN);
        assertThat(state.question().purpose()).isEqualTo(Purpose.START_OVER);
        assertThat(state.answered(page, state.question())).isEqualTo(Outcome.EQUAL);

        assertThat(state.log()).isNotSameAs(log);
        assertThat(state.log().covers(new EventId("e", 3))).isTrue();
        assertThat(state.log().covers(new EventId("e", 7))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void equalLog_isKept_alsoWhenItIsEmpty(int messages) {
        open(messages);
        RoomLog log = state.log();

        Question question = state.question();

        assertThat(question.purpose()).isEqualTo(Purpose.FOLLOW);
        assertThat(state.answered(page("e", messages), question)).isEqualTo(Outcome.EQUAL);
        assertThat(state.log()).isSameAs(log);
    }

    /** The broker keeps messages for a day, and gives each one a time that is the broker's. */
    @Test
    void messages_growOld_fromTheTimeAtWhichTheBrokerAcceptedThem() {
        Instant readAt = message(1).message().at().plus(Duration.ofHours(20));
        state.answered(new Page(Lineage.of("e"), 1, 1, messages(1), readAt), state.question());
        state.accept(message(2));
        state.accept(message(4));

        now.addAndGet(Duration.ofHours(4).toNanos() - 1);
        assertThat(state.log().frame(1)).isNotNull();

        now.addAndGet(1);
        assertThat(state.log().frame(1)).as("twenty hours old when it was read").isNull();
        assertThat(state.log().frame(2)).as("new when it arrived").isNotNull();

        // The hole is filled twenty hours later, when the early message has waited for as long.
        now.set(Duration.ofHours(20).toNanos());
        readAt = readAt.plus(Duration.ofHours(20));
        var page = new Page(Lineage.of("e"), 2, 4, List.of(message(2), message(3)), readAt);
        state.answered(page, state.question());
        assertThat(state.log().head()).isEqualTo(4);

        now.set(Duration.ofHours(24).toNanos());
        state.dropTooOld();
        assertThat(state.log().oldest()).isEqualTo(5);
        assertThat(budget.held()).isZero();
    }

    private static StoredMessage inEpoch(String epoch, long offset) {
        return new StoredMessage(new EventId(epoch, offset), message(offset).message());
    }

    /** The log has the broker's first messages. */
    private void open(int messages) {
        state.answered(page("e", messages), state.question());
    }

    /** Has the broker answer from another epoch. */
    private void startAnew(int messages) {
        Page page = page("other", messages);
        assertThat(state.answered(page, state.question())).isEqualTo(Outcome.ASK_AGAIN);
        assertThat(state.answered(page, state.question())).isEqualTo(Outcome.EQUAL);
    }

    private static Page page(String epoch, int messages) {
        return TestPages.page(epoch, 1, messages, messages(messages));
    }

    private static List<StoredMessage> messages(int count) {
        return LongStream.rangeClosed(1, count).mapToObj(TestMessages::message).toList();
    }
}
