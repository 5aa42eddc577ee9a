package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.SubscribeRequest.RoomStart;
import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.log.ScriptedBroker;
import dev.parley.message.EventId;
import dev.parley.message.Message.StoredMessage;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
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
import net.jqwik.api.constraints.IntRange;

/**
 * Checks delivery against a plain list, the broker's log: after any series of events, each client
 * has received the list's messages in order, each once; or it has received a gap, and then all that
 * is retained.
 */
class DeliveryModelTest {

    @Property
    void withoutLoss_everyClientReceivesEverything_inOrder_once(
            @ForAll("withoutLoss") List<Event> events) {
        var simulation = new DeliverySimulation();

        events.forEach(simulation::apply);
        simulation.settle();

        assertThat(simulation.clients())
                .allSatisfy(DeliverySimulation.Client::assertUpToDate)
                .allSatisfy(client -> assertThat(client.gaps()).isZero())
                .allSatisfy(
                        client -> assertThat(client.goodbyes()).doesNotContain("slow-consumer"));
        if (events.stream().noneMatch(event -> event.kind() == Kind.HOLD_ANSWERS)) {
            assertThat(simulation.clients()).allMatch(client -> client.goodbyes().isEmpty());
        }
        assertThat(simulation.endedEpochs()).isEmpty();
    }

    @Property
    void withLoss_everyClientReceivesAGap_andThenAllThatIsRetained(
            @ForAll("withLoss") List<Event> events) {
        var simulation = new DeliverySimulation();

        events.forEach(simulation::apply);
        simulation.settle();

        assertThat(simulation.clients()).allSatisfy(DeliverySimulation.Client::assertUpToDate);
    }

    /** The room's history is shorter than what the pod's log has. */
    @Property
    void withAShortHistory_everyClientReceivesAGap_andThenAllThatIsRetained(
            @ForAll("withLoss") List<Event> events, @ForAll @IntRange(min = 1, max = 6) int size) {
        var simulation = DeliverySimulation.withHistory(size);

        events.forEach(simulation::apply);
        simulation.settle();

        assertThat(simulation.clients()).allSatisfy(DeliverySimulation.Client::assertUpToDate);
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
     * @param number selects the client that it happens to, or says how many messages it is about
     */
    record Event(Kind kind, int number) {}

    /**
     * A broker, a hub and four clients, to which events happen one after the other. After each
     * event every client checks all lines that it has received.
     */
    private static final class DeliverySimulation {

        private static final int CLIENTS = 4;

        private final HubHarness harness = new HubHarness();
        private final ScriptedBroker broker = harness.broker;
        private final List<Client> clients =
                Stream.generate(() -> new Client(harness)).limit(CLIENTS).toList();

        /** Whether the broker lost messages and the pod has not subscribed again since. */
        private boolean unsubscribed;

        /** The last epoch that lost its newest messages; it is not trimmed. */
        private String damagedEpoch = "";

        /** How many messages the broker keeps, beside what events trim. */
        private int size = Integer.MAX_VALUE;

        /** Makes a simulation whose broker keeps few messages. */
        static DeliverySimulation withHistory(int size) {
            var simulation = new DeliverySimulation();
            simulation.size = size;
            simulation.broker.keep(size, 1 << 20);
            return simulation;
        }

        void apply(Event event) {
            int number = event.number();
            Client client = clients.get(number % CLIENTS);
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
                case CONNECT_AT_TAIL -> client.connect(new StartPosition.Tail());
                case CONNECT_AT_NEWEST -> client.connect(new StartPosition.Newest(number + 1));
                case DISCONNECT -> client.disconnect();
                case STALL -> client.stall();
                case DRAIN_ONCE -> client.drainOnce();
                case DRAIN -> client.drain();
                case RUN_ONE_TASK -> harness.loop.runOne();
                case RUN_ALL_TASKS -> harness.run();
                case TICK -> harness.hub.tick(System.nanoTime());
                case SETTLE -> settle();
            }
            trim(Math.max(0, broker.log().size() - size));
            clients.forEach(Client::checkNewLines);
        }

        /** Ends every fault, has every client come back, and publishes three messages. */
        void settle() {
            broker.releaseAnswers();
            interrupt();
            harness.run();
            clients.forEach(Client::drain);
            harness.run();
            clients.forEach(Client::comeBack);
            harness.publish(3);
            clients.forEach(Client::comeBack);
            harness.run();
        }

        List<Client> clients() {
            return clients;
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

        /** A client that reads the room. */
        static final class Client extends ModelClient {

            private Optional<EventId> position = Optional.empty();

            /** The position that has to follow the last gap; empty if it has followed. */
            private Optional<EventId> afterGap = Optional.empty();

            /** The text of every id received: an id never has two texts. */
            private final Map<EventId, String> texts = new HashMap<>();

            /** Why the server has ended its streams. */
            private final Set<String> goodbyes = new HashSet<>();

            Client(HubHarness harness) {
                super(harness);
            }

            Set<String> goodbyes() {
                return goodbyes;
            }

            @Override
            void connect() {
                connect(new StartPosition.Tail());
            }

            /** Connects unless it is connected, at its position if it has one. */
            void connect(StartPosition withoutPosition) {
                StartPosition start =
                        position.<StartPosition>map(StartPosition.After::new)
                                .orElse(withoutPosition);
                connect(() -> List.of(new RoomStart(ScriptedBroker.ROOM, start)));
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

            @Override
            void check(String[] words) {
                switch (words[0]) {
                    case "at" -> checkPosition(id(words[1]));
                    case "resumed" -> assertThat(position).contains(id(words[1]));
                    case "gap" -> checkGap(words[1], words[2], words[3]);
                    case "goodbye" -> {
                        assertThat(words[1]).isIn("slow-consumer", "unavailable");
                        goodbyes.add(words[1]);
                    }
                    default -> checkMessage(id(words[0]), words[1]);
                }
            }

            /** A position is the client's, or after a gap the one before the oldest message. */
            private void checkPosition(EventId received) {
                Optional<EventId> expected = afterGap.or(() -> position);
                if (expected.isPresent()) {
                    assertThat(received).isEqualTo(expected.get());
                }
                afterGap = Optional.empty();
                position = Optional.of(received);
            }

            /**
             * A gap names the client's position, which it keeps until it receives the next, and
             * leaves out nothing that is retained.
             */
            private void checkGap(String requested, String oldest, String newest) {
                assertThat(requested).isEqualTo(position.orElseThrow().toString());
                afterGap = Optional.of(onGap(harness.broker, oldest, newest));
            }

            private void checkMessage(EventId id, String text) {
                EventId at = position.orElseThrow();
                assertThat(id).isEqualTo(new EventId(at.epoch(), at.offset() + 1));
                assertThat(texts.merge(id, text, (former, latter) -> former)).isEqualTo(text);
                position = Optional.of(id);
            }
        }
    }
}
