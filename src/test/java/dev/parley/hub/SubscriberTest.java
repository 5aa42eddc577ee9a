package dev.parley.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.hub.Scene.Reader;
import dev.parley.message.EventId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Where a reader begins, how it stays in order however slow it is, and how it is let go. */
class SubscriberTest {

    /** Enough for a frame with a short text. */
    private static final long FRAME_BYTES = 300;

    private Scene scene = new Scene();
    private ScriptedBroker broker = scene.broker;

    @Test
    void tail_isToldItsPosition_andGetsWhatComesNext() {
        broker.drop(3);

        Reader reader = scene.connectAtTail();
        scene.say(2);

        assertThat(reader.lines())
                .containsExactly(
                        "at epoch0-3", scene.messages(4, 4).get(0), scene.messages(5, 5).get(0));
    }

    @Test
    void newest_beginsWithSoManyMessages() {
        broker.drop(30);

        assertThat(scene.connect(new Start.Newest(3)).lines())
                .isEqualTo(after("at epoch0-27", 28, 30));
        assertThat(scene.connect(new Start.Newest(20)).lines())
                .as("more than the log in memory has")
                .isEqualTo(after("at epoch0-10", 11, 30));
        broker.trim(5);
        assertThat(scene.connect(new Start.Newest(1_000)).lines())
                .as("more than there are")
                .isEqualTo(after("at epoch0-5", 6, 30));
    }

    @Test
    void position_insideTheLog_isResumedWithoutTheBroker() {
        broker.drop(30);
        scene.connectAtTail();
        int reads = broker.reads();

        Reader reader = scene.resume(broker.id(25));

        assertThat(reader.lines())
                .startsWith("at epoch0-25", "resumed epoch0-25 5")
                .endsWith(scene.messages(26, 30).toArray(String[]::new))
                .hasSize(7);
        assertThat(broker.reads()).isEqualTo(reads);
        assertThat(scene.count("parley.resumes", "outcome", "resumed")).isOne();
    }

    @Test
    void position_atTheEnd_isResumed_andNothingIsRepeated() {
        broker.drop(5);

        Reader reader = scene.resume(broker.id(5));
        scene.say(1);

        assertThat(reader.lines())
                .containsExactly("at epoch0-5", "resumed epoch0-5 0", scene.messages(6, 6).get(0));
    }

    @Test
    void position_beforeTheFirstMessage_isResumedFromTheBeginning() {
        broker.drop(30);

        assertThat(scene.resume(broker.id(0)).lines().subList(1, 32))
                .isEqualTo(after("resumed epoch0-0 30", 1, 30));
    }

    @Test
    void position_olderThanTheLog_isResumedFromTheBroker_intoTheLiveMessages() {
        broker.drop(900);
        broker.hold();
        Reader reader = scene.resume(broker.id(10));

        for (int i = 0; i < 20; i++) {
            scene.say(7);
            broker.answer();
            scene.run();
        }
        broker.release();
        scene.run();

        assertThat(reader.lines().get(1)).startsWith("resumed epoch0-10 ");
        assertThat(reader.lines().subList(2, reader.lines().size()))
                .isEqualTo(scene.messages(11, broker.newest()));
        assertThat(scene.count("parley.replayed.messages")).isGreaterThan(800);
    }

    @Test
    void position_newerThanThePodsLog_isResumed_onceThePodHasCaughtUp() {
        scene.connectAtTail();
        scene.say(3);
        broker.drop(4);

        Reader reader = scene.resume(broker.id(5));
        scene.say(1);

        assertThat(reader.lines()).startsWith("at epoch0-5", "resumed epoch0-5 2");
        assertThat(reader.lines().subList(2, reader.lines().size()))
                .isEqualTo(scene.messages(6, 8));
    }

