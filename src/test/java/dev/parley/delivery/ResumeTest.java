package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.SubscribeRequest.RoomStart;
import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.log.ScriptedBroker;
import dev.parley.message.EventId;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where a reader starts: at the tail, with the newest messages, after its position, or a gap. */
class ResumeTest {

    private final HubHarness harness = new HubHarness();
    private final ScriptedBroker broker = harness.broker;

    @Test
    void readerOfARoomThatIsOpen_receivesItsPosition_withTheFirstBytes() {
        // given
        harness.connectAtTail();

        // when
        TestReader second = harness.connectWithoutRunning(new StartPosition.Tail());

        // then
        assertThat(second.lines()).containsExactly("at epoch0-0");
    }

    @Test
    void readerAtTheTail_receivesItsPosition_andWhatIsPublishedNext() {
        broker.storeUndelivered(3);

        TestReader reader = harness.connectAndPublish(2);

        assertThat(reader.lines()).isEqualTo(harness.lineThenMessages("at epoch0-3", 4, 5));
    }

    /** The log has the newest eight; the broker has all that are not trimmed. */
    @ParameterizedTest
    @CsvSource({"3, 0, 27", "20, 0, 10", "1000, 5, 5"})
    void newest_areSentFirst_fromTheLogOrTheBroker(int count, int trimmed, long position) {
        broker.storeUndelivered(30);
        broker.trim(trimmed);

        TestReader reader = harness.connect(new StartPosition.Newest(count));

        assertThat(reader.lines())
                .isEqualTo(harness.lineThenMessages("at epoch0-" + position, position + 1, 30));
    }

    /** The log has eight messages, and the room's history the newest three of them. */
    @ParameterizedTest
    @CsvSource({"1000, 5, 1", "4, 5, 1", "3, 5, 0", "2, 6, 0"})
    void newest_areThoseThatAreRetained_whereTheLogHasMore(int count, long position, int reads) {
        broker.keep(3, 1 << 20);
        broker.storeUndelivered(8);
        harness.connectAtTail();
        broker.trim(5);
        int readsBefore = broker.reads();

        TestReader reader = harness.connect(new StartPosition.Newest(count));

        assertThat(reader.lines())
                .isEqualTo(harness.lineThenMessages("at epoch0-" + position, position + 1, 8));
        assertThat(broker.reads()).isEqualTo(readsBefore + reads);
    }

    @Test
    void newest_areThoseThatAreRetained_whereTheLogHasMoreBytes() {
        broker.keep(1_000, 100);
        broker.storeUndelivered(8);
        harness.connectAtTail();
        broker.trim(5);

        TestReader reader = harness.connect(new StartPosition.Newest(StartPosition.ALL));

        assertThat(reader.lines()).isEqualTo(harness.lineThenMessages("at epoch0-5", 6, 8));
    }

    @Test
    void newest_areThoseInTheLog_whereTheHistoryHasMore() {
        broker.storeUndelivered(8);
        harness.connectAtTail();
        int reads = broker.reads();

        TestReader reader = harness.connect(new StartPosition.Newest(StartPosition.ALL));

        assertThat(reader.lines()).isEqualTo(harness.lineThenMessages("at epoch0-0", 1, 8));
        assertThat(broker.reads()).isEqualTo(reads);
    }

    /** The history is of one message, and each is trimmed before it reaches the pod. */
    @Test
    void newest_ofABusyRoomWithAShortHistory_arePlaced_andWhatIsOnItsWayIsNotAGap() {
        TestReader reader = readerOfABusyRoom(new StartPosition.Newest(5));

        assertThat(reader.lines().get(0)).startsWith("at epoch0-");
        assertThat(reader.lines()).noneMatch(line -> line.startsWith("gap"));
        assertUpToDate(reader);
    }

