package dev.parley.delivery;

import static dev.parley.delivery.TestMessages.message;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.Page;
import dev.parley.message.EventId;
import dev.parley.message.StoredMessage;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is appended to the pod's copy of a log, and when it has to be compared again. */
class LogCopyTest {

    private final LogBudget budget = new LogBudget(1 << 20);
    private final LogCopy copy =
            new LogCopy(
                    ScriptedBroker.ROOM,
                    new LineEncoder(),
                    LogSettings.DEFAULT,
                    budget,
                    new HubMeters(new SimpleMeterRegistry()));

    @Test
    void closedCopy_holdsNothing_andTakesNothing() {
        open(1);
        assertThat(copy.accept(message(2))).isTrue();
        assertThat(budget.held()).isPositive();
        LogCopy.Question late = copy.question();

        copy.close();

        assertThat(copy.isClosed()).isTrue();
        assertThat(copy.accept(message(3))).as("asks for no comparison").isTrue();
        assertThat(copy.answered(new Page("e", 1, 3, List.of(message(3))), late))
                .isEqualTo(LogCopy.Outcome.DONE);
        assertThat(budget.held()).isZero();
    }

    @Test
    void messageAfterAHole_isKept_untilTheHoleIsFilled() {
        open(1);
        LogCopy.Question asked = copy.question();

        assertThat(copy.accept(message(4))).as("a comparison is due").isFalse();
        assertThat(copy.accept(message(3))).isFalse();
        assertThat(copy.log().head()).isOne();

        assertThat(copy.answered(page("e", 2), asked)).isEqualTo(LogCopy.Outcome.DONE);
        assertThat(copy.log().head()).isEqualTo(4);
    }

    @Test
    void messageAfterAHole_followsTheMissingOne_whenThatIsHeardLate() {
        open(1);
        copy.accept(message(3));

        assertThat(copy.accept(message(2))).isTrue();

        assertThat(copy.log().head()).isEqualTo(3);
    }

    @Test
    void messageHeardBeforeARestartOfDelivery_isNotAppendedAfterIt() {
        open(1);
        copy.accept(message(3));

        copy.rejoined();

        assertThat(copy.rejoins()).isOne();
        assertThat(copy.answered(new Page("e", 1, 9, messages(2)), copy.question()))
                .isEqualTo(LogCopy.Outcome.AGAIN);
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
        assertThat(copy.expect(new EventId("e", 9))).as("it is not open yet").isTrue();
        open(3);

        assertThat(copy.expect(new EventId("e", 3))).isTrue();
        assertThat(copy.expect(new EventId("other", 9))).isTrue();
        assertThat(copy.expect(new EventId("e", 4))).isFalse();

        assertThat(copy.question().known()).isEqualTo(4);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void equalLog_staysAsItIs_alsoWhenItIsEmpty(int messages) {
        open(messages);
        RoomLog log = copy.log();

        LogCopy.Question question = copy.question();

        assertThat(question.anew()).isFalse();
        assertThat(copy.answered(page("e", messages), question)).isEqualTo(LogCopy.Outcome.DONE);
        assertThat(copy.log()).isSameAs(log);
    }

    /** The log has the broker's first messages. */
    private void open(int messages) {
        copy.answered(page("e", messages), copy.question());
    }

    /** The broker has another epoch by now. */
    private void startAnew(int messages) {
        Page page = page("other", messages);
        assertThat(copy.answered(page, copy.question())).isEqualTo(LogCopy.Outcome.AGAIN);
        assertThat(copy.answered(page, copy.question())).isEqualTo(LogCopy.Outcome.DONE);
    }

    private static Page page(String epoch, int messages) {
        return new Page(epoch, 1, messages, messages(messages));
    }

    private static List<StoredMessage> messages(int count) {
        return LongStream.rangeClosed(1, count).mapToObj(TestMessages::message).toList();
    }
}
