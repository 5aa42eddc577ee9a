package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Text without an id, by somebody outside Parley: for the lobby, and for this moment. */
class PlainTextTest {

    private final Scene scene = new Scene();
    private final ScriptedBroker broker = scene.broker;

    @Test
    void plainText_reachesWhoeverIsInTheLobby() {
        TestReader reader = scene.connectToLobby();

        broker.sayPlain("hello");
        broker.sayPlain("");
        scene.run();

        assertThat(reader.delivered()).containsExactly("plain hello");
        assertThat(scene.count("parley.deliveries")).isOne();
        assertThat(scene.count("parley.delivered.bytes")).isEqualTo("plain hello\n".length());
    }

    @Test
    void plainText_isNotForReadersOfOtherRooms() {
        TestReader reader = scene.connectAtTail();

        broker.sayPlain("hello");
        scene.run();

        assertThat(reader.delivered()).isEmpty();
    }

    @Test
    void plainText_isNotKeptForAStalledReader() {
        TestReader reader = scene.connectToLobby();
        reader.connection().stall();

        broker.sayPlain("one");
        broker.sayPlain("two");
        scene.run();
        scene.drain(reader);

        assertThat(reader.delivered()).containsExactly("plain one");
    }

    @Test
    void plainText_isNotForReadersThatHaveNoPlaceYet() {
        broker.hold();
        TestReader reader = scene.connectToLobby();

        broker.sayPlain("hello");
        scene.run();
        scene.release();

        assertThat(reader.delivered()).isEmpty();
    }
}