    /** The answers to the look-ups overtake the announcements of what was published before them. */
    @Test
    void newest_ofABusyRoomWithAShortHistory_costNoReaderAMessageOrAGap() {
        broker.keep(1, 1 << 20);
        broker.storeUndelivered(8);
        broker.trim(7);
        TestReader atTail = harness.connectAtTail();
        int lines = atTail.lines().size();
        broker.holdAnswers();
        List<StoredMessage> late = new ArrayList<>(storeTwoAndTrim());
        TestReader reader = harness.connect(new StartPosition.Newest(5));
        for (int i = 0; i < 100 && reader.lines().isEmpty(); i++) {
            broker.releaseOneAnswer();
            late.addAll(storeTwoAndTrim());
            harness.run();
        }
        harness.releaseAnswers();

        late.forEach(broker::deliver);
        harness.run();

        List<String> expected =
                late.stream().map(each -> each.id() + " " + each.message().text()).toList();
        assertThat(atTail.lines().subList(lines, atTail.lines().size())).isEqualTo(expected);
        assertThat(reader.lines())
                .startsWith("at epoch0-8")
                .endsWith(expected.toArray(String[]::new));
        assertThat(reader.lines()).hasSize(1 + expected.size());
    }

    /** As in the test before the last one. */
    @Test
    void position_inABusyRoomWithAShortHistory_isAGap() {
        TestReader reader = readerOfABusyRoom(new StartPosition.After(broker.id(3)));

        assertThat(reader.lines()).filteredOn(line -> line.startsWith("gap")).hasSize(1);
        assertUpToDate(reader);
    }

    /**
     * Connects a reader. After each of the broker's answers two messages are stored, of which the
     * newest is retained. They are announced when the reader has its first line.
     */
    private TestReader readerOfABusyRoom(StartPosition start) {
        broker.keep(1, 1 << 20);
        broker.storeUndelivered(8);
        broker.trim(7);
        harness.connectAtTail();
        broker.holdAnswers();
        List<StoredMessage> late = new ArrayList<>(storeTwoAndTrim());
        TestReader reader = harness.connect(start);
        for (int i = 0; i < 100 && reader.lines().isEmpty(); i++) {
            broker.releaseOneAnswer();
            late.addAll(storeTwoAndTrim());
            harness.run();
        }
        late.forEach(broker::deliver);
        harness.run();
        harness.releaseAnswers();
        return reader;
    }

    private List<StoredMessage> storeTwoAndTrim() {
        List<StoredMessage> stored = List.of(broker.store(), broker.store());
        broker.trim((int) (broker.newest() - broker.oldest()));
        return stored;
    }

    private void assertUpToDate(TestReader reader) {
        harness.publish(1);
        assertThat(reader.lines()).last().isEqualTo(harness.message(broker.newest()));
    }

    @Test
    void position_insideTheLog_isResumedWithoutTheBroker() {
        broker.storeUndelivered(30);
        harness.connectAtTail();
        int reads = broker.reads();

        TestReader reader = harness.resume(broker.id(25));

        assertResumed(reader, 25, 30);
        assertThat(broker.reads()).isEqualTo(reads);
        assertThat(harness.count("parley.resumes", "outcome", "resumed")).isOne();
    }

    @Test
    void position_atTheEnd_isResumed_andNothingIsRepeated() {
        broker.storeUndelivered(5);
        harness.connectAtTail();
        int reads = broker.reads();

        TestReader reader = harness.resume(broker.id(5));
        harness.publish(1);

        assertThat(reader.lines())
                .containsExactly("at epoch0-5", "resumed epoch0-5 0", harness.message(6));
        assertThat(broker.reads()).isEqualTo(reads);
    }

    @Test
    void position_beforeTheFirstMessage_isResumedFromTheBeginning() {
        broker.storeUndelivered(30);

        assertResumed(harness.resume(broker.id(0)), 0, 30);
    }

    @Test
    void position_olderThanTheLog_isResumedFromTheBroker_intoTheLiveMessages() {
        broker.storeUndelivered(900);
        broker.holdAnswers();
        TestReader reader = harness.resume(broker.id(10));

        for (int i = 0; i < 20; i++) {
            harness.publish(7);
            harness.releaseOneAnswer();
        }
        harness.releaseAnswers();

        List<String> delivered = reader.delivered();
        assertThat(delivered.remove(0)).startsWith("resumed epoch0-10 ");
        assertThat(delivered).isEqualTo(harness.messages(11, broker.newest()));
        assertThat(harness.count("parley.replayed.messages")).isGreaterThan(800);
    }

