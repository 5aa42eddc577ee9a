package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.log.ScriptedBroker;
import org.junit.jupiter.api.Test;

/** Text without an id, by somebody outside Parley: for the lobby, and for this moment. */
class PlainTextTest {

    private final HubHarness harness = new HubHarness();
    private final ScriptedBroker broker = harness.broker;

    @Test
    void plainText_reachesWhoeverIsInTheLobby() {
        TestReader reader = harness.connectToLobby();

        broker.sayPlain("hello");
        broker.sayPlain("");
        harness.run();

        assertThat(reader.delivered()).containsExactly("plain hello");
        assertThat(harness.count("parley.deliveries")).isOne();
        assertThat(harness.count("parley.delivered.bytes")).isEqualTo("plain hello\n".length());
    }

    @Test
    void plainText_isNotForReadersOfOtherRooms() {
        TestReader reader = harness.connectAtTail();

        broker.sayPlain("hello");
        harness.run();

        assertThat(reader.delivered()).isEmpty();
    }

    @Test
    void plainText_isNotKeptForAStalledReader() {
        TestReader reader = harness.connectToLobby();
        reader.connection().stall();

        broker.sayPlain("one");
        broker.sayPlain("two");
        harness.run();
        harness.drain(reader);

        assertThat(reader.delivered()).containsExactly("plain one");
    }

    @Test
    void plainText_isNotForReadersThatHaveNoPlaceYet() {
        broker.hold();
        TestReader reader = harness.connectToLobby();

        broker.sayPlain("hello");
        harness.run();
        harness.release();

        assertThat(reader.delivered()).isEmpty();
    }
}
