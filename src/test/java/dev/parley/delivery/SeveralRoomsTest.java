package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.SubscribeRequest.RoomStart;
import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.log.LogSettings;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A stream that reads several rooms. The rooms are a, b and c; their first epochs a0, b0 and c0.
 */
class SeveralRoomsTest {

    private HubHarness harness = new HubHarness();

    @BeforeEach
    void makeRooms() {
        List.of("a", "b", "c").forEach(harness::broker);
    }

    @Test
    void eachMessage_hasThePositionInAllRooms_inTheOrderOfTheirNames() {
        TestReader reader = harness.connect(tail("b"), tail("a"));

        harness.publish("a", 1);
        harness.publish("b", 2);

        assertThat(reader.lines())
                .containsExactly(
                        "at a=a0-0,b=b0-0",
                        "a=a0-1,b=b0-0 text1",
                        "a=a0-1,b=b0-1 text1",
                        "a=a0-1,b=b0-2 text2");
        assertThat(harness.count("parley.deliveries")).isEqualTo(3);
    }

    @Test
    void idThatGetsLonger_leavesTheOtherRoomsAsTheyAre() {
        TestReader reader = harness.connect(tail("a"), tail("b"), tail("c"));

        harness.publish("c", 1);
        harness.publish("b", 10);
        harness.publish("a", 1);
        harness.publish("c", 1);

        assertThat(reader.delivered())
                .hasSize(13)
                .contains("a=a0-0,b=b0-9,c=c0-1 text9", "a=a0-0,b=b0-10,c=c0-1 text10")
                .endsWith("a=a0-1,b=b0-10,c=c0-1 text1", "a=a0-1,b=b0-10,c=c0-2 text2");
    }

    @Test
    void idThatGetsLonger_besideARoomWithoutAPosition() {
        harness.broker("b").holdAnswers();
        TestReader reader = harness.connect(tail("a"), tail("b"), tail("c"));
        harness.tick();

        harness.publish("c", 9);
        harness.publish("a", 10);
        harness.publish("c", 1);
        harness.broker("b").releaseAnswers();
        harness.run();
        harness.publish("a", 1);

        assertThat(reader.lines())
                .contains("a=a0-10,c=c0-9 text10", "a=a0-10,c=c0-10 text10")
                .endsWith("at a=a0-10,b=b0-0,c=c0-10", "a=a0-11,b=b0-0,c=c0-10 text11");
    }

    @Test
    void streamsInDifferentPositions_eachHaveTheirOwn() {
        List<TestReader> readers = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            harness.broker("r" + i);
            readers.add(harness.connect(tail("a"), tail("r" + i)));
        }

        harness.publish("a", 2);
        harness.publish("r7", 1);
        harness.publish("a", 1);

