package dev.parley.log;

import static java.util.stream.LongStream.rangeClosed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.broker.Lineage;
import dev.parley.message.EventId;
import dev.parley.message.EventType;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.MessageJson;
import dev.parley.message.Room;
import dev.parley.sse.EventStreamEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class RoomLogTest {

    private final RoomLog.Budget budget = new RoomLog.Budget(1 << 20);

    @Test
    void emptyLog_hasTheHeadThatItWasMadeWith() {
        RoomLog log = log(41, 4, 1 << 20);

        assertThat(log.head()).isEqualTo(41);
        assertThat(log.oldest()).isEqualTo(42);
        assertThat(log.reaches(41)).isTrue();
        assertThat(log.reaches(40)).isFalse();
        assertThat(log.frame(41)).isNull();
        assertThat(log.frame(42)).isNull();
    }

    @Test
    void frames_areFoundByOffset() {
        RoomLog log = log(41, 4, 1 << 20);

        append(log, 42, 44, 10);

        assertThat(found(log)).containsExactly(42L, 43L, 44L);
        assertThat(log.reaches(41)).isTrue();
    }

    @Test
    void fullLog_dropsTheOldest() {
        RoomLog log = log(0, 4, 1 << 20);

        append(log, 1, 11, 10);

        assertThat(found(log)).containsExactly(8L, 9L, 10L, 11L);
        assertThat(log.oldest()).isEqualTo(8);
        assertThat(log.reaches(7)).isTrue();
        assertThat(log.reaches(6)).isFalse();
        assertThat(log.frame(7)).isNull();
        assertThat(log.frame(12)).isNull();
    }

    @Test
    void anythingButTheNextFrame_isRefused() {
        RoomLog log = log(0, 4, 1 << 20);
        append(log, 1, 2, 10);

        assertThatThrownBy(() -> append(log, 2, 2, 10))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> append(log, 4, 4, 10))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(log.head()).isEqualTo(2);
    }

    @Test
    void logAboveItsBytes_keepsWhatFits_andAlwaysTheNewest() {
        RoomLog log = log(0, 100, 10_000);

        append(log, 1, 50, 1_000);
        assertThat(log.head() - log.oldest()).isEqualTo(1);

        append(log, 51, 51, 100_000);

        assertThat(found(log)).containsExactly(51L);

        append(log, 52, 60, 10);
        assertThat(found(log)).containsExactlyElementsOf(rangeClosed(52, 60).boxed().toList());
    }

    @Test
    void log_thatHoldsExactlyItsBytes_dropsNothing() {
        RoomLog log = log(0, 100, 2 * TestMessages.frame(1, "xx").cost());

        append(log, 1, 2, 2);

        assertThat(found(log)).containsExactly(1L, 2L);
    }

    @Test
    void budgetOfAllLogs_shrinksTheLogThatGrows_andIsFreedWithTheLogs() {
        var small = new RoomLog.Budget(20_000);
        RoomLog first = TestMessages.log(0, 100, 1 << 20, small);
        RoomLog second = TestMessages.log(0, 100, 1 << 20, small);

        append(first, 1, 4, 1_000);
        append(second, 1, 50, 1_000);

        assertThat(small.isExceeded()).isTrue();
        assertThat(second.oldest()).isEqualTo(50);
        assertThat(first.oldest()).isOne();
        first.clear();
        second.clear();
        assertThat(small.held()).isZero();
    }

    @Test
    void budget_isExceeded_onlyAboveItsMaximum() {
        var small = new RoomLog.Budget(100);

        small.add(100);
        assertThat(small.isExceeded()).isFalse();

        small.add(1);
        assertThat(small.isExceeded()).isTrue();
    }

    @Test
    void afterATick_anEighthOfTheBudgetIsFree() {
        assertThat(new RoomLog.Budget(800).mostAfterTick()).isEqualTo(700);
    }

    @Test
    void logThatIsShortened_keepsWhatFits_andAlwaysTheNewest() {
        RoomLog log = log(0, 100, 1 << 20);
        append(log, 1, 4, 2);
        long frame = TestMessages.frame(1, "xx").cost();

        log.shorten(4 * frame);
        assertThat(found(log)).containsExactly(1L, 2L, 3L, 4L);

        log.shorten(4 * frame - 1);
        assertThat(found(log)).containsExactly(2L, 3L, 4L);
        assertThat(log.bytes()).isEqualTo(3 * frame);

        log.shorten(0);
        assertThat(found(log)).containsExactly(4L);
    }

    @Test
    void clearedLog_isEmpty_andKeepsItsHead() {
        RoomLog log = log(0, 4, 1 << 20);
        append(log, 1, 9, 10);

        log.clear();

        assertThat(log.head()).isEqualTo(9);
        assertThat(log.reaches(9)).isTrue();
        assertThat(log.reaches(8)).isFalse();
        assertThat(found(log)).isEmpty();
        assertThat(budget.held()).isZero();
    }

    @Test
    void frame_isTheOneAskedFor_orNull_whileOthersAreAppended() {
        RoomLog log = log(0, 4, 1 << 20);
        var reading = new CompletableFuture<Void>();
        CompletableFuture<Void> appending = reading.thenRunAsync(() -> append(log, 1, 200_000, 1));

        do {
            for (long offset = Math.max(1, log.head() - 6); offset <= log.head() + 1; offset++) {
                RoomLog.Frame frame = log.frame(offset);
                assertThat(frame == null || frame.offset() == offset).isTrue();
            }
            reading.complete(null);
        } while (!appending.isDone());

        appending.join();
        assertThat(found(log)).hasSize(4);
    }

    @ParameterizedTest
    @EnumSource(Format.class)
    void frame_isEncodedOnceInEachFormat(Format format) {
        RoomLog.Frame frame = TestMessages.frame(1, "hi");

        assertThat(frame.bytes(format)).isSameAs(frame.bytes(format));
        assertThat(frame.bytes(Format.TEXT)).isNotSameAs(frame.bytes(Format.JSON));
    }

    @Test
    void framesThatAreTooOld_areNotFound_andDroppedAtTheNextCall() {
        var now = new AtomicLong();
        var log = new RoomLog(Lineage.of("e"), 0, 8, 1 << 20, budget, 100, now::get);
        log.append(acceptedAt(1, 0));
        log.append(acceptedAt(2, 10));
        log.append(acceptedAt(3, 50));

        now.set(99);
        assertThat(found(log)).containsExactly(1L, 2L, 3L);
        assertThat(log.reaches(0)).isTrue();

        now.set(110);
        assertThat(found(log)).containsExactly(3L);
        assertThat(log.reaches(1)).isFalse();
        assertThat(log.reaches(2)).isTrue();
        long held = budget.held();
        log.dropTooOld();
        assertThat(budget.held()).isEqualTo(held / 3);
        assertThat(log.oldest()).isEqualTo(3);

        now.set(1_000);
        log.append(acceptedAt(4, 1_000));
        assertThat(log.oldest()).isEqualTo(4);

        now.set(2_000);
        log.dropTooOld();
        assertThat(log.oldest()).isEqualTo(5);
        assertThat(log.head()).isEqualTo(4);
        assertThat(log.reaches(4)).isTrue();
        assertThat(log.reaches(3)).isFalse();
        assertThat(budget.held()).isZero();
    }

    @Test
    void frame_isExpired_whenItsLifetimeIsOver() {
        RoomLog.Frame brief = TestMessages.briefFrame(1, 1_000);
        long second = TimeUnit.SECONDS.toNanos(1);

        assertThat(brief.isExpired(1_000)).isFalse();
        assertThat(brief.isExpired(1_000 + second - 1)).isFalse();
        assertThat(brief.isExpired(1_000 + second)).isTrue();
        assertThat(acceptedAt(1, 0).isExpired(Long.MAX_VALUE)).isFalse();
    }

    @Test
    void spanOfExpiredMessages_isStillKnown_whenAnotherIsNotedApartFromIt() {
        RoomLog log = log(6_000, 4, 1 << 20);

        log.noteExpired(0, 5_001, 1);
        log.noteExpired(5_120, 5_121, 1);

        assertThat(log.endOfExpired(0)).isEqualTo(5_001);
        assertThat(log.endOfExpired(5_120)).isEqualTo(5_121);
        assertThat(log.endOfExpired(5_001)).isEqualTo(5_001);
        log.noteExpired(5_001, 5_120, 1);
        assertThat(log.endOfExpired(7)).isEqualTo(5_121);
    }

    @Test
    void ofManySpansOfExpiredMessages_theLongestAreKept_andTheLastOne() {
        RoomLog log = log(6_000, 4, 1 << 20);

        log.noteExpired(0, 1_000, 1);
        for (int i = 0; i <= RoomLog.MAX_EXPIRED_SPANS; i++) {
            log.noteExpired(2_000 + 10 * i, 2_003 + 10 * i, 1);
        }
        log.noteExpired(5_000, 5_001, 1);

        assertThat(log.endOfExpired(0)).isEqualTo(1_000);
        assertThat(log.endOfExpired(5_000)).isEqualTo(5_001);
        assertThat(log.endOfExpired(2_000)).as("noted first of the short ones").isEqualTo(2_000);
    }

    @Test
    void asManySpansOfExpiredMessagesAsAreKept_areAllKnown_andAnEmptyOneTakesNoPlace() {
        RoomLog log = log(6_000, 4, 1 << 20);
        for (int i = 0; i < RoomLog.MAX_EXPIRED_SPANS; i++) {
            log.noteExpired(100L * i, 100L * i + 3 + i, 1);
        }

        log.noteExpired(5_000, 5_000, 1);

        assertThat(log.endOfExpired(0)).isEqualTo(3);
        log.noteExpired(5_000, 5_001, 1);
        assertThat(log.endOfExpired(0)).as("the shortest but the last").isZero();
        assertThat(log.endOfExpired(100)).isEqualTo(104);
    }

    /** The broker has trimmed its log up to 11. */
    @Test
    void spanOfExpiredMessages_isForgotten_whenItEndsBeforeWhatIsRetained() {
        RoomLog log = log(6_000, 4, 1 << 20);
        log.noteExpired(0, 9, 1);
        log.noteExpired(10, 11, 1);

        log.noteExpired(100, 101, 12);

        assertThat(log.endOfExpired(0)).isZero();
        assertThat(log.endOfExpired(10)).isEqualTo(11);
    }

    /** Two bytes for each UTF-16 unit, and the text in UTF-8 in both formats. */
    @Test
    void cost_followsTheBytesOfTheText() {
        long empty = TestMessages.frame(1, "a").cost() - 2 - 2;

        assertThat(TestMessages.frame(1, "a\u0800").cost()).isEqualTo(empty + 2 * 2 + 2 * (1 + 3));
    }

    /** A control character has the longest form in JSON. */
    @ParameterizedTest
    @ValueSource(strings = {"\u0001", "\n", "\"", "\\", "a", "\uffff"})
    void cost_boundsTheBytesOfTheBody(String character) {
        for (int length : List.of(1, 10_000)) {
            var longest =
                    new Message(
                                    ScriptedBroker.ROOM,
                                    character.repeat(length),
                                    Optional.empty(),
                                    Optional.of(new EventType("\uffff".repeat(64))),
                                    Instant.EPOCH,
                                    Optional.of(Duration.ofSeconds(Integer.MAX_VALUE)))
                            .verifiedFrom("\uffff".repeat(Message.MAX_FROM));
            var stored = new StoredMessage(new EventId("e", 1), longest);

            byte[] body = MessageJson.writeBody(longest).getBytes(StandardCharsets.UTF_8);

            assertThat(new RoomLog.Frame(stored, TestMessages.LINES, 0).cost())
                    .isGreaterThanOrEqualTo(body.length);
        }
    }

    /** Without the sender and the event type, a letter with the longest ones would cost little. */
    @ParameterizedTest
    @ValueSource(strings = {"a", "\uffff", "\u0001", "\n", "\""})
    void cost_isNoLessThanTheBytesInBothFormats(String character) {
        var encoder = new EventStreamEncoder(Duration.ofSeconds(2), Duration.ofSeconds(4));
        for (int length : List.of(1, 10_000)) {
            var longest =
                    new Message(
                                    new Room("r".repeat(64)),
                                    character.repeat(length),
                                    Optional.empty(),
                                    Optional.of(new EventType("\uffff".repeat(64))),
                                    Instant.EPOCH,
                                    Optional.of(Duration.ofSeconds(1)))
                            .verifiedFrom("\uffff".repeat(Message.MAX_FROM));
            var stored = new StoredMessage(new EventId("e", 1), longest);
            var frame = new RoomLog.Frame(stored, encoder, 0);

            int encoded = Stream.of(Format.values()).mapToInt(f -> frame.bytes(f).length).sum();

            assertThat(frame.cost()).isGreaterThan(encoded + 2L * length);
        }
    }

    private static RoomLog.Frame acceptedAt(long offset, long nanos) {
        return new RoomLog.Frame(TestMessages.message(offset), TestMessages.LINES, nanos);
    }

    private RoomLog log(long after, int capacity, long maxBytes) {
        return TestMessages.log(after, capacity, maxBytes, budget);
    }

    private static void append(RoomLog log, long first, long last, int length) {
        String text = "x".repeat(length);
        for (long offset = first; offset <= last; offset++) {
            log.append(TestMessages.frame(offset, text));
        }
    }

    private static List<Long> found(RoomLog log) {
        List<Long> found = new ArrayList<>();
        for (long offset = 0; offset <= log.head() + 10; offset++) {
            RoomLog.Frame frame = log.frame(offset);
            if (frame != null) {
                assertThat(frame.offset()).isEqualTo(offset);
                found.add(offset);
            }
        }
        return found;
    }
}