    @Test
    void position_nobodyGave_isAGap_andThenAllRetained() {
        broker.drop(30);
        broker.trim(4);

        for (EventId position : List.of(new EventId("foreign", 3), broker.id(31), broker.id(3))) {
            Reader reader = scene.resume(position);

            assertThat(reader.lines().subList(1, reader.lines().size()))
                    .isEqualTo(after("gap " + position + " epoch0-5 epoch0-30", 5, 30));
            assertThat(reader.lines().get(0)).isEqualTo("at epoch0-4");
        }
        assertThat(scene.connect(new Start.Unknown("no id")).lines().subList(1, 28))
                .isEqualTo(after("gap no id epoch0-5 epoch0-30", 5, 30));
        assertThat(scene.count("parley.resumes", "outcome", "gap")).isEqualTo(4);
    }

    @Test
    void brokersAnswerToAReader_tellsThePodToo_whatItHasNotHeard() {
        scene.connectAtTail();
        scene.say(20);
        broker.drop(4);

        Reader resumed = scene.resume(broker.id(3));

        assertThat(resumed.lines()).isEqualTo(afterResume(3, 24));
        broker.drop(2);
        broker.trim(10);
        Reader gap = scene.resume(broker.id(3));
        assertThat(gap.lines().subList(1, gap.lines().size()))
                .isEqualTo(after("gap epoch0-3 epoch0-11 epoch0-26", 11, 26));
    }

    @Test
    void reader_whoseRoomChangesWithEveryAnswer_isLetGo_withItsPosition() {
        broker.drop(30);
        scene.connectAtTail();
        broker.hold();
        Reader reader = scene.resume(broker.id(3));

        for (int i = 0; i < 5; i++) {
            assertThat(reader.lines()).isEmpty();
            broker.rejoin();
            // To the reader, then twice to the room: it was asked again in between.
            for (int answer = 0; answer < 3; answer++) {
                broker.answer();
                scene.run();
            }
        }

        assertThat(reader.lines()).containsExactly("at epoch0-3", "goodbye unavailable");
    }

    @Test
    void position_inARoomWithoutMessages_isAGapWithNothingAfterIt() {
        Reader reader = scene.resume(new EventId("foreign", 3));
        scene.say(1);

        assertThat(reader.lines())
                .containsExactly(
                        "at epoch0-0", "gap foreign-3 none epoch0-0", scene.messages(1, 1).get(0));
    }

    @Test
    void position_ofTheEpochThatThePodDoesNotKnowYet_isResumed() {
        scene.connectAtTail();
        scene.say(3);
        broker.loseAll();
        broker.drop(4);

        Reader reader = scene.resume(broker.id(2));

        assertThat(reader.lines().subList(0, 4))
                .isEqualTo(
                        List.of(
                                "at epoch1-2",
                                "resumed epoch1-2 2",
                                scene.messages(3, 3).get(0),
                                scene.messages(4, 4).get(0)));
    }

    @Test
    void slowReader_continuesFromTheLog() {
        Reader reader = scene.connectAtTail();
        scene.say(1);

        reader.connection().stall();
        scene.say(6);
        reader.connection().drain();
        scene.run();

        assertThat(reader.lines()).isEqualTo(after("at epoch0-0", 1, 7));
        assertThat(scene.count("parley.replayed.messages")).isZero();
    }

    @Test
    void slowReader_behindTheLog_continuesFromTheHistory() {
        Reader reader = scene.connectAtTail();
        scene.say(1);

        stallWithFullQueue(reader);
        scene.say(700);
        reader.connection().drain();
        scene.run();

        assertThat(reader.lines()).isEqualTo(after("at epoch0-0", 1, 702));
        assertThat(scene.count("parley.replayed.messages")).isGreaterThan(600);
    }

    @Test
    void slowReader_thatTakesABitNowAndThen_staysInOrder() {
        Reader reader = scene.connectAtTail();
        reader.connection().stall();

        for (int i = 0; i < 50; i++) {
            scene.say(i);
            reader.connection().drainOnce();
            scene.run();
        }
        reader.connection().drain();
        scene.run();

        assertThat(reader.lines()).isEqualTo(after("at epoch0-0", 1, broker.newest()));
    }

