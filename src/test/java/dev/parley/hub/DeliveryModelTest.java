package dev.parley.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.hub.Scene.Reader;
import dev.parley.message.EventId;
import dev.parley.message.StoredMessage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * The promise itself, against a plain list: whatever happens between the broker and the readers,
 * each of them gets the list's messages in order, once; or it is told of a gap, and then gets all
 * that is retained.
 */
class DeliveryModelTest {

    private static final int READERS = 4;

    /** Something that happens; the number means something to some of them. */
    private enum Kind {
        SAY,
        SAY_UNHEARD,
        SAY_OUT_OF_ORDER,
        REPEAT,
        TRIM,
        TRIM_SHORT,
        LOSE_NEWEST,
        LOSE_ALL,
        REJOIN,
        HOLD,
        ANSWER,
        RELEASE,
        CONNECT,
        CONNECT_NEWEST,
        DISCONNECT,
        STALL,
        DRAIN_ONCE,
        DRAIN,
        STEP,
        RUN,
        TICK
    }

    record Happening(Kind kind, int number) {}

    @Provide
    Arbitrary<List<Happening>> withoutLoss() {
        return happenings(List.of(Kind.TRIM_SHORT, Kind.LOSE_NEWEST, Kind.LOSE_ALL, Kind.TRIM));
    }

    @Provide
    Arbitrary<List<Happening>> withLoss() {
        return happenings(List.of());
    }

    private static Arbitrary<List<Happening>> happenings(List<Kind> without) {
        List<Kind> kinds = new ArrayList<>(List.of(Kind.values()));
        kinds.removeAll(without);
        Arbitrary<Happening> one =
                Arbitraries.of(kinds)
                        .flatMap(
                                kind ->
                                        Arbitraries.integers()
                                                .between(0, 20)
                                                .map(number -> new Happening(kind, number)));
        return one.list().ofMinSize(20).ofMaxSize(120);
    }

    @Property
    void withinTheHistory_everyReaderGetsEverything_inOrder_once(
            @ForAll("withoutLoss") List<Happening> happenings) {
        var play = new Play();

        happenings.forEach(play::happen);
        play.comeToRest();

        play.readers.forEach(ReaderModel::assertUpToDate);
        assertThat(play.readers).allSatisfy(reader -> assertThat(reader.gaps).isZero());
        assertThat(play.scene.broker.endedEpochs()).isEmpty();
    }

    @Property
    void beyondTheHistory_everyReaderIsTold_andGetsAllThatIsLeft(
            @ForAll("withLoss") List<Happening> happenings) {
        var play = new Play();

        happenings.forEach(play::happen);
        play.comeToRest();

        play.readers.forEach(ReaderModel::assertUpToDate);
    }

    private static final class Play {

        final Scene scene = new Scene();
        final ScriptedBroker broker = scene.broker;
        final List<ReaderModel> readers = new ArrayList<>();
        private boolean deaf;
        private String epochThatLost = "";

        Play() {
            for (int i = 0; i < READERS; i++) {
                readers.add(new ReaderModel(scene));
            }
        }

        void happen(Happening happening) {
            int number = happening.number();
            ReaderModel reader = readers.get(number % READERS);
            switch (happening.kind()) {
                case SAY -> say(number);
                case SAY_UNHEARD -> broker.drop(number);
                case SAY_OUT_OF_ORDER -> sayOutOfOrder();
                case REPEAT -> repeat(number);
                case TRIM -> trim(number * 5);
                case TRIM_SHORT -> trim(number / 4);
                case LOSE_NEWEST -> loseNewest(1 + number / 4);
                case LOSE_ALL -> loseAll(number);
                case REJOIN -> rejoin();
                case HOLD -> broker.hold();
                case ANSWER -> broker.answer();
                case RELEASE -> broker.release();
                case CONNECT -> reader.connect(new Start.Tail());
                case CONNECT_NEWEST -> reader.connect(new Start.Newest(number + 1));
                case DISCONNECT -> reader.disconnect();
                case STALL -> reader.stall();
                case DRAIN_ONCE -> reader.drainOnce();
                case DRAIN -> reader.drain();
                case STEP -> scene.loop.step();
                case RUN -> scene.run();
                case TICK -> scene.hub.tick();
            }
            readers.forEach(ReaderModel::read);
        }

        private void say(int number) {
            if (deaf) {
                broker.drop(number);
            } else {
                broker.say(number);
            }
        }

        private void sayOutOfOrder() {
            StoredMessage first = broker.store();
            StoredMessage second = broker.store();
            if (!deaf) {
                broker.deliver(second);
                broker.deliver(first);
            }
        }

        private void repeat(int number) {
            List<StoredMessage> log = broker.log();
            if (!deaf) {
                log.subList(Math.max(0, log.size() - number), log.size()).forEach(broker::deliver);
            }
        }

        /** Not the messages by which a loss can be seen. */
        private void trim(int number) {
            if (!broker.epoch().equals(epochThatLost)) {
                broker.trim(number);
            }
        }

        /** A broker that was replaced is heard only after it was joined. */
        private void loseNewest(int number) {
            broker.lose(number);
            epochThatLost = broker.epoch();
            deaf = true;
        }

        private void rejoin() {
            deaf = false;
            broker.rejoin();
        }

        /** Rarely: there is little to see in a log that has no time to grow. */
        private void loseAll(int number) {
            if (number > 15) {
                broker.loseAll();
            }
        }

        /** Every fault ends, every reader comes back, delivery restarts, and some are said. */
        void comeToRest() {
            broker.release();
            rejoin();
            scene.run();
            readers.forEach(ReaderModel::drain);
            scene.run();
            readers.forEach(ReaderModel::comeBack);
            scene.say(3);
            readers.forEach(ReaderModel::comeBack);
            scene.run();
        }
    }

    /** A browser: it keeps its position over all its connections, and believes nothing. */
    private static final class ReaderModel {

        private final Scene scene;
        private Optional<Reader> connected = Optional.empty();
        private Optional<EventId> position = Optional.empty();
        private int linesRead;
        private int gaps;

        /** What was under an id when this reader got it: no id has two texts. */
        private final Map<EventId, String> texts = new HashMap<>();

        ReaderModel(Scene scene) {
            this.scene = scene;
        }

        void connect(Start fresh) {
            if (connected.isEmpty()) {
                Start start = position.<Start>map(Start.After::new).orElse(fresh);
                connected = Optional.of(scene.join(start, new TestConnection()));
                linesRead = 0;
            }
        }

        void disconnect() {
            read();
            connected.ifPresent(reader -> reader.subscription().cancel());
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
            connect(new Start.Tail());
            scene.run();
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
            boolean gapFollows =
                    index + 1 < lines.size() && lines.get(index + 1).startsWith("gap ");
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

        void assertUpToDate() {
            ScriptedBroker broker = scene.broker;
            assertThat(position).contains(broker.id(broker.newest()));
            for (StoredMessage retained : broker.log()) {
                String text = texts.get(retained.id());
                if (text != null) {
                    assertThat(text).isEqualTo(retained.message().text());
                }
            }
        }

        private static EventId id(String written) {
            return EventId.parse(written).orElseThrow();
        }
    }
}