    @Test
    void position_aheadOfThePodsLog_isResumed_onceThePodHasCaughtUp() {
        harness.connectAndPublish(3);
        broker.storeUndelivered(4);
        broker.holdAnswers();

        TestReader reader = harness.resume(broker.id(5));
        assertThat(reader.lines()).isEmpty();

        harness.releaseOneAnswer();

        assertResumed(reader, 5, 7);
    }

    @Test
    void position_ofAnEpochThatThePodDoesNotKnowYet_isResumed() {
        harness.connectAndPublish(3);
        broker.loseAll();
        broker.storeUndelivered(4);

        assertResumed(harness.resume(broker.id(2)), 2, 4);
    }

    @Test
    void resume_fromTheBroker_showsThePodWhatItHasMissed() {
        harness.connectAndPublish(20);
        broker.storeUndelivered(4);

        assertResumed(harness.resume(broker.id(3)), 3, 24);
    }

    @Test
    void gap_showsThePodWhatItHasMissed() {
        harness.connectAndPublish(20);
        broker.storeUndelivered(2);
        broker.trim(10);

        TestReader reader = harness.resume(broker.id(3));

        assertGap(reader, "gap epoch0-3 epoch0-11 epoch0-22", 11, 22);
    }

    @Test
    void position_thatTheHistoryDoesNotContinue_isAGap_andThenAllRetained() {
        broker.storeUndelivered(30);
        broker.trim(4);

        for (EventId position : List.of(new EventId("foreign", 3), broker.id(31), broker.id(3))) {
            TestReader reader = harness.resume(position);

            assertGap(reader, "gap " + position + " epoch0-5 epoch0-30", 5, 30);
        }
        assertThat(harness.count("parley.resumes", "outcome", "gap")).isEqualTo(3);
    }

    @Test
    void textThatIsNotAPosition_isAGap_andThenAllRetained() {
        broker.storeUndelivered(30);

        TestReader reader = harness.connect(new StartPosition.Unknown("no id"));

        assertGap(reader, "gap no id epoch0-1 epoch0-30", 1, 30);
    }

    @Test
    void gap_beforeTheOnlyMessage_namesItAsOldestAndNewest() {
        broker.storeUndelivered(3);
        broker.trim(2);

        TestReader reader = harness.resume(broker.id(1));

        assertGap(reader, "gap epoch0-1 epoch0-3 epoch0-3", 3, 3);
    }

    /** The log has the newest eight; 5, 20 and 28 to 30 have expired. */
    @ParameterizedTest
    @ValueSource(longs = {2, 4, 5, 19, 24, 27, 29, 30})
    void messagesThatHaveExpired_areSteppedOver_withoutAGap(long position) {
        Set<Long> brief = Set.of(5L, 20L, 28L, 29L, 30L);
        for (long offset = 1; offset <= 30; offset++) {
            if (brief.contains(offset)) {
                broker.storeBrief();
            } else {
                broker.store();
            }
        }
        broker.expireBriefMessages();
        harness.connectAtTail();

        TestReader reader = harness.resume(broker.id(position));
        harness.publish(1);

        List<String> expected =
                LongStream.rangeClosed(position + 1, 31)
                        .filter(offset -> !brief.contains(offset))
                        .mapToObj(offset -> "epoch0-" + offset)
                        .toList();
        assertThat(reader.lines()).noneMatch(line -> line.startsWith("gap"));
        assertThat(reader.lines().stream().filter(line -> line.startsWith("epoch0-")))
                .extracting(line -> line.substring(0, line.indexOf(' ')))
                .isEqualTo(expected);
    }

    /** As before; the last three messages have expired. */
    @ParameterizedTest
    @ValueSource(longs = {2, 27, 28})
    void messagesThatHaveExpired_atTheEnd_moveThePosition_once(long position) {
        harness.publish(27);
        storeBrief(3);
        harness.connectAtTail();

        TestReader reader = harness.resume(broker.id(position));

        assertThat(reader.lines())
                .filteredOn(line -> line.startsWith("at "))
                .containsExactly("at epoch0-" + position, "at epoch0-30");
        assertThat(reader.lines()).last().isEqualTo("at epoch0-30");
    }