    @Test
    void slowReader_behindTheHistory_isLetGo_andToldOfTheGapWhenItIsBack() {
        Reader reader = scene.connectAtTail();
        stallWithFullQueue(reader);
        scene.say(100);

        broker.trim(50);
        reader.connection().drain();
        scene.run();

        assertThat(reader.lines()).last().isEqualTo("goodbye slow-consumer");
        assertThat(reader.connection().isEnded()).isTrue();
        String last = reader.lines().get(reader.lines().size() - 2);
        EventId position = EventId.parse(last.substring(0, last.indexOf(' '))).orElseThrow();
        assertThat(scene.resume(position).lines().get(1))
                .isEqualTo("gap " + position + " epoch0-51 epoch0-101");
        assertThat(scene.count("parley.disconnects", "reason", "slow-consumer")).isOne();
    }

    @Test
    void stalledReader_hasOneBatchQueuedAtMost_andDelaysNobody() {
        Reader stalled = scene.connectAtTail();
        Reader other = scene.connectAtTail();
        stalled.connection().stall();

        scene.say(1);
        int queued = stalled.connection().queued();
        scene.say(5_000);

        assertThat(stalled.connection().queued()).isEqualTo(queued);
        assertThat(other.lines()).isEqualTo(after("at epoch0-0", 1, 5_001));
    }

    @Test
    void stalledReader_isCut_whenItsTimeIsOver() {
        scene = Scene.with(new Scene.Streams(Duration.ofHours(1), Duration.ofNanos(1)));
        Reader stalled = scene.connectAtTail();
        stalled.connection().stall();
        scene.say(1);

        tick();
        assertThat(scene.meters.get("parley.slow.readers").gauge().value()).isOne();
        tick();

        assertThat(stalled.connection().isAborted()).isTrue();
        assertThat(scene.count("parley.disconnects", "reason", "slow-consumer")).isOne();
        assertThat(scene.meters.get("parley.slow.readers").gauge().value()).isZero();
        assertThat(scene.meters.get("parley.connected.clients").gauge().value()).isZero();
    }

    @Test
    void streams_endedInRounds_goInEvenParts() {
        List<Reader> readers = IntStream.range(0, 30).mapToObj(i -> scene.connectAtTail()).toList();

        for (int rounds = 6; rounds > 0; rounds--) {
            scene.hub.endStreams(rounds);
            scene.run();

            assertThat(readers)
                    .filteredOn(reader -> !reader.connection().isEnded())
                    .hasSize((rounds - 1) * 5);
        }
        assertThat(scene.hub.streams()).isZero();
    }

    @Test
    void stalledReader_thatTakesBytesAgain_isNoLongerSlow_atOnce() {
        Reader reader = scene.connectAtTail();
        stallWithFullQueue(reader);
        tick();
        assertThat(scene.gauge("parley.slow.readers")).isOne();

        reader.connection().drain();
        scene.run();

        assertThat(scene.gauge("parley.slow.readers")).isZero();
        tick();
        assertThat(reader.connection().isClosed()).isFalse();
    }

    @Test
    void stalledReader_isNotCut_beforeItsTimeIsOver() {
        Reader reader = scene.connectAtTail();
        stallWithFullQueue(reader);

        tick();
        tick();

        assertThat(reader.connection().isClosed()).isFalse();
    }

    @Test
    void oldStream_isEnded_toComeBackElsewhere() {
        scene =
                Scene.with(
                        new Scene.Streams(
                                Duration.ofHours(1),
                                Duration.ofHours(1),
                                Optional.of(Duration.ofNanos(1))));
        Reader reader = scene.connectAtTail();

        tick();

        assertThat(reader.lines()).containsExactly("at epoch0-0", "goodbye rotation");
        assertThat(reader.connection().isEnded()).isTrue();
    }

    @Test
    void youngStream_isNeitherEnded_norSentAHeartbeat() {
        scene =
                Scene.with(
                        new Scene.Streams(
                                Duration.ofHours(1),
                                Duration.ofHours(1),
                                Optional.of(Duration.ofHours(1))));
        Reader reader = scene.connectAtTail();

        tick();

        assertThat(reader.lines()).containsExactly("at epoch0-0");
        assertThat(reader.connection().isClosed()).isFalse();
    }

    @Test
    void silentStream_getsAHeartbeat() {
        scene = Scene.with(new Scene.Streams(Duration.ofNanos(1), Duration.ofHours(1)));
        Reader reader = scene.connectAtTail();

        tick();

        assertThat(reader.lines()).last().isEqualTo("heartbeat");
    }

