package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.log.ScriptedBroker;
import org.junit.jupiter.api.Test;

/** Text that another program publishes: for the lobby, without an id, live only. */
class PlainTextTest {

    private final HubHarness harness = new HubHarness();
    private final ScriptedBroker broker = harness.broker;

    @Test
    void plainText_reachesReadersOfTheLobby() {
        TestReader reader = harness.connectToLobby();

        broker.publishPlainText("hello");
        harness.publishPlainText("");

        assertThat(reader.delivered()).containsExactly("plain hello");
        assertThat(harness.count("parley.deliveries")).isOne();
        assertThat(harness.count("parley.delivered.bytes")).isEqualTo("plain hello\n".length());
    }

    @Test
    void plainText_doesNotReachReadersOfOtherRooms() {
        TestReader reader = harness.connectAtTail();

        harness.publishPlainText("hello");

        assertThat(reader.delivered()).isEmpty();
    }

    @Test
    void plainText_isNotKeptForAStalledReader() {
        TestReader reader = harness.connectToLobby();
        reader.stall();

        harness.publishPlainText("one");
        harness.publishPlainText("two");
        harness.drain(reader);

        assertThat(reader.delivered()).containsExactly("plain one");
    }

    /** As with TLS. */
    @Test
    void plainText_isNotCopiedForAReaderForWhichBytesWait_whileTooManyDo() {
        TestReader reader = harness.connectToLobby();
        reader.connection().copyShared();
        reader.connection().refuseBacklog(true);
        reader.connection().beSlow();

        harness.publishPlainText("one");
        harness.publishPlainText("two");
        harness.drain(reader);
        harness.publishPlainText("three");

        assertThat(reader.delivered()).containsExactly("plain one", "plain three");
    }

    @Test
    void plainText_doesNotReachReadersWithoutAPositionYet() {
        broker.holdAnswers();
        TestReader reader = harness.connectToLobby();

        harness.publishPlainText("hello");
        harness.releaseAnswers();

        assertThat(reader.delivered()).isEmpty();
    }

    /** One write for each text would leave the event loop no time for anything else. */
    @Test
    void plainTextsThatWait_leaveInFewWrites() {
        TestReader reader = harness.connectToLobby();
        int before = reader.writes();

        for (int i = 0; i < 1_000; i++) {
            broker.publishPlainText("text " + i);
        }
        harness.run();

        assertThat(reader.delivered()).hasSize(1_000).startsWith("plain text 0");
        assertThat(reader.writes() - before).isLessThan(10);
        assertThat(harness.count("parley.deliveries")).isEqualTo(1_000);
    }

    @Test
    void plainTextsThatWait_areDroppedAboveABound() {
        TestReader reader = harness.connectToLobby();
        String text = "x".repeat(10_000);

        for (int i = 0; i < 500; i++) {
            broker.publishPlainText(text);
        }
        harness.run();
        harness.publishPlainText("the next one");

        assertThat(reader.delivered())
                .hasSize(DeliveryLoop.MAX_WAITING_PLAIN / 10_200 + 1)
                .endsWith("plain the next one");
        assertThat(harness.count("parley.plain.late"))
                .isEqualTo(500 - (reader.delivered().size() - 1));
    }
}
