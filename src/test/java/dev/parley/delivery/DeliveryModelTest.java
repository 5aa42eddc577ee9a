package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.log.ScriptedBroker;
import dev.parley.message.EventId;
import dev.parley.message.Message.StoredMessage;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * Checks delivery against a plain list, the broker's log: after any series of events, each reader
 * has received the list's messages in order, each once; or it has received a gap, and then all that
 * is retained.
 */
class DeliveryModelTest {

    @Property
    void withoutLoss_everyReaderReceivesEverything_inOrder_once(
            @ForAll("withoutLoss") List<Event> events) {
        var simulation = new DeliverySimulation();

        events.forEach(simulation::apply);
        simulation.settle();

        assertThat(simulation.readers())
                .allSatisfy(DeliverySimulation.Reader::assertUpToDate)
                .allSatisfy(reader -> assertThat(reader.gaps()).isZero());
        assertThat(simulation.endedEpochs()).isEmpty();
    }

    @Property
    void withLoss_everyReaderReceivesAGap_andThenAllThatIsRetained(
            @ForAll("withLoss") List<Event> events) {
        var simulation = new DeliverySimulation();

        events.forEach(simulation::apply);
        simulation.settle();

        assertThat(simulation.readers()).allSatisfy(DeliverySimulation.Reader::assertUpToDate);
    }

    @Provide
    Arbitrary<List<Event>> withoutLoss() {
        return events(
                EnumSet.complementOf(
                        EnumSet.of(Kind.TRIM, Kind.TRIM_FEW, Kind.LOSE_NEWEST, Kind.LOSE_ALL)));
    }

    @Provide
    Arbitrary<List<Event>> withLoss() {
        return events(EnumSet.allOf(Kind.class));
    }

    private static Arbitrary<List<Event>> events(Set<Kind> kinds) {
        Arbitrary<Integer> numbers = Arbitraries.integers().between(0, 20);
        return Combinators.combine(Arbitraries.of(kinds), numbers)
                .as(Event::new)
                .list()
                .ofMinSize(20)
                .ofMaxSize(300);
    }

    /** What can happen. */
    enum Kind {
        PUBLISH,
        PUBLISH_UNDELIVERED,
        PUBLISH_OUT_OF_ORDER,
        REDELIVER,
        TRIM,
        TRIM_FEW,
        LOSE_NEWEST,
        LOSE_ALL,
        INTERRUPT,
        HOLD_ANSWERS,
        RELEASE_ONE_ANSWER,
        RELEASE_ANSWERS,
        CONNECT_AT_TAIL,
        CONNECT_AT_NEWEST,
        DISCONNECT,
        STALL,
        DRAIN_ONCE,
        DRAIN,
        RUN_ONE_TASK,
        RUN_ALL_TASKS,
        TICK,
        SETTLE
    }

    /**
     * Something that happens.
     *
     * @param number selects the reader that it happens to, or says how many messages it is about
     */
    record Event(Kind kind, int number) {}

    /**
     * A broker, a hub and four readers, to which events happen one after the other. After each
     * event every reader checks all lines that it has received.
     */
    private static final class DeliverySimulation {

        private static final int READERS = 4;

        private final HubHarness harness = new HubHarness();
        private final ScriptedBroker broker = harness.broker;
        private final List<Reader> readers =
                Stream.generate(() -> new Reader(harness)).limit(READERS).toList();

        /** Whether the broker lost messages and the pod has not subscribed again since. */
        private boolean unsubscribed;

        /** The last epoch that lost its newest messages; it is not trimmed. */
        private String damagedEpoch = "";

        void apply(Event event) {
            int number = event.number();
            Reader reader = readers.get(number % READERS);
            switch (event.kind()) {
                case PUBLISH -> publish(number);
                case PUBLISH_UNDELIVERED -> broker.storeUndelivered(number);
                case PUBLISH_OUT_OF_ORDER -> publishOutOfOrder();
                case REDELIVER -> redeliver(number);
                case TRIM -> trim(number * 5);
                case TRIM_FEW -> trim(number / 4);
                case LOSE_NEWEST -> loseNewest(1 + number / 4);
                case LOSE_ALL -> loseAll(number);
                case INTERRUPT -> interrupt();
                case HOLD_ANSWERS -> broker.holdAnswers();
                case RELEASE_ONE_ANSWER -> broker.releaseOneAnswer();
                case RELEASE_ANSWERS -> broker.releaseAnswers();
                case CONNECT_AT_TAIL -> reader.connect(new StartPosition.Tail());
                case CONNECT_AT_NEWEST -> reader.connect(new StartPosition.Newest(number + 1));
                case DISCONNECT -> reader.disconnect();
                case STALL -> reader.stall();
                case DRAIN_ONCE -> reader.drainOnce();
                case DRAIN -> reader.drain();
                case RUN_ONE_TASK -> harness.loop.runOne();
                case RUN_ALL_TASKS -> harness.run();
                case TICK -> harness.hub.tick(System.nanoTime());
                case SETTLE -> settle();
            }
            readers.forEach(Reader::checkNewLines);
        }

        /** Ends every fault, has every reader come back, and publishes three messages. */
        void settle() {
            broker.releaseAnswers();
            interrupt();
            harness.run();
            readers.forEach(Reader::drain);
            harness.run();
            readers.forEach(Reader::comeBack);
            harness.publish(3);
            readers.forEach(Reader::comeBack);
            harness.run();
        }