    @Test
    void readerBehindTheLog_whileTheBrokerIsAway_stays_andIsCaughtUpLater() {
        Reader reader = scene.connectAtTail();
        stallWithFullQueue(reader);
        scene.say(100);

        broker.away();
        reader.connection().drain();
        scene.run();
        scene.say(1);
        assertThat(reader.connection().isClosed()).isFalse();
        broker.back();
        tick();

        assertThat(reader.lines()).isEqualTo(after("at epoch0-0", 1, 102));
    }

    @Test
    void reader_whilePositionsAreKnown_isTaken_thoughTheBrokerIsAway() {
        scene.connectAtTail();
        scene.say(20);
        broker.away();

        Reader tail = scene.connectAtTail();
        Reader inLog = scene.resume(broker.id(15));
        Reader newest = scene.connect(new Start.Newest(4));
        Reader older = scene.resume(broker.id(3));

        assertThat(tail.lines()).containsExactly("at epoch0-20");
        assertThat(inLog.lines()).hasSize(7);
        assertThat(newest.lines()).isEqualTo(after("at epoch0-16", 17, 20));
        assertThat(older.lines()).containsExactly("at epoch0-3", "goodbye unavailable");
        assertThat(older.connection().isEnded()).isTrue();
    }

    @Test
    void reader_withoutAnAnswer_keepsThePositionThatItHad() {
        broker.away();

        assertThat(scene.connectAtTail().lines()).containsExactly("goodbye unavailable");
        assertThat(scene.resume(new EventId("e", 7)).lines())
                .containsExactly("at e-7", "goodbye unavailable");
        assertThat(scene.connect(new Start.Unknown("x")).lines())
                .containsExactly("at x", "goodbye unavailable");
        assertThat(scene.count("parley.disconnects", "reason", "unavailable")).isEqualTo(3);
    }

    @Test
    void replay_acrossTheEndOfAnEpoch_isOneGap() {
        Reader reader = scene.connectAtTail();
        stallWithFullQueue(reader);
        scene.say(50);
        broker.loseAll();
        broker.drop(3);

        broker.hold();
        reader.connection().drain();
        scene.run();
        for (int i = 0; i < 10; i++) {
            broker.answer();
            scene.run();
            tick();
            scene.say(1);
        }
        broker.release();
        scene.run();
        scene.say(1);

        List<String> lines = reader.lines();
        assertThat(lines).filteredOn(line -> line.startsWith("gap")).hasSize(1);
        int gap = lines.size() - 15;
        assertThat(lines.get(gap)).startsWith("gap epoch0-");
        assertThat(lines.subList(gap + 1, lines.size())).isEqualTo(scene.messages(1, 14));
    }

    @Test
    void reader_thatLeft_getsNothingMore_andIsCountedOnce() {
        Reader reader = scene.connectAtTail();
        Reader other = scene.connectAtTail();

        reader.subscription().cancel();
        reader.subscription().cancel();
        scene.say(1);

        assertThat(reader.lines()).containsExactly("at epoch0-0");
        assertThat(other.lines()).hasSize(2);
        assertThat(scene.count("parley.disconnects", "reason", "client")).isOne();
        assertThat(scene.meters.get("parley.connected.clients").gauge().value()).isOne();
    }

    @Test
    void reader_thatLeavesWhileItsPlaceIsLookedFor_isForgotten() {
        broker.drop(30);
        broker.hold();
        Reader reader = scene.resume(broker.id(3));

        reader.subscription().cancel();
        broker.release();
        scene.say(1);

        assertThat(reader.lines()).isEmpty();
    }

    @Test
    void defectWithOneReader_isThatReadersAlone() {
        Reader before = scene.connectAtTail();
        Reader broken = scene.connectAtTail();
        Reader after = scene.connectAtTail();
        broken.connection().abort();

        scene.say(2);

        assertThat(before.lines()).isEqualTo(after("at epoch0-0", 1, 2));
        assertThat(after.lines()).isEqualTo(after("at epoch0-0", 1, 2));
        assertThat(scene.count("parley.disconnects", "reason", "error")).isOne();
    }