    @Test
    void readerOfSeveralRooms_isGivenThePositionAfterMessagesThatHaveExpired() {
        harness.broker("b");
        harness.publish(2);
        storeBrief(3);

        TestReader reader =
                harness.connect(
                        new RoomStart(ScriptedBroker.ROOM, new StartPosition.After(broker.id(2))),
                        new RoomStart(new Room("b"), new StartPosition.Tail()));

        assertThat(reader.lines())
                .last()
                .asString()
                .isIn("at room=epoch0-5,b=b0-0", "at b=b0-0,room=epoch0-5");
    }

    @Test
    void readerThatSteppedOverExpiredMessages_receivesNoGap_whenAllItHadIsTrimmed() {
        harness.publish(2);
        storeBrief(30);
        TestReader reader = harness.resume(broker.id(2));
        String last = reader.lines().get(reader.lines().size() - 1);
        reader.disconnect();
        broker.trim(32);

        TestReader back = harness.resume(EventId.parse(last.substring(3)).orElseThrow());

        assertThat(back.lines()).noneMatch(line -> line.startsWith("gap"));
    }

    /** Twenty pages, which nothing that is written would hold back. */
    @Test
    void readersBeforeManyExpiredMessages_haveThemReadOnce() {
        storeBrief(5_000);
        harness.connectAtTail();
        int reads = broker.reads();

        List<TestReader> readers =
                Stream.generate(
                                () ->
                                        harness.connectWithoutRunning(
                                                new StartPosition.After(broker.id(0))))
                        .limit(50)
                        .toList();
        harness.run();

        // Each position is looked up once.
        assertThat(broker.reads() - reads - 50).isBetween(20, 25);
        assertThat(readers)
                .allSatisfy(
                        reader -> {
                            assertThat(reader.lines()).last().isEqualTo("at epoch0-5000");
                            assertThat(reader.lines()).noneMatch(line -> line.startsWith("gap"));
                        });
    }

    @Test
    void readersBeforeManyExpiredMessages_stepOverThem_afterOthersHaveReadOnBeyondThem() {
        for (int i = 0; i < 5_000; i++) {
            broker.storeBrief();
        }
        for (int i = 0; i < 300; i++) {
            broker.storeBrief();
            broker.store();
        }
        broker.expireBriefMessages();
        harness.connectAtTail();
        harness.resume(broker.id(0));
        int reads = broker.reads();

        TestReader reader = harness.resume(broker.id(0));

        // Its position is looked up, and the lasting messages are in three pages.
        assertThat(broker.reads() - reads).isLessThanOrEqualTo(6);
        assertThat(reader.lines()).filteredOn(line -> line.contains(" text")).hasSize(300);
    }

    @Test
    void readersOfSeveralRooms_stepOverExpiredMessages_thatOthersHaveRead() {
        harness.broker("b");
        storeBrief(5_000);
        harness.connectAtTail();
        var after = new RoomStart(ScriptedBroker.ROOM, new StartPosition.After(broker.id(0)));
        var other = new RoomStart(new Room("b"), new StartPosition.Tail());
        harness.connect(after, other);
        int reads = broker.reads();

        TestReader reader = harness.connect(after, other);
        harness.publish(1);

        assertThat(broker.reads() - reads).isLessThanOrEqualTo(2);
        assertThat(reader.lines()).last().asString().contains("epoch0-5001").contains("text");
    }

    @Test
    void readersBeforeMessagesOfWhichMostHaveExpired_readFewPagesAtATime() {
        storeMostlyBrief();
        harness.connectAtTail();

        List<TestReader> readers = thirtyReadersWhoseSecondPagesAreHeldBack();
        harness.releaseAnswers();

        assertThat(readers)
                .allSatisfy(
                        reader ->
                                assertThat(reader.lines())
                                        .filteredOn(line -> line.contains(" text"))
                                        .hasSize(20));
    }

    @Test
    void readersThatLeave_whileTheirReadsWaitForTheirTurn_haveNothingReadAnyMore() {
        storeMostlyBrief();
        harness.connectAtTail();
        List<TestReader> readers = thirtyReadersWhoseSecondPagesAreHeldBack();
        int reads = broker.reads();

        readers.forEach(TestReader::disconnect);
        harness.releaseAnswers();

        assertThat(broker.reads()).isEqualTo(reads);
    }

