package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.log.ScriptedBroker;
import dev.parley.message.EventId;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A reader that accepts no bytes for a while stays in order and does not delay other readers. */
class SlowReaderTest {

    private final HubHarness harness = new HubHarness();
    private final ScriptedBroker broker = harness.broker;

    @Test
    void stalledReader_hasOneBatchQueuedAtMost_andDelaysNoOtherReader() {
        TestReader stalled = harness.connectAtTail();
        TestReader other = harness.connectAtTail();
        harness.stall(stalled);

        int queued = stalled.connection().queued();
        harness.publish(5_000);

        assertThat(stalled.connection().queued()).isEqualTo(queued);
        assertThat(other.delivered()).isEqualTo(harness.messages(1, 5_001));
    }

    @Test
    void slowReader_insideTheLog_continuesFromIt() {
        TestReader reader = harness.connectAndPublish(1);

        reader.stall();
        harness.publish(6);
        harness.drain(reader);

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 7));
        assertThat(harness.count("parley.replayed.messages")).isZero();
    }

    @Test
    void slowReader_behindTheLog_continuesFromTheHistory() {
        TestReader reader = harness.connectAndPublish(1);

        harness.stall(reader);
        harness.publish(700);
        harness.drain(reader);

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 702));
        assertThat(harness.count("parley.replayed.messages")).isGreaterThan(600);
    }

    @Test
    void slowReader_thatSometimesTakesBytes_staysInOrder() {
        TestReader reader = harness.connectAtTail();
        reader.stall();

        for (int i = 0; i < 50; i++) {
            harness.publish(i);
            reader.drainOnce();
            harness.run();
        }
        harness.drain(reader);

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, broker.newest()));
    }

    /** Inside the log and behind it. */
    @ParameterizedTest
    @ValueSource(ints = {6, 700})
    void slowReader_waits_whileTooManyBytesWaitForClients(int messages) {
        TestReader reader = harness.connectAndStall(messages);
        reader.connection().refuseBacklog(true);

        harness.drain(reader);
        harness.tick();
        harness.publish(1);
        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 1));

        reader.connection().refuseBacklog(false);
        harness.tick();
        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 2 + messages));
    }

    /** Others may have asked for a page at the same time. */
    @Test
    void pageThatComes_whileTooManyBytesWaitForClients_isReadAgain() {
        TestReader reader = harness.connectAndStall(700);
        broker.holdAnswers();
        harness.drain(reader);

        reader.connection().refuseBacklog(true);
        harness.releaseAnswers();
        harness.tick();
        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 1));

        reader.connection().refuseBacklog(false);
        harness.tick();
        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 701));
    }

    /** A proxy that gets no whole answer makes an error of it, and a browser does not retry. */
    @Test
    void readerThatIsRefused_isSentNoPosition_whileTooManyBytesWaitForClients() {
        var connection = new TestConnection();
        refuse(connection);
        harness.run();

        assertThat(connection.isEnded()).isTrue();
        assertThat(connection.isAborted()).isFalse();
        assertThat(connection.lines()).containsExactly("connected");
    }

    @Test
    void readerThatIsRefused_andTakesNothing_isCut_whileTooManyBytesWaitForClients() {
        var connection = new TestConnection();
        connection.stall();
        refuse(connection);

        assertThat(connection.isAborted()).isTrue();
    }

    /** Refuses a reader that comes back, while too many bytes wait for clients. */
    private void refuse(TestConnection connection) {
        harness.hub.refuseStreams();
        connection.refuseBacklog(true);
        harness.subscribe(
                connection,
                ScriptedBroker.ROOM,
                new StartPosition.Unknown("old"),
                Heartbeat.DEFAULT);
    }

    @Test
    void readerThatIsNotSlow_receivesMessages_whileTooManyBytesWaitForClients() {
        TestReader reader = harness.connectAtTail();
        reader.connection().refuseBacklog(true);

        harness.publish(3);

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 3));
    }

    /** As with TLS: a live message is in memory once for each client that takes nothing. */
    @Test
    void readerForWhichLiveMessagesAreCopied_getsNoMore_whileTooManyBytesWaitForClients() {
        TestReader slow = harness.connectAtTail();
        TestReader other = harness.connectAtTail();
        for (TestReader reader : List.of(slow, other)) {
            reader.connection().copyShared();
            reader.connection().refuseBacklog(true);
        }
        slow.connection().beSlow();
        harness.publish(1);
        int queued = slow.connection().queued();

        harness.publish(1);
        assertThat(slow.connection().queued()).isEqualTo(queued);
        broker.publishLong(16 * 1024);
        harness.run();
        assertThat(other.delivered()).isEqualTo(harness.messages(1, 2));

        for (TestReader reader : List.of(slow, other)) {
            reader.connection().refuseBacklog(false);
            harness.drain(reader);
        }
        harness.tick();
        assertThat(slow.delivered()).isEqualTo(harness.messages(1, 3));
        assertThat(other.delivered()).isEqualTo(harness.messages(1, 3));
    }

    /** They are in memory once, whether or not this client takes them. */
    @Test
    void readerForWhichBytesWait_receivesLiveMessages_thatAreShared() {
        TestReader reader = harness.connectAtTail();
        reader.connection().beSlow();
        reader.connection().refuseBacklog(true);

        harness.publish(1);
        harness.publish(1);
        harness.drain(reader);

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 2));
    }

    @Test
    void stalledReader_givesWay_whileTooManyBytesWaitForClients() {
        TestReader reader = harness.connectAndStall(1);
        harness.tick();
        harness.tick();
        assertThat(reader.connection().isAborted()).isFalse();

        reader.connection().refuseBacklog(true);
        harness.tickAfter(Duration.ofSeconds(4));
        assertThat(reader.connection().isAborted()).isFalse();
        harness.tickAfter(Duration.ofSeconds(6));

        assertThat(reader.connection().isAborted()).isTrue();
        assertThat(harness.count("parley.disconnects", "reason", "slow-consumer")).isOne();
    }

    @Test
    void readerThatTakesNothing_givesWay_afterFiveSeconds_andNotBefore() {
        TestReader reader = harness.connectAndStall(1);
        reader.connection().refuseBacklog(true);
        long found = System.nanoTime() + Duration.ofSeconds(100).toNanos();
        harness.tickAt(found);
        harness.tickAt(found + Duration.ofSeconds(5).toNanos() - 1);
        assertThat(reader.connection().isAborted()).isFalse();

        harness.tickAt(found + Duration.ofSeconds(5).toNanos());

        assertThat(reader.connection().isAborted()).isTrue();
    }

    /** Less waits for it than makes its connection refuse more. */
    @Test
    void readerThatTakesNothing_givesWay_thoughItsConnectionAcceptsBytes() {
        TestReader reader = harness.connectAtTail();
        reader.connection().beSlow();
        harness.publish(1);
        harness.tick();
        harness.tick();
        assertThat(reader.connection().isAborted()).isFalse();

        reader.connection().refuseBacklog(true);
        harness.tick();
        harness.tickAfter(Duration.ofSeconds(6));

        assertThat(reader.connection().isAborted()).isTrue();
        assertThat(harness.count("parley.disconnects", "reason", "slow-consumer")).isOne();
        assertThat(harness.gauge("parley.slow.readers")).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void readerThatTakesBytesSlowly_isNotCut_whileTooManyWaitForClients(boolean isWritable) {
        TestReader reader = harness.connectAtTail();
        if (isWritable) {
            reader.connection().beSlow();
        } else {
            reader.stall();
        }
        harness.publish(1);
        reader.connection().refuseBacklog(true);

        Duration time = Duration.ZERO;
        while (reader.connection().queued() > 1) {
            harness.tickAfter(time);
            time = time.plusSeconds(4);
            harness.tickAfter(time);
            reader.connection().take(1);
        }
        harness.tickAfter(time);
        assertThat(reader.connection().isAborted()).isFalse();

        harness.drain(reader);
        harness.tick();
        harness.publish(1);
        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 2));
        assertThat(harness.gauge("parley.slow.readers")).isZero();
    }

    @Test
    void readerThatTakesBytesSlowly_hasTheWholeTimeoutAfterEachOfThem() {
        HubHarness hub =
                HubHarness.with(StreamSettings.DEFAULT.withSlowTimeout(Duration.ofSeconds(10)));
        TestReader reader = hub.connectAtTail();
        reader.connection().beSlow();
        hub.publish(1);
        reader.connection().refuseBacklog(true);

        hub.tick();
        reader.connection().take(1);
        hub.tickAfter(Duration.ofSeconds(9));
        reader.connection().take(1);
        hub.tickAfter(Duration.ofSeconds(18));
        assertThat(reader.connection().isAborted()).isFalse();

        // The bound is not reached any more, but the connection is full now.
        reader.connection().refuseBacklog(false);
        reader.stall();
        hub.tickAfter(Duration.ofSeconds(19));
        assertThat(reader.connection().isAborted()).isFalse();
        hub.tickAfter(Duration.ofSeconds(29));
        assertThat(reader.connection().isAborted()).isTrue();
    }

    @Test
    void slowReader_behindTheHistory_isDisconnected_andReceivesAGapWhenItIsBack() {
        TestReader reader = harness.connectAndStall(100);

        broker.trim(50);
        harness.drain(reader);

        assertThat(reader.lines())
                .containsExactly("at epoch0-0", "epoch0-1 text1", "goodbye slow-consumer");
        assertThat(reader.connection().isEnded()).isTrue();
        assertThat(harness.count("parley.disconnects", "reason", "slow-consumer")).isOne();
        assertThat(harness.resume(new EventId("epoch0", 1)).delivered())
                .startsWith("gap epoch0-1 epoch0-51 epoch0-101");
    }

    @Test
    void deletedMessages_behindTheLog_areAGap_andWhatFollowsIsDelivered() {
        TestReader reader = harness.connectAndStall(100);

        broker.delete(2);
        broker.delete(3);
        harness.drain(reader);

        assertThat(reader.lines().subList(0, 3))
                .containsExactly(
                        "at epoch0-0", harness.message(1), "gap epoch0-1 epoch0-4 epoch0-101");
        assertThat(reader.lines().subList(3, reader.lines().size()))
                .isEqualTo(harness.lineThenMessages("at epoch0-3", 4, 101));
        assertThat(harness.count("parley.resumes", "outcome", "gap")).isOne();
    }

    @Test
    void replay_endsAtTheHeadOfTheRoom_thoughTheHistoryHasMore() {
        TestReader reader = harness.connectAndStall(20);
        broker.storeUndelivered(3);

        harness.drain(reader);

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 21));
    }

    @Test
    void replay_fromBeforeALoss_endsWhereTheHeadOfTheRoomWas() {
        TestReader reader = harness.connectAndStall(20);
        broker.storeUndelivered(3);
        broker.holdAnswers();
        harness.drain(reader);

        broker.loseNewest(3);
        harness.publish(3);
        harness.releaseAnswers();

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 24));
        assertThat(broker.endedEpochs())
                .as("epochs ended, although the room had none of the lost messages")
                .isEmpty();
    }

    @Test
    void replay_duringARestartOfDelivery_continuesAfterIt() {
        TestReader reader = harness.connectAndStall(20);
        broker.holdAnswers();
        harness.drain(reader);

        broker.interrupt();
        harness.releaseAnswers();

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 21));
    }

    @Test
    void replay_ofMessagesThatTheBrokerLost_isAGap() {
        TestReader reader = harness.connectAndStall(20);

        broker.loseNewest(20);
        harness.drain(reader);

        assertThat(broker.endedEpochs()).containsExactly("epoch0");
        assertThat(reader.lines())
                .containsExactly(
                        "at epoch0-0",
                        "epoch0-1 text1",
                        "gap epoch0-1 epoch1-1 epoch1-1",
                        "at epoch1-0",
                        "epoch1-1 text1");
    }

    @Test
    void replay_acrossTheEndOfAnEpoch_isOneGap() {
        TestReader reader = harness.connectAndStall(50);
        broker.loseAll();
        broker.storeUndelivered(3);

        broker.holdAnswers();
        harness.drain(reader);
        for (int i = 0; i < 10; i++) {
            harness.releaseOneAnswer();
            harness.tick();
            harness.publish(1);
        }
        harness.releaseAnswers();
        harness.publish(1);

        List<String> lines = reader.lines();
        assertThat(lines).filteredOn(line -> line.startsWith("gap")).hasSize(1);
        int gap = lines.size() - 16;
        assertThat(lines.get(gap)).startsWith("gap epoch0-");
        assertThat(lines.get(gap + 1)).startsWith("at epoch1-0");
        assertThat(lines.subList(gap + 2, lines.size())).isEqualTo(harness.messages(1, 14));
    }

    @Test
    void readerThatReceivedNothingYet_beginsAtTheOldest_whenItsFirstMessagesAreTrimmed() {
        harness.publish(20);
        TestReader reader = harness.connectWithoutRunning(new StartPosition.Newest(20));
        broker.holdAnswers();
        harness.run();
        broker.trim(15);
        harness.releaseAnswers();

        List<String> lines = reader.lines();
        assertThat(lines.subList(0, 3))
                .containsExactly(
                        "at " + broker.id(0),
                        "gap " + broker.id(0) + " " + broker.id(16) + " " + broker.id(20),
                        "at " + broker.id(15));
        assertThat(lines.subList(3, lines.size())).isEqualTo(harness.messages(16, 20));
        assertThat(reader.connection().isClosed()).isFalse();
    }

    @Test
    void readerThatReceivedNothingYet_getsOneGap_whenAllThatTheRoomHadIsTrimmed() {
        harness.publish(20);
        TestReader reader = harness.connectWithoutRunning(new StartPosition.Newest(20));
        broker.holdAnswers();
        harness.run();
        broker.storeUndelivered(10);
        broker.trim(24);
        harness.releaseAnswers();

        // Also without a further message: the room learns how far the broker is.
        List<String> lines = reader.lines();
        assertThat(lines).filteredOn(line -> line.startsWith("gap")).hasSize(1);
        assertThat(lines.subList(lines.size() - 6, lines.size()))
                .isEqualTo(harness.messages(25, 30));
        harness.publish(1);
        assertThat(reader.lines()).endsWith(harness.messages(31, 31).get(0));
    }
}