    @Test
    void roomWithoutReaders_isDroppedAfterAWhile_andItsMemoryWithIt() {
        scene =
                Scene.with(
                        new Scene.Log(
                                Scene.RING,
                                Scene.bytes(1 << 20),
                                Scene.bytes(1 << 20),
                                Duration.ofNanos(1)));
        Reader reader = scene.connectAtTail();
        scene.say(3);

        tick();
        assertThat(scene.meters.get("parley.rooms").gauge().value()).isOne();
        reader.subscription().cancel();
        tick();

        assertThat(scene.meters.get("parley.rooms").gauge().value()).isZero();
        Reader next = scene.resume(scene.broker.id(1));
        assertThat(next.lines()).hasSize(4);
    }

    @Test
    void roomThatIsDropped_leavesItsMemoryToTheNext() {
        scene =
                Scene.with(
                        new Scene.Log(
                                Scene.RING,
                                Scene.bytes(1 << 20),
                                Scene.bytes(FRAME_BYTES * (Scene.RING + 1)),
                                Duration.ofNanos(1)));
        Reader reader = scene.connectAtTail();
        scene.say(Scene.RING);
        reader.subscription().cancel();
        tick();

        scene.connectAtTail();
        int reads = scene.broker.reads();
        scene.resume(scene.broker.id(0));

        assertThat(scene.broker.reads()).as("the whole ring is there").isEqualTo(reads);
    }

    @Test
    void deletedMessages_behindTheLog_areAGap_andWhatFollowsIsDelivered() {
        Reader reader = scene.connectAtTail();
        stallWithFullQueue(reader);
        scene.say(100);

        broker.delete(2);
        broker.delete(3);
        reader.connection().drain();
        scene.run();

        assertThat(reader.lines().subList(0, 4))
                .containsExactly(
                        "at epoch0-0",
                        LineEncoder.message(broker.log().get(0)),
                        "at epoch0-3",
                        "gap epoch0-1 epoch0-4 epoch0-101");
        assertThat(reader.lines().subList(4, reader.lines().size()))
                .isEqualTo(scene.messages(4, 101));
        assertThat(scene.count("parley.resumes", "outcome", "gap")).isOne();
    }

    @Test
    void roomThatCouldNotBeOpened_givesItsMemoryBack() {
        scene =
                Scene.with(
                        new Scene.Log(
                                Scene.RING,
                                Scene.bytes(1 << 20),
                                Scene.bytes(FRAME_BYTES * (Scene.RING + 1)),
                                Duration.ofHours(1)));
        failToOpenAfterAPage();

        scene.connectAtTail();
        scene.say(Scene.RING);
        int reads = scene.broker.reads();
        scene.resume(scene.broker.id(scene.broker.newest() - Scene.RING));

        assertThat(scene.broker.reads()).as("the whole ring is there").isEqualTo(reads);
    }

    /** What was read of a room's log is in memory when the next read fails. */
    private void failToOpenAfterAPage() {
        scene.broker.drop(Scene.RING);
        scene.broker.hold();
        Reader reader = scene.connectAtTail();
        scene.broker.say(1);
        scene.broker.away();
        scene.broker.release();
        scene.run();
        assertThat(reader.lines()).containsExactly("goodbye unavailable");
        scene.broker.back();
    }

    /** The reader takes nothing, and one message waits for it already. */
    private void stallWithFullQueue(Reader reader) {
        reader.connection().stall();
        scene.say(1);
        assertThat(reader.connection().isWritable()).isFalse();
    }

    private void tick() {
        scene.hub.tick();
        scene.run();
    }

    private List<String> afterResume(long from, long last) {
        List<String> lines = new ArrayList<>();
        lines.add("at " + broker.id(from));
        lines.addAll(
                after("resumed %s %d".formatted(broker.id(from), last - from), from + 1, last));
        return lines;
    }

    private List<String> after(String line, long first, long last) {
        List<String> lines = new ArrayList<>(List.of(line));
        lines.addAll(scene.messages(first, last));
        return lines;
    }
}