    @Test
    void readerThatLeaves_whileItsPositionIsLookedUp_cancelsThat() {
        broker.storeUndelivered(30);
        harness.connectAtTail();
        broker.holdAnswers();
        TestReader reader = harness.resume(broker.id(3));
        assertThat(broker.isHeld()).isTrue();

        reader.disconnect();

        assertThat(broker.isHeld()).isFalse();
    }

    /** The first message of each half page has not expired. */
    private void storeMostlyBrief() {
        for (int i = 0; i < 20; i++) {
            broker.store();
            for (int k = 1; k < 128; k++) {
                broker.storeBrief();
            }
        }
        broker.expireBriefMessages();
    }

    /** Of their second pages four are being read; the other reads wait for their turn. */
    private List<TestReader> thirtyReadersWhoseSecondPagesAreHeldBack() {
        int reads = broker.reads();
        broker.holdAnswers();
        List<TestReader> readers =
                Stream.generate(() -> harness.resume(broker.id(0))).limit(30).toList();
        // The look-ups, and the first pages.
        for (int i = 0; i < 60; i++) {
            harness.releaseOneAnswer();
        }
        assertThat(broker.reads() - reads).isEqualTo(64);
        return readers;
    }

    private void storeBrief(int count) {
        for (int i = 0; i < count; i++) {
            broker.storeBrief();
        }
        broker.expireBriefMessages();
    }

    @Test
    void messageWithTtl_isDeliveredLive() {
        TestReader reader = harness.connectAtTail();

        broker.deliver(broker.storeBrief());
        harness.run();

        assertThat(reader.lines()).last().asString().startsWith("epoch0-1 ");
    }

    /** The client's position is behind the log, and everything grows old before it is read. */
    @Test
    void historyThatEndsWhileItIsRead_isOneGap_andThenLiveMessages() {
        broker.storeUndelivered(30);
        harness.connectAtTail();
        broker.holdAnswers();
        TestReader reader = harness.resume(broker.id(3));
        broker.releaseOneAnswer();
        broker.trim(30);
        harness.run();

        broker.releaseAnswers();
        harness.run();
        harness.publish(1);

        assertThat(reader.lines())
                .filteredOn(line -> line.startsWith("gap"))
                .as(reader.lines().toString())
                .hasSize(1);
        assertThat(reader.lines()).last().asString().contains("text31");
    }

    @Test
    void position_inARoomWithoutMessages_isAGapWithNothingAfterIt() {
        TestReader reader = harness.resume(new EventId("foreign", 3));
        harness.publish(1);

        assertThat(reader.lines())
                .containsExactly(
                        "at foreign-3",
                        "gap foreign-3 none epoch0-0",
                        "at epoch0-0",
                        harness.message(1));
    }

    @Test
    void reader_whoseRoomChangesDuringEveryAnswer_isSentAway_withItsPosition() {
        broker.storeUndelivered(30);
        harness.connectAtTail();
        broker.holdAnswers();
        TestReader reader = harness.resume(broker.id(3));

        for (int i = 0; i < 5; i++) {
            assertThat(reader.lines()).isEmpty();
            broker.interrupt();
            // One to the reader, then two to the room, which was compared again meanwhile.
            for (int answer = 0; answer < 3; answer++) {
                harness.releaseOneAnswer();
            }
        }

        assertThat(reader.lines()).containsExactly("at epoch0-3", "goodbye unavailable");
    }

    private void assertResumed(TestReader reader, long position, long newest) {
        String resumed = "resumed %s %d".formatted(broker.id(position), newest - position);
        assertThat(reader.lines()).startsWith("at " + broker.id(position));
        assertThat(reader.delivered())
                .isEqualTo(harness.lineThenMessages(resumed, position + 1, newest));
    }

    /**
     * The client keeps the position that it asked for until it has received the gap: if its
     * connection broke in between, it would otherwise come back and never learn of the gap.
     */
    private void assertGap(TestReader reader, String gap, long oldest, long newest) {
        String requested = gap.replaceFirst("gap (.*) \\S+ \\S+", "$1");
        String position = "at " + broker.id(oldest - 1);
        List<String> lines = reader.lines();
        assertThat(lines).startsWith("at " + requested, gap);
        assertThat(lines.subList(2, lines.size()))
                .isEqualTo(harness.lineThenMessages(position, oldest, newest));
    }
}