        List<Reader> readers() {
            return readers;
        }

        List<String> endedEpochs() {
            return broker.endedEpochs();
        }

        private void publish(int count) {
            if (unsubscribed) {
                broker.storeUndelivered(count);
            } else {
                broker.publish(count);
            }
        }

        private void publishOutOfOrder() {
            StoredMessage first = broker.store();
            StoredMessage second = broker.store();
            if (!unsubscribed) {
                broker.deliver(second);
                broker.deliver(first);
            }
        }

        private void redeliver(int count) {
            List<StoredMessage> log = broker.log();
            if (!unsubscribed) {
                log.subList(Math.max(0, log.size() - count), log.size()).forEach(broker::deliver);
            }
        }

        /** Trims, except in an epoch whose loss can only be seen by comparing old messages. */
        private void trim(int count) {
            if (!broker.epoch().equals(damagedEpoch)) {
                broker.trim(count);
            }
        }

        private void loseNewest(int count) {
            broker.loseNewest(count);
            damagedEpoch = broker.epoch();
            unsubscribed = true;
        }

        private void interrupt() {
            unsubscribed = false;
            broker.interrupt();
        }

        /** Loses all messages about one time in four, so that logs have time to grow. */
        private void loseAll(int number) {
            if (number > 15) {
                broker.loseAll();
            }
        }

        /**
         * A browser that keeps its position across connections. It fails when it receives a line
         * that does not continue from what it received before.
         */
        static final class Reader {

            private final HubHarness harness;
            private Optional<TestReader> connected = Optional.empty();
            private Optional<EventId> position = Optional.empty();

            /** The position that has to follow the last gap; empty if it has followed. */
            private Optional<EventId> afterGap = Optional.empty();

            private int linesChecked;
            private int gaps;

            /** The text of every id received: an id never has two texts. */
            private final Map<EventId, String> texts = new HashMap<>();

            Reader(HubHarness harness) {
                this.harness = harness;
            }

            /** Connects unless it is connected, at its position if it has one. */
            void connect(StartPosition withoutPosition) {
                if (connected.isEmpty()) {
                    StartPosition start =
                            position.<StartPosition>map(StartPosition.After::new)
                                    .orElse(withoutPosition);
                    connected = Optional.of(harness.connectWithoutRunning(start));
                    linesChecked = 0;
                }
            }

            void disconnect() {
                checkNewLines();
                connected.ifPresent(TestReader::disconnect);
                connected = Optional.empty();
            }

            void stall() {
                connected.ifPresent(TestReader::stall);
            }

            void drainOnce() {
                connected.ifPresent(TestReader::drainOnce);
            }

            void drain() {
                connected.ifPresent(TestReader::drain);
            }

            /** Connects again if the server has ended its stream. */
            void comeBack() {
                checkNewLines();
                connect(new StartPosition.Tail());
                harness.run();
                checkNewLines();
            }

            void checkNewLines() {
                if (connected.isEmpty()) {
                    return;
                }
                List<String> lines = connected.get().lines();
                for (; linesChecked < lines.size(); linesChecked++) {
                    check(lines, linesChecked);
                }
                if (connected.get().connection().isEnded()) {
                    connected = Optional.empty();
                }
            }

            /** Returns how many gaps it has received. */
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

            private void check(List<String> lines, int index) {
                String[] words = lines.get(index).split(" ");
                switch (words[0]) {
                    case "at" -> checkPosition(id(words[1]));
                    case "resumed" -> assertThat(position).contains(id(words[1]));
                    case "gap" -> checkGap(words);
                    case "goodbye" -> assertThat(words[1]).isIn("slow-consumer", "unavailable");
                    default -> checkMessage(id(words[0]), words[1]);
                }
            }

            /** A position is the reader's own, or after a gap the one before the oldest message. */
            private void checkPosition(EventId received) {
                Optional<EventId> expected = afterGap.or(() -> position);
                if (expected.isPresent()) {
                    assertThat(received).isEqualTo(expected.get());
                }
                afterGap = Optional.empty();
                position = Optional.of(received);
            }

            /**
             * A gap names the reader's own position, which it keeps until it is given the next, and
             * leaves out nothing that is retained.
             */
            private void checkGap(String[] words) {
                gaps++;
                assertThat(words[1]).isEqualTo(position.orElseThrow().toString());
                EventId newest = id(words[3]);
                var next = new EventId(newest.epoch(), before(words[2], newest));
                if (next.epoch().equals(harness.broker.epoch())) {
                    assertThat(next.offset()).isLessThan(harness.broker.oldest());
                }
                afterGap = Optional.of(next);
            }

            private static long before(String oldest, EventId newest) {
                return oldest.equals("none") ? newest.offset() : id(oldest).offset() - 1;
            }

            private void checkMessage(EventId id, String text) {
                EventId at = position.orElseThrow();
                assertThat(id).isEqualTo(new EventId(at.epoch(), at.offset() + 1));
                assertThat(texts.merge(id, text, (former, latter) -> former)).isEqualTo(text);
                position = Optional.of(id);
            }

            private static EventId id(String written) {
                return EventId.parse(written).orElseThrow();
            }
        }
    }
}
