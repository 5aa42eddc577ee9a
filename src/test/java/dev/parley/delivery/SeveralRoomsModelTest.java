package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.SubscribeRequest.RoomStart;
import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.log.ScriptedBroker;
import dev.parley.message.EventId;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import dev.parley.message.StreamPosition;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * Checks streams of several rooms against the rooms' lists, the brokers' logs. A client keeps one
 * id only, that of the last block that it received, and each of its connections reads any of the
 * rooms. After any series of events it has received, for each room that it has read without a
 * pause, the room's messages in order, each once; or a gap, and then all that is retained.
 */
class SeveralRoomsModelTest {

    private static final List<String> ROOMS = List.of("a", "b", "c");

    @Property
    void withoutLoss_everyClientReceivesEverything_inOrder_once(
            @ForAll("withoutLoss") List<Event> events) {
        var simulation = new Simulation();

        events.forEach(simulation::apply);
        simulation.settle();

        assertThat(simulation.clients)
                .allSatisfy(Client::assertUpToDate)
                .allSatisfy(client -> assertThat(client.gaps()).isZero());
    }

    @Property
    void withLoss_everyClientReceivesAGap_andThenAllThatIsRetained(
            @ForAll("withLoss") List<Event> events) {
        var simulation = new Simulation();

        events.forEach(simulation::apply);
        simulation.settle();

        assertThat(simulation.clients).allSatisfy(Client::assertUpToDate);
    }

    @Provide
    Arbitrary<List<Event>> withoutLoss() {
        return events(EnumSet.complementOf(EnumSet.of(Kind.TRIM, Kind.LOSE_ALL)));
    }

    @Provide
    Arbitrary<List<Event>> withLoss() {
        return events(EnumSet.allOf(Kind.class));
    }

    private static Arbitrary<List<Event>> events(Set<Kind> kinds) {
        Arbitrary<Integer> numbers = Arbitraries.integers().between(0, 20);
        return Combinators.combine(Arbitraries.of(kinds), Arbitraries.of(ROOMS), numbers)
                .as(Event::new)
                .list()
                .ofMinSize(20)
                .ofMaxSize(300);
    }

    /** What can happen. */
    enum Kind {
        PUBLISH,
        PUBLISH_UNDELIVERED,
        TRIM,
        LOSE_ALL,
        INTERRUPT,
        HOLD_ANSWERS,
        RELEASE_ONE_ANSWER,
        RELEASE_ANSWERS,
        GO_DOWN,
        COME_UP,
        CONNECT,
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
     * @param room the room that it happens to, if it is a room
     * @param number selects the client that it happens to, the rooms that a client reads, or says
     *     how many messages it is about
     */
    record Event(Kind kind, String room, int number) {}

    /** Three brokers of a room each, a hub and three clients. */
    private static final class Simulation {

        private final HubHarness harness = new HubHarness();
        private final List<ScriptedBroker> brokers = ROOMS.stream().map(harness::broker).toList();
        private final List<Client> clients =
                Stream.generate(() -> new Client(harness)).limit(3).toList();

        void apply(Event event) {
            int number = event.number();
            ScriptedBroker broker = harness.broker(event.room());
            Client client = clients.get(number % clients.size());
            switch (event.kind()) {
                case PUBLISH -> broker.publish(number);
                case PUBLISH_UNDELIVERED -> broker.storeUndelivered(number);
                case TRIM -> broker.trim(number * 5);
                case LOSE_ALL -> broker.loseAll();
                case INTERRUPT -> broker.interrupt();
                case HOLD_ANSWERS -> broker.holdAnswers();
                case RELEASE_ONE_ANSWER -> broker.releaseOneAnswer();
                case RELEASE_ANSWERS -> broker.releaseAnswers();
                case GO_DOWN -> broker.goDown();
                case COME_UP -> broker.comeUp();
                case CONNECT -> client.connect(1 + number % 7);
                case DISCONNECT -> client.disconnect();
                case STALL -> client.stall();
                case DRAIN_ONCE -> client.drainOnce();
                case DRAIN -> client.drain();
                case RUN_ONE_TASK -> harness.loop.runOne();
                case RUN_ALL_TASKS -> harness.run();
                case TICK -> harness.hub.tick(System.nanoTime());
                case SETTLE -> settle();
            }
            clients.forEach(Client::checkNewLines);
        }