        for (int i = 0; i < 40; i++) {
            String other = "r" + i + "=r" + i + "0-" + (i == 7 ? 1 : 0);
            assertThat(readers.get(i).delivered()).last().isEqualTo("a=a0-3," + other + " text3");
            assertThat(readers.get(i).delivered()).hasSize(i == 7 ? 4 : 3);
        }
    }

    @Test
    void positionInAllRooms_isWrittenOnce_whenTheLastRoomIsPlaced() {
        harness.broker("b").holdAnswers();
        TestReader reader = harness.connect(tail("a"), tail("b"));

        assertThat(reader.lines()).isEmpty();

        harness.broker("b").releaseAnswers();
        harness.run();

        assertThat(reader.lines()).containsExactly("at a=a0-0,b=b0-0");
    }

    @Test
    void roomWithoutAnAnswer_delaysNeitherMessagesNorThePositionOfTheOthers_forLong() {
        harness.broker("b").holdAnswers();
        TestReader reader = harness.connect(tail("a"), tail("b"));

        harness.tick();
        harness.publish("a", 1);

        assertThat(reader.lines()).containsExactly("at a=a0-0", "a=a0-1 text1");
    }

    @Test
    void roomThatIsToBeginAtItsOldestMessage_isNamedBeforeItBegins() {
        harness.publish("a", 2);
        harness.publish("b", 2);
        harness.broker("b").holdAnswers();
        var all = new StartPosition.Newest(StartPosition.ALL);

        TestReader reader =
                harness.connect(
                        new RoomStart(new Room("a"), all), new RoomStart(new Room("b"), all));

        assertThat(reader.lines())
                .containsExactly(
                        "at a=earliest,b=earliest",
                        "a=a0-1,b=earliest text1",
                        "a=a0-2,b=earliest text2");

        harness.broker("b").releaseAnswers();
        harness.run();

        assertThat(reader.lines()).endsWith("a=a0-2,b=b0-1 text1", "a=a0-2,b=b0-2 text2");
    }

    @Test
    void clientThatComesBack_isGivenItsPositionFirst_andContinuesInEachRoom() {
        harness.publish("a", 3);
        harness.publish("b", 3);

        TestReader reader = harness.connect(after("a", "a0", 1), after("b", "b0", 2), tail("c"));

        List<String> lines = reader.lines();
        assertThat(lines.get(0)).isEqualTo("at a=a0-1,b=b0-2");
        assertThat(lines)
                .filteredOn(line -> line.startsWith("resumed"))
                .containsExactlyInAnyOrder("resumed a0-1 2", "resumed b0-2 1");
        assertThat(lines)
                .filteredOn(line -> line.contains("text"))
                .extracting(line -> line.substring(line.indexOf(' ') + 1))
                .containsExactlyInAnyOrder("text2", "text3", "text3");
        assertThat(lines.get(lines.size() - 1)).endsWith("a=a0-3,b=b0-3,c=c0-0");
    }

    @Test
    void messagesBeforeAnotherRoomIsPlaced_keepTheClientsPositionThere() {
        harness.publish("a", 1);
        harness.publish("b", 1);
        harness.broker("b").holdAnswers();

        TestReader reader = harness.connect(after("a", "a0", 1), after("b", "b0", 1));
        harness.publish("a", 1);

        assertThat(reader.lines())
                .containsExactly("at a=a0-1,b=b0-1", "resumed a0-1 0", "a=a0-2,b=b0-1 text2");
    }

    @Test
    void gapInOneRoom_isFollowedByThePositionInAll_andLeavesTheOthersAlone() {
        harness.publish("a", 2);
        harness.publish("b", 2);

        TestReader reader = harness.connect(after("a", "old", 7), after("b", "b0", 1));

        List<String> lines = reader.lines();
        assertThat(lines.get(0)).isEqualTo("at a=old-7,b=b0-1");
        int gap = lines.indexOf("gap old-7 a0-1 a0-2 in a");
        assertThat(lines.get(gap + 1)).matches("at a=a0-0,b=b0-[12]");
        assertThat(lines).filteredOn(line -> line.startsWith("gap")).hasSize(1);
        assertThat(lines).contains("resumed b0-1 1");
        assertThat(lines.get(lines.size() - 1)).contains("a=a0-2").contains("b=b0-2");
    }

    @Test
    void textThatIsNoPosition_isWrittenAsUnknown_untilTheGap() {
        harness.publish("a", 1);

        TestReader reader =
                harness.connect(
                        new RoomStart(new Room("a"), new StartPosition.Unknown("1,2=3")),
                        tail("b"));

        assertThat(reader.lines())
                .startsWith("at a=unknown", "gap 1,2=3 a0-1 a0-1 in a")
                .endsWith("a=a0-1,b=b0-0 text1")
                .doesNotContain("at a=1,2=3");
    }

    @Test
    void roomThatTheBrokerCannotServe_isTriedAgain_andTheOthersGoOn() {
        harness.publish("a", 2);
        harness.broker("a").goDown();

        TestReader reader = harness.connect(after("a", "a0", 1), tail("b"));
        harness.publish("b", 1);

        assertThat(reader.lines()).contains("at a=a0-1,b=b0-0", "a=a0-1,b=b0-1 text1");
        assertThat(reader.connection().isEnded()).isFalse();

        int written = reader.lines().size();
        int reads = harness.broker("a").reads();
        harness.tickAfter(Duration.ofSeconds(1));
        harness.tickAfter(Duration.ofSeconds(2));
        harness.tickAfter(Duration.ofSeconds(3));
        assertThat(harness.broker("a").reads()).isEqualTo(reads + 3);
        assertThat(reader.lines()).as("nothing is written while nothing moves").hasSize(written);

        harness.broker("a").comeUp();
        harness.tickAfter(Duration.ofSeconds(4));
        assertThat(reader.lines()).contains("resumed a0-1 1", "a=a0-2,b=b0-1 text2");
        assertThat(harness.gauge("parley.cursors")).isEqualTo(2);
        assertThat(reader.lines()).filteredOn(line -> line.contains("text2")).hasSize(1);

        harness.publish("a", 1);
        assertThat(reader.lines()).filteredOn(line -> line.contains("text3")).hasSize(1);
    }

    @Test
    void streamOfWhichNoRoomCanBeServed_ends() {
        harness.broker("a").goDown();
        harness.broker("b").goDown();

        TestReader reader = harness.connect(after("a", "a0", 1), tail("b"));

        assertThat(reader.lines()).contains("at a=a0-1").endsWith("goodbye unavailable");
        assertThat(harness.gauge("parley.connected.clients")).isZero();
        assertThat(harness.gauge("parley.cursors")).isZero();
    }

    /** Each room's attempts fail while the other room is being tried again. */
    @Test
    void streamOfWhichNoRoomCanBeServed_ends_alsoIfOneIsBeingTriedAgain() {
        harness.broker("a").goDown();
        harness.broker("b").holdAnswers();
        TestReader reader = harness.connect(tail("a"), tail("b"));
        harness.broker("a").comeUp();
        harness.broker("a").holdAnswers();
        harness.tickAfter(Duration.ofSeconds(1));
        assertThat(reader.connection().isEnded()).isFalse();

        harness.broker("b").failOneAnswer();
        harness.run();

        assertThat(reader.lines()).endsWith("goodbye unavailable");
        assertThat(harness.gauge("parley.cursors")).isZero();
    }

    @Test
    void streamOfWhichARoomIsServedAgain_goesOn_whenTheNextCannotBeServed() {
        harness.broker("a").goDown();
        harness.broker("b").holdAnswers();
        TestReader reader = harness.connect(tail("a"), tail("b"));
        harness.broker("a").comeUp();
        harness.tickAfter(Duration.ofSeconds(1));

        harness.broker("b").failOneAnswer();
        harness.run();
        harness.publish("a", 1);

        assertThat(reader.connection().isEnded()).isFalse();
        assertThat(reader.lines()).endsWith("a=a0-1 text1");
    }

    @Test
    void busyRoom_keepsAnotherRoomWaiting_forOneBatchAtMost() {
        TestReader reader = harness.connect(tail("a"), tail("b"));
        reader.stall();
        harness.publish("a", 1);
        harness.publish("a", 3);
        harness.publish("b", 1);

        for (int round = 0; round < 3; round++) {
            reader.drainOnce();
            harness.run();
            harness.publish("a", 2);
        }

        assertThat(reader.lines())
                .anyMatch(line -> line.startsWith("a=") && line.contains("b=b0-1"));
        assertThat(harness.broker("a").newest()).as("there was always more of a").isEqualTo(10);
    }

    @Test
    void busyRoomWhoseRoundIsDueBeforeEachDrain_keepsAnotherRoomWaiting_forTwoBatchesAtMost() {
        TestReader reader = harness.connect(tail("a"), tail("b"));
        reader.stall();
        harness.publish("a", 1);
        harness.publish("b", 1);

        for (int round = 0; round < 3; round++) {
            harness.broker("a").publish(1);
            reader.drainOnce();
            harness.run();
        }

        assertThat(reader.lines())
                .anyMatch(line -> line.startsWith("a=") && line.contains("b=b0-1"));
    }

    /** A page takes the connection for a while; the other room's would be read for nothing. */
    @Test
    void roomsBehindTheirRings_takeTurns_andEachPageThatIsReadIsWritten() {
        TestReader reader = harness.connect(tail("a"), tail("b"));
        reader.stall();
        harness.publish("a", 1);
        harness.publish("a", 2_000);
        harness.publish("b", 2_000);
        int readBefore = harness.broker("a").reads() + harness.broker("b").reads();

        for (int drain = 0; drain < 5; drain++) {
            reader.drainOnce();
            harness.run();
        }

        assertThat(reader.delivered()).hasSize(1 + 4 * 256);
        assertThat(reader.delivered()).last().asString().startsWith("a=a0-513,b=b0-512 ");
        assertThat(harness.broker("a").reads() + harness.broker("b").reads())
                .as("pages, the one that is queued included")
                .isEqualTo(readBefore + 5);
    }

    @Test
    void roomWhosePageCannotBeRead_leavesTheNextTurnToTheOther() {
        TestReader reader = harness.connect(tail("a"), tail("b"));
        reader.stall();
        harness.publish("a", 1);
        harness.publish("a", 100);
        harness.publish("b", 100);
        harness.broker("a").holdAnswers();
        reader.drain();
        harness.run();
        assertThat(reader.delivered()).hasSize(1);

        harness.broker("a").failOneAnswer();
        harness.run();
        harness.tick();
        assertThat(reader.delivered()).hasSize(101);

        harness.broker("a").releaseAnswers();
        harness.tick();
        assertThat(reader.delivered()).hasSize(201);
    }

    @Test
    void roomsThatAreBehind_wait_whileTooManyBytesWaitForClients() {
        TestReader reader = harness.connect(tail("a"), tail("b"));
        reader.stall();
        harness.publish("a", 4);
        harness.publish("b", 300);
        reader.connection().refuseBacklog(true);

        reader.drain();
        harness.run();
        harness.tick();
        assertThat(reader.delivered()).as("the batch that was queued").hasSize(4);

        reader.connection().refuseBacklog(false);
        harness.tick();
        assertThat(reader.delivered()).hasSize(304);
    }

    @Test
    void streamThatIsNotBehind_receivesMessages_whileTooManyBytesWaitForClients() {
        TestReader reader = harness.connect(tail("a"), tail("b"));
        reader.connection().refuseBacklog(true);
        harness.tick();

        harness.publish("a", 1);
        harness.tick();
        harness.publish("b", 1);

        assertThat(reader.delivered())
                .containsExactly("a=a0-1,b=b0-0 text1", "a=a0-1,b=b0-1 text1");
    }

    @Test
    void streamForWhichBytesWait_getsNoMore_whileTooManyWaitForClients() {
        TestReader reader = harness.connect(tail("a"), tail("b"));
        reader.connection().beSlow();
        harness.publish("a", 1);
        int queued = reader.connection().queued();
        reader.connection().refuseBacklog(true);

        harness.publish("a", 1);
        harness.publish("b", 1);
        assertThat(reader.connection().queued()).isEqualTo(queued);

        reader.connection().refuseBacklog(false);
        harness.drain(reader);
        harness.tick();
        assertThat(reader.delivered()).hasSize(3);
    }

    /** No client has taken it before more wait for others, so it would wait for each of them. */
    @Test
    void longMessage_waits_whileTooManyBytesWaitForClients_andTheNextFollowIt() {
        TestReader reader = harness.connect(tail("a"), tail("b"));
        reader.connection().refuseBacklog(true);

        harness.broker("a").publishLong(16 * 1024);
        harness.publish("b", 1);
        assertThat(reader.delivered()).isEmpty();

        reader.connection().refuseBacklog(false);
        harness.tick();
        assertThat(reader.delivered()).hasSize(2);
    }

    @Test
    void roomInsideItsRing_doesNotKeepARoomBehindItsRingWaiting() {
        TestReader reader = harness.connect(tail("a"), tail("b"));
        reader.stall();
        harness.publish("a", 1);
        harness.publish("b", 2_000);

        for (int drain = 0; drain < 4; drain++) {
            harness.publish("a", 2);
            reader.drainOnce();
            harness.run();
        }

        assertThat(reader.lines()).anyMatch(line -> line.contains(",b=b0-256 "));
    }

    @Test
    void streamThatEnds_leavesAllItsRooms() {
        harness = HubHarness.with(LogSettings.DEFAULT.withLinger(HubHarness.IMMEDIATELY));
        makeRooms();
        TestReader reader = harness.connect(tail("a"), tail("b"));
        assertThat(harness.gauge("parley.cursors")).isEqualTo(2);

        reader.disconnect();
        harness.tick();

        assertThat(harness.gauge("parley.rooms")).isZero();
        assertThat(harness.gauge("parley.cursors")).isZero();
        assertThat(harness.broker("a").isSubscribed(new Room("a"))).isFalse();
    }

    @Test
    void streamThatWouldOpenTooManyRooms_isRefused_andKeepsItsPosition() {
        harness = HubHarness.with(LogSettings.DEFAULT.withRooms(2));
        makeRooms();
        harness.connect(tail("a"), tail("b"));

        TestReader refused = harness.connect(after("a", "a0", 0), after("c", "c0", 5));
        TestReader admitted = harness.connect(tail("a"), tail("b"));

        assertThat(refused.lines()).containsExactly("at a=a0-0,c=c0-5", "goodbye limit");
        assertThat(admitted.lines()).containsExactly("at a=a0-0,b=b0-0");
    }

    private static RoomStart tail(String room) {
        return new RoomStart(new Room(room), new StartPosition.Tail());
    }

    private static RoomStart after(String room, String epoch, long offset) {
        return new RoomStart(new Room(room), new StartPosition.After(new EventId(epoch, offset)));
    }
}
