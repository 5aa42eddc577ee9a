package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A connection that got a goodbye at once is ended a moment later. */
class HeldConnectionsTest {

    private static final byte[] GOODBYE = "goodbye\n".getBytes(StandardCharsets.UTF_8);

    private final Hub.HeldConnections held = new Hub.HeldConnections();
    private final Loop loop = new Loop();
    private final TestConnection connection = new TestConnection();

    @Test
    void connection_getsTheGoodbyeAtOnce_andItsEndLater() {
        held.end(GOODBYE, connection, loop);

        assertThat(connection.lines()).containsExactly("goodbye");
        assertThat(connection.isEnded()).isFalse();
        assertThat(loop.pauses.get(0)).isBetween(Duration.ofMillis(500), Duration.ofMillis(1500));

        loop.runLater();

        assertThat(connection.isEnded()).isTrue();
        assertThat(connection.lines()).containsExactly("goodbye");
    }

    @Test
    void connection_thatIsGoneBefore_isNotEnded() {
        held.end(GOODBYE, connection, loop).run();

        loop.runLater();

        assertThat(connection.isEnded()).isFalse();
    }

    @Test
    void connection_whoseClientTakesNothing_isCut() {
        connection.stall();
        connection.write("position\n".getBytes(StandardCharsets.UTF_8));

        held.end(GOODBYE, connection, loop).run();

        assertThat(connection.isAborted()).isTrue();
        assertThat(connection.writes()).isEqualTo(1);
        assertThat(loop.pauses).isEmpty();
    }

    @Test
    void connectionsAboveTheBound_endAtOnce_andThereIsRoomWhenOthersHaveEnded() {
        IntStream.range(0, Hub.HeldConnections.MAX)
                .forEach(i -> held.end(GOODBYE, new TestConnection(), loop));

        held.end(GOODBYE, connection, loop);
        assertThat(connection.isEnded()).isTrue();
        assertThat(connection.lines()).containsExactly("goodbye");

        loop.runLater();
        var next = new TestConnection();
        held.end(GOODBYE, next, loop);
        assertThat(next.isEnded()).isFalse();
    }

    @Test
    void connections_endAtOnceWhenThePodEnds_andNotASecondTime() {
        held.end(GOODBYE, connection, loop);

        held.endAll();
        assertThat(connection.isEnded()).isTrue();

        loop.runLater();
    }

    @Test
    void connection_thatComesWhenThePodEnds_isNotHeld() {
        held.endAll();

        held.end(GOODBYE, connection, loop);

        assertThat(connection.lines()).containsExactly("goodbye");
        assertThat(connection.isEnded()).isTrue();
    }

    /** Runs at once what is not put off. */
    private static final class Loop implements EventLoop {

        private final List<Duration> pauses = new ArrayList<>();
        private final List<Runnable> later = new ArrayList<>();

        @Override
        public void execute(Runnable action) {
            action.run();
        }

        @Override
        public void executeLater(Runnable action, Duration pause) {
            pauses.add(pause);
            later.add(action);
        }

        void runLater() {
            List<Runnable> due = List.copyOf(later);
            later.clear();
            due.forEach(Runnable::run);
        }
    }
}
