package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.SubscribeRequest.RoomStart;
import dev.parley.log.ScriptedBroker;
import dev.parley.message.EventId;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A client that keeps its position across connections, as a browser does. It fails when it receives
 * a line that does not follow from what it received before.
 */
abstract class ModelClient {

    final HubHarness harness;
    private Optional<TestReader> connected = Optional.empty();

    /** How many lines of the present connection it has checked. */
    private int linesChecked;

    private int gaps;

    ModelClient(HubHarness harness) {
        this.harness = harness;
    }

    /** Connects, unless it is connected, as it does when the server has ended its stream. */
    abstract void connect();

    /** Checks a line that it has received, and keeps the position in it. */
    abstract void check(String[] words);

    /** Connects unless it is connected; only then it asks where to start. */
    final void connect(Supplier<List<RoomStart>> start) {
        if (connected.isEmpty()) {
            connected = Optional.of(harness.connectWithoutRunning(start.get()));
            linesChecked = 0;
        }
    }

    final void disconnect() {
        checkNewLines();
        connected.ifPresent(TestReader::disconnect);
        connected = Optional.empty();
    }

    final void stall() {
        connected.ifPresent(TestReader::stall);
    }

    final void drainOnce() {
        connected.ifPresent(TestReader::drainOnce);
    }

    final void drain() {
        connected.ifPresent(TestReader::drain);
    }

    /** Connects again if the server has ended or cut its stream. */
    final void comeBack() {
        checkNewLines();
        connect();
        harness.run();
        checkNewLines();
    }

    final void checkNewLines() {
        if (connected.isEmpty()) {
            return;
        }
        List<String> lines = connected.get().lines();
        for (; linesChecked < lines.size(); linesChecked++) {
            check(lines.get(linesChecked).split(" "));
        }
        if (connected.get().connection().isClosed()) {
            // A defect cuts the stream, and the client would get what it lacks when it comes back.
            assertThat(harness.count("parley.disconnects", "reason", "error")).isZero();
            connected = Optional.empty();
        }
    }

    /** Returns how many gaps it has received. */
    final int gaps() {
        return gaps;
    }

    /**
     * Counts a gap, and checks that it leaves out nothing that is retained.
     *
     * @return the position that has to follow it
     */
    final EventId onGap(ScriptedBroker broker, String oldest, String newest) {
        gaps++;
        EventId last = id(newest);
        long before = oldest.equals("none") ? last.offset() : id(oldest).offset() - 1;
        if (last.epoch().equals(broker.epoch())) {
            assertThat(before).isLessThan(broker.oldest());
        }
        return new EventId(last.epoch(), before);
    }

    static EventId id(String written) {
        return EventId.parse(written).orElseThrow();
    }
}
