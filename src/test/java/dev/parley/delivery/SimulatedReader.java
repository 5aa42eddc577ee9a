package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.log.ScriptedBroker;
import dev.parley.message.EventId;
import dev.parley.message.StoredMessage;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A browser: it keeps its position over all its connections, and believes nothing. */
final class SimulatedReader {

    private final HubHarness harness;
    private Optional<TestReader> connected = Optional.empty();
    private Optional<EventId> position = Optional.empty();
    private int linesRead;
    private int gaps;

    /** What was under an id when this reader got it: no id has two texts. */
    private final Map<EventId, String> texts = new HashMap<>();

    SimulatedReader(HubHarness harness) {
        this.harness = harness;
    }

    void connect(StartPosition fresh) {
        if (connected.isEmpty()) {
            StartPosition start =
                    position.<StartPosition>map(StartPosition.After::new).orElse(fresh);
            connected = Optional.of(harness.join(start));
            linesRead = 0;
        }
    }

    void disconnect() {
        read();
        connected.ifPresent(TestReader::leave);
        connected = Optional.empty();
    }

    void stall() {
        connected.ifPresent(reader -> reader.connection().stall());
    }

    void drainOnce() {
        connected.ifPresent(reader -> reader.connection().drainOnce());
    }

    void drain() {
        connected.ifPresent(reader -> reader.connection().drain());
    }

    void comeBack() {
        read();
        connect(new StartPosition.Tail());
        harness.run();
        read();
    }

    /** Checks every line that is new. */
    void read() {
        if (connected.isEmpty()) {
            return;
        }
        List<String> lines = connected.get().lines();
        for (; linesRead < lines.size(); linesRead++) {
            take(lines, linesRead);
        }
        if (connected.get().connection().isEnded()) {
            connected = Optional.empty();
        }
    }

    /** How often it was told of a gap. */
    int gaps() {
        return gaps;
    }

    void assertUpToDate() {
        ScriptedBroker broker = harness.broker;
        assertThat(position).contains(broker.id(broker.newest()));
        for (StoredMessage retained : broker.log()) {
            String text = texts.get(retained.id());
            if (text != null) {
                assertThat(text).isEqualTo(retained.message().text());
            }
        }
    }

    private void take(List<String> lines, int index) {
        String[] words = lines.get(index).split(" ");
        switch (words[0]) {
            case "at" -> takePosition(lines, index, id(words[1]));
            case "resumed" -> assertThat(position).contains(id(words[1]));
            case "gap" -> takeGap(words);
            case "goodbye" -> assertThat(words[1]).isIn("slow-consumer", "unavailable");
            default -> takeMessage(id(words[0]), words[1]);
        }
    }

    /** A position is where the reader is already, or comes right before a gap. */
    private void takePosition(List<String> lines, int index, EventId told) {
        boolean gapFollows = index + 1 < lines.size() && lines.get(index + 1).startsWith("gap ");
        if (position.isPresent() && !gapFollows) {
            assertThat(told).isEqualTo(position.get());
        }
        if (gapFollows) {
            assertThat(lines.get(index + 1)).startsWith("gap " + position.orElseThrow() + " ");
        }
        position = Optional.of(told);
    }

    private void takeGap(String[] words) {
        gaps++;
        EventId newest = id(words[3]);
        assertThat(position).contains(new EventId(newest.epoch(), before(words[2], newest)));
    }

    private static long before(String oldest, EventId newest) {
        return oldest.equals("none") ? newest.offset() : id(oldest).offset() - 1;
    }

    private void takeMessage(EventId id, String text) {
        EventId at = position.orElseThrow();
        assertThat(id).isEqualTo(new EventId(at.epoch(), at.offset() + 1));
        assertThat(texts.merge(id, text, (former, latter) -> former)).isEqualTo(text);
        position = Optional.of(id);
    }

    private static EventId id(String written) {
        return EventId.parse(written).orElseThrow();
    }
}