        /** Ends every fault, has every client come back, and publishes messages in each room. */
        void settle() {
            brokers.forEach(ScriptedBroker::comeUp);
            brokers.forEach(ScriptedBroker::releaseAnswers);
            brokers.forEach(ScriptedBroker::interrupt);
            harness.run();
            clients.forEach(Client::drain);
            harness.run();
            // A room that could not be served is tried again a second later; this is sooner.
            clients.forEach(Client::disconnect);
            clients.forEach(Client::comeBack);
            ROOMS.forEach(room -> harness.publish(room, 3));
            clients.forEach(Client::comeBack);
            harness.run();
            clients.forEach(Client::checkNewLines);
        }
    }

    /** A client that keeps one id for all rooms. */
    private static final class Client extends ModelClient {

        private static final int ALL = 7;

        /** The last id: for each room that was read, the position there. */
        private SortedMap<String, String> id = new TreeMap<>();

        /** The rooms that the present connection reads. */
        private List<String> read = List.of();

        /** The position that has to follow a gap in its room; empty if it has followed. */
        private final Map<String, String> afterGap = new HashMap<>();

        private final Map<String, String> texts = new HashMap<>();

        Client(HubHarness harness) {
            super(harness);
        }

        @Override
        void connect() {
            connect(ALL);
        }

        /**
         * Connects unless it is connected.
         *
         * @param rooms a bit for each room to read
         */
        void connect(int rooms) {
            connect(
                    () -> {
                        read =
                                ROOMS.stream()
                                        .filter(room -> (rooms >> ROOMS.indexOf(room) & 1) == 1)
                                        .toList();
                        if (read.size() < 2) {
                            read = ROOMS;
                        }
                        id.keySet().retainAll(read);
                        afterGap.clear();
                        return read.stream().map(this::start).toList();
                    });
        }

        void assertUpToDate() {
            for (String room : ROOMS) {
                ScriptedBroker broker = harness.broker(room);
                assertThat(id.get(room)).isEqualTo(broker.id(broker.newest()).toString());
                for (StoredMessage retained : broker.log()) {
                    String text = texts.get(room + retained.id());
                    if (text != null) {
                        assertThat(text).isEqualTo(retained.message().text());
                    }
                }
            }
        }

        private RoomStart start(String room) {
            String position = id.get(room);
            return new RoomStart(
                    new Room(room),
                    position == null
                            ? new StartPosition.Tail()
                            : new StartPosition.After(id(position)));
        }

        @Override
        void check(String[] words) {
            switch (words[0]) {
                case "at" -> checkPosition(words[1]);
                case "resumed" -> assertThat(id.values()).contains(words[1]);
                case "gap" -> checkGap(words[1], words[2], words[3], words[5]);
                case "goodbye" -> assertThat(words[1]).isIn("slow-consumer", "unavailable");
                default -> checkMessage(words[0], words[1]);
            }
        }

        /**
         * A gap names the client's position in the room, and leaves out nothing that is retained.
         * The client may have no position: the room was lost before the position in all rooms was
         * written.
         */
        private void checkGap(String requested, String oldest, String newest, String room) {
            String known = id.get(room);
            if (known != null) {
                assertThat(requested).isEqualTo(known);
            }
            afterGap.put(room, onGap(harness.broker(room), oldest, newest).toString());
        }

        /**
         * A position takes none of the client's positions away. It moves that of a room only after
         * a gap, and then to before the oldest message.
         */
        private void checkPosition(String written) {
            SortedMap<String, String> received = StreamPosition.parse(written).orElseThrow();
            assertThat(read).containsAll(received.keySet());
            SortedMap<String, String> expected = new TreeMap<>(id);
            expected.putAll(afterGap);
            assertThat(received).containsAllEntriesOf(expected);
            afterGap.clear();
            id = received;
        }

        /** A message moves the position in one room by one, or begins one. */
        private void checkMessage(String written, String text) {
            SortedMap<String, String> received = StreamPosition.parse(written).orElseThrow();
            assertThat(received.keySet()).containsAll(id.keySet());
            int moved = 0;
            for (Map.Entry<String, String> entry : received.entrySet()) {
                String before = id.get(entry.getKey());
                if (before == null || before.equals(entry.getValue())) {
                    continue;
                }
                EventId last = id(before);
                assertThat(entry.getValue())
                        .isEqualTo(new EventId(last.epoch(), last.offset() + 1).toString());
                String known = entry.getKey() + entry.getValue();
                assertThat(texts.merge(known, text, (former, latter) -> former)).isEqualTo(text);
                moved++;
            }
            assertThat(moved).isLessThanOrEqualTo(1);
            if (moved == 0) {
                assertThat(received.size()).isGreaterThan(id.size());
            }
            id = received;
        }
    }
}
