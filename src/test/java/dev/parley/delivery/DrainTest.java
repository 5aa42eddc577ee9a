package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** How a pod that is about to end refuses and ends streams. */
class DrainTest {

    private final HubHarness harness = new HubHarness();

    @Test
    void newStreams_areRefused_andOpenOnesContinue() {
        TestReader before = harness.connectAtTail();

        harness.hub.refuseStreams();
        TestReader refused = harness.connectAndPublish(1);

        assertThat(refused.lines()).containsExactly("goodbye drain");
        assertThat(before.delivered()).hasSize(1);
    }

    @Test
    void streams_areEndedInParts_roundedUp() {
        List<TestReader> readers = Stream.generate(harness::connectAtTail).limit(5).toList();

        end(2);
        assertThat(ended(readers)).isEqualTo(3);

        end(2);
        assertThat(ended(readers)).isEqualTo(4);

        end(1);

        assertThat(readers)
                .allSatisfy(reader -> assertThat(reader.lines()).last().isEqualTo("goodbye drain"));
        assertThat(harness.hub.streams()).isZero();
    }

    @Test
    void stalledStream_isCut_whenStreamsAreEnded() {
        TestReader stalled = harness.connectAtTail();
        harness.stall(stalled);

        end(1);

        assertThat(stalled.connection().isAborted()).isTrue();
        assertThat(harness.count("parley.disconnects", "reason", "drain")).isOne();
    }

    private void end(int parts) {
        harness.hub.endStreams(parts);
        harness.run();
    }

    private static long ended(List<TestReader> readers) {
        return readers.stream().filter(reader -> reader.connection().isEnded()).count();
    }
}
