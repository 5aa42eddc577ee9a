package dev.parley.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** How a pod that is about to end gets rid of its readers. */
class DrainTest {

    private final Scene scene = new Scene();

    @Test
    void newStreams_areRefused_andThoseBeforeThemGoOn() {
        TestReader before = scene.connectAtTail();

        scene.hub.refuseStreams();
        TestReader refused = scene.connectAtTail();
        scene.say(1);

        assertThat(refused.lines()).containsExactly("goodbye drain");
        assertThat(before.delivered()).hasSize(1);
    }

    @Test
    void streams_areEndedInParts_roundedUp() {
        List<TestReader> readers = connect(5);

        end(2);
        assertThat(ended(readers)).isEqualTo(3);
        end(2);
        assertThat(ended(readers)).isEqualTo(4);
        end(1);

        assertThat(readers)
                .allSatisfy(reader -> assertThat(reader.lines()).last().isEqualTo("goodbye drain"));
        assertThat(scene.hub.streams()).isZero();
    }

    @Test
    void streams_endedInRounds_goInEvenParts() {
        List<TestReader> readers = connect(30);

        for (int rounds = 6; rounds > 0; rounds--) {
            end(rounds);

            assertThat(ended(readers)).isEqualTo(30 - (rounds - 1) * 5);
        }
        assertThat(scene.hub.streams()).isZero();
    }

    @Test
    void partOfTheStreams_isOneOfThoseThatAreStillThere() {
        List<TestReader> readers = connect(4);
        readers.subList(2, 4).forEach(TestReader::leave);

        end(2);

        assertThat(ended(readers)).isOne();
    }

    @Test
    void stalledStream_isCut_whenStreamsAreEnded() {
        TestReader stalled = scene.connectAtTail();
        scene.stall(stalled);

        end(1);

        assertThat(stalled.connection().isAborted()).isTrue();
        assertThat(scene.count("parley.disconnects", "reason", "drain")).isOne();
    }

    private List<TestReader> connect(int count) {
        return Stream.generate(scene::connectAtTail).limit(count).toList();
    }

    private void end(int parts) {
        scene.hub.endStreams(parts);
        scene.run();
    }

    private static long ended(List<TestReader> readers) {
        return readers.stream().filter(reader -> reader.connection().isEnded()).count();
    }
}
