package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Rooms are spread over several Redis servers. One that dies or hangs costs only its rooms, and
 * these only the time; a change of the list moves a share of the rooms, whose readers get a gap.
 */
class RedisServersIT {

    /** Enough that a third of them is neither none nor all. */
    private static final int ROOMS = 40;

    private final Map<String, RedisServer> servers = new TreeMap<>();
    private final List<ParleyProcess> pods = new ArrayList<>();

    enum Fault {
        KILLED,
        PAUSED
    }

    @BeforeEach
    void startServers() {
        List.of("a", "b", "c").forEach(n -> servers.put(n, RedisServer.startWithPersistence()));
    }

    @AfterEach
    void close() {
        pods.forEach(ParleyProcess::close);
        servers.values().forEach(RedisServer::close);
    }

    @ParameterizedTest
    @EnumSource
    void serverThatIsAway_costsItsRoomsTheTime_andTheOthersNothing(Fault fault) {
        ParleyProcess pod = podOn("a", "b", "c");
        ParleyProcess otherPod = podOn("a", "b", "c");
        Map<String, String> rooms = roomOfEachServer(pod);
        String away = rooms.get("b");
        try (var onA = new TwoPods(pod, otherPod, rooms.get("a"));
                var onB = new TwoPods(pod, otherPod, away);
                var onC = new TwoPods(pod, otherPod, rooms.get("c"))) {
            for (TwoPods room : List.of(onA, onB, onC)) {
                room.publish(1, 10);
            }

            begin(fault);
            var known = new AtomicBoolean();
            CompletableFuture<Integer> ofA = onA.publishingOnce(11, known);
            CompletableFuture<Integer> ofC = onC.publishingOnce(11, known);
            Http.Answer refused;
            try {
                refused = Pods.send(new Http(pod.uri()), away, "refused");
                awaitSilent(pod);
                awaitSilent(otherPod);
            } finally {
                known.set(true);
            }
            int lastOfA = ofA.join();
            int lastOfC = ofC.join();

            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.body()).startsWith("publish failed: server b: ");
            assertThat(refused.header("Retry-After")).matches("[1-9][0-9]*");
            assertThat(new Http(pod.uri()).get("/rooms/" + away + "/messages").status())
                    .isEqualTo(503);
            assertThat(new Http(pod.uri()).get("/rooms/" + onA.room + "/messages").status())
                    .isEqualTo(200);

            end(fault);

            onB.publish(11, 60);
            onA.assertOnlyNumbers(lastOfA);
            onC.assertOnlyNumbers(lastOfC);
            // The publish that was refused may have reached the server that hung.
            onB.assertNumbersWithout("refused", 60);
            for (ParleyProcess each : List.of(pod, otherPod)) {
                new Metrics(each).awaitValue("parley_subscription_up{server=\"b\"}", 1);
                assertThat(readiness(each).path("data").isMissingNode()).isTrue();
            }
        }
    }

    /** Waits until the pod says that b is away, and asserts that it goes on with the others. */
    private static void awaitSilent(ParleyProcess pod) {
        var metrics = new Metrics(pod);
        metrics.awaitValue("parley_subscription_up{server=\"b\"}", 0);
        for (String server : List.of("a", "c")) {
            assertThat(metrics.value("parley_subscription_up{server=\"" + server + "\"}")).isOne();
        }
        pod.awaitReady();
        JsonNode data = readiness(pod).path("data");
        assertThat(data.path("server b").asText()).isNotBlank();
        assertThat(data.size()).isOne();
    }

    /** The answer of the readiness check that is about delivery. */
    private static JsonNode readiness(ParleyProcess pod) {
        for (JsonNode check : pod.management().get("/q/health/ready").json().path("checks")) {
            if (check.path("name").asText().equals("delivery")) {
                return check;
            }
        }
        throw new AssertionError("no check of delivery");
    }

    private void begin(Fault fault) {
        if (fault == Fault.KILLED) {
            servers.get("b").kill();
        } else {
            servers.get("b").pause();
        }
    }

    private void end(Fault fault) {
        if (fault == Fault.KILLED) {
            servers.get("b").restart();
        } else {
            servers.get("b").resume();
        }
    }

    @Test
    void podThatStartsWithoutAServer_servesTheRoomsOfTheOthers_andLaterItsRooms() {
        Map<String, String> rooms = roomOfEachServer(podOn("a", "b", "c"));
        servers.get("b").kill();

        ParleyProcess pod = start(list("a", "b", "c"));

        pod.awaitReady();
        Http http = new Http(pod.uri());
        assertThat(Pods.tryPublish(http, rooms.get("a"), "1")).isTrue();
        assertThat(Pods.tryPublish(http, rooms.get("b"), "1")).isFalse();
        try (SseReader early = Pods.reconnectingReader(pod, rooms.get("b")).open()) {
            early.awaitEvent("goodbye");

            servers.get("b").restart();

            Pods.publishUntilConfirmed(pod, rooms.get("b"), "1");
            early.await("position", r -> r.connected() && !r.lastEventId().isEmpty());
            Pods.publishUntilConfirmed(pod, rooms.get("b"), "2");
            early.awaitData("2");
        }
    }

    @Test
    void metrics_haveTheNamesOfTheServers_andNoneIsRefused() {
        ParleyProcess pod = podOn("a", "b", "c");
        String page = new Metrics(pod).page();

        for (String server : servers.keySet()) {
            String label = "{server=\"" + server + "\"";
            assertThat(page)
                    .contains("parley_redis_roundtrip_seconds_bucket" + label + ",le=\"0.005\"}")
                    .contains("parley_messages_received_total" + label + "}")
                    .contains("parley_redis_may_evict" + label + "}");
        }
        assertThat(page).contains("parley_histories_lost_total 0");
        assertThat(pod.log()).doesNotContain("WARN").doesNotContain("ERROR");
    }

    @Test
    void plainText_onAnyServer_reachesTheLobbyOnce() {
        ParleyProcess pod = podOn("a", "b", "c");
        try (SseReader lobby = SseReader.to(pod.uri("/events")).open().awaitLastEventId()) {
            List<String> texts = new ArrayList<>();
            for (String server : servers.keySet()) {
                texts.add("by " + server);
                servers.get(server).command("PUBLISH", "chat", "by " + server);
                lobby.awaitData("by " + server);
            }

            assertThat(lobby.data()).isEqualTo(texts);
        }
    }

    @Test
    void serverThatIsAdded_takesAShareOfTheRooms_andOnlyTheirReadersGetAGap_soDoesTheWayBack() {
        ParleyProcess before = podOn("a", "b");
        Map<String, String> positions = positionsAfterAMessage(before);

        ParleyProcess with = podOn("a", "b", "c");
        List<String> moved = publishEverywhere(with, positions);

        assertThat(moved).hasSizeBetween(4, ROOMS - 4);
        assertGapExactlyIn(moved, with, positions);

        // Readers that were away meanwhile have positions that a and b still know.
        ParleyProcess back = podOn("a", "b");
        publishEverywhere(back, positions);
        assertGapExactlyIn(moved, back, positions);
    }

    @Test
    void listThatBeginsWithTheOnlyServer_movesAShareOfItsRooms_andOnlyTheirReadersGetAGap() {
        ParleyProcess before =
                started(Pods.quickToDetectFaults().redis(servers.get("a").uri())).awaitReady();
        Map<String, String> positions = positionsAfterAMessage(before);

        ParleyProcess with = podOn("a", "c");
        List<String> moved = publishEverywhere(with, positions);

        assertThat(moved).hasSizeBetween(4, ROOMS - 4);
        assertGapExactlyIn(moved, with, positions);
    }

    /** Publishes a message in each room; returns its id by room. */
    private static Map<String, String> positionsAfterAMessage(ParleyProcess pod) {
        Map<String, String> positions = new LinkedHashMap<>();
        for (int i = 1; i <= ROOMS; i++) {
            String room = "room" + i;
            positions.put(room, Pods.publishUntilConfirmed(pod, room, "first"));
        }
        return positions;
    }

    /** Publishes a message in each room, and returns the rooms that are at c. */
    private List<String> publishEverywhere(ParleyProcess pod, Map<String, String> rooms) {
        return rooms.keySet().stream()
                .peek(room -> Pods.publishUntilConfirmed(pod, room, "at-" + pod.port()))
                .filter(room -> isAt(servers.get("c"), room))
                .toList();
    }

    private static void assertGapExactlyIn(
            List<String> moved, ParleyProcess pod, Map<String, String> positions) {
        positions.forEach(
                (room, id) -> {
                    try (SseReader reader =
                            SseReader.to(pod.uri("/events?room=" + room)).lastEventId(id).open()) {
                        reader.awaitData("at-" + pod.port());
                        boolean hasMoved = moved.contains(room);
                        assertThat(reader.events("gap")).as(room).hasSize(hasMoved ? 1 : 0);
                        assertThat(reader.events("resumed")).as(room).hasSize(hasMoved ? 0 : 1);
                    }
                });
    }

    /** A room on each server, by the server; without messages. */
    private Map<String, String> roomOfEachServer(ParleyProcess pod) {
        Map<String, String> rooms = new TreeMap<>();
        for (int i = 1; rooms.size() < servers.size(); i++) {
            String probe = "place" + i;
            Pods.publishUntilConfirmed(pod, probe, "here");
            servers.forEach(
                    (name, server) -> {
                        if (isAt(server, probe)) {
                            rooms.putIfAbsent(name, probe);
                        }
                    });
        }
        return rooms;
    }

    private static boolean isAt(RedisServer server, String room) {
        return server.command("EXISTS", "parley:{" + room + "}:head").number() == 1;
    }

    private ParleyProcess podOn(String... names) {
        return start(list(names)).awaitReady();
    }

    private Map<String, String> list(String... names) {
        Map<String, String> list = new TreeMap<>();
        List.of(names).forEach(name -> list.put(name, servers.get(name).uri()));
        return list;
    }

    private ParleyProcess start(Map<String, String> list) {
        ParleyProcess.Builder pod = Pods.quickToDetectFaults();
        list.forEach((name, uri) -> pod.config("parley.redis.servers." + name, uri));
        return started(pod);
    }

    private ParleyProcess started(ParleyProcess.Builder builder) {
        ParleyProcess pod = builder.start();
        pods.add(pod);
        return pod;
    }

    /** A room with a reader at each of two pods. */
    private static final class TwoPods implements AutoCloseable {

        private final ParleyProcess pod;
        private final ParleyProcess otherPod;
        private final String room;
        private final List<SseReader> readers;

        TwoPods(ParleyProcess pod, ParleyProcess otherPod, String room) {
            this.pod = pod;
            this.otherPod = otherPod;
            this.room = room;
            this.readers = List.of(Pods.open(pod, room), Pods.open(otherPod, room));
        }

        /** Publishes numbers at both pods by turns, each until it is confirmed. */
        void publish(int first, int last) {
            for (int i = first; i <= last; i++) {
                Pods.publishUntilConfirmed(at(i), room, Integer.toString(i));
            }
        }

        /**
         * Publishes numbers at both pods by turns, each of which must be confirmed at once: before,
         * while and after the pods learn that another server is away.
         *
         * @param known set when they have learned of it
         * @return the last number
         */
        CompletableFuture<Integer> publishingOnce(int first, AtomicBoolean known) {
            return CompletableFuture.supplyAsync(
                    () -> {
                        int next = first;
                        int enough = Integer.MAX_VALUE;
                        while (next < enough) {
                            Http http = new Http(at(next).uri());
                            assertThat(Pods.send(http, room, Integer.toString(next)).status())
                                    .isEqualTo(200);
                            next++;
                            if (known.get() && enough == Integer.MAX_VALUE) {
                                enough = next + 50;
                            }
                        }
                        return next - 1;
                    });
        }

        private ParleyProcess at(int number) {
            return number % 2 == 0 ? pod : otherPod;
        }

        void assertOnlyNumbers(int last) {
            readers.forEach(reader -> RedisFaultBase.assertOnlyNumbers(reader, last));
        }

        /**
         * Asserts that the readers have the numbers, on one connection, and a text at most once.
         */
        void assertNumbersWithout(String text, int last) {
            for (SseReader reader : readers) {
                reader.awaitData(Integer.toString(last));
                assertThat(reader.data().stream().filter(data -> !data.equals(text)))
                        .isEqualTo(numbers(1, last));
                assertThat(reader.data().stream().filter(text::equals)).hasSizeLessThan(2);
                assertThat(reader.events()).hasSameSizeAs(reader.messages());
                assertThat(reader.connections()).isOne();
                RedisFaultBase.assertIdsAscend(reader);
            }
        }

        @Override
        public void close() {
            readers.forEach(SseReader::close);
        }
    }
}
