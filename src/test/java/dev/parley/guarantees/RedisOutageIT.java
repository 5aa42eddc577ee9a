package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.TcpProxy;
import dev.parley.testsupport.Timeouts;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Redis hangs, is unreachable, or closes its subscribers' connections. Connected readers stay
 * connected and miss nothing; publishers are answered; a new reader is served if the pod knows its
 * position, and otherwise gets {@code goodbye} and reconnects.
 */
class RedisOutageIT extends RedisFaultBase {

    /** Redis's default limit for subscribers. */
    private static final String LARGE_BUFFERS = "pubsub 32mb 8mb 60";

    /** Less than one long text, so that Redis closes a subscriber that is not read at once. */
    private static final String SMALL_BUFFERS = "pubsub 32kb 16kb 1";

    RedisOutageIT(Servers servers) {
        super(servers);
    }

    /** Ends the faults even if the test has failed, for the next test. */
    @AfterEach
    void endFaults() {
        network.heal();
        redis.resume();
        setBuffers(LARGE_BUFFERS);
    }

    @Test
    void pausedRedis_untilThePodGivesUp_losesNothing_andPublishersAreAnswered() {
        try (SseReader reader = Pods.open(pod, room)) {
            Pods.publishNumbers(pod, room, 1, 5);
            reader.awaitMessages(5);
            int connections = network.accepted();

            redis.pause();
            Http.Answer refused = new Http(pod.uri()).sendForm("lost", "room", room + "-other");
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.header("Retry-After")).matches("[1-9][0-9]*");
            Timeouts.await("three new attempts on each of the two connections")
                    .until(() -> network.accepted() >= connections + 6);
            redis.resume();

            Pods.publishNumbers(otherPod, room, 6, 30);
            assertOnlyNumbers(reader, 30);
        }
    }

    @Test
    void publish_whileRedisHangs_isAnsweredAtItsOwnDeadline() {
        try (ParleyProcess patient = patientPod("300MS")) {
            // While it starts on a slow machine, a connection may be too late.
            int start = patient.log().length();

            redis.pause();

            Http.Answer refused = new Http(patient.uri()).sendForm("lost", "room", room);
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.header("Retry-After")).matches("[1-9][0-9]*");
            assertThat(refused.body()).contains("300");
            assertThat(patient.log().substring(start)).doesNotContain("Parley goes on trying");
        }
    }

    @Test
    void newReader_whileRedisHangs_hasTheHeadAtOnce() {
        try (ParleyProcess patient = patientPod("1H")) {
            redis.pause();
            try (SseReader reader = SseReader.open(patient.uri("/events?room=" + room))) {
                assertThat(reader.status()).isEqualTo(200);
                assertThat(reader.lastEventId()).isEmpty();
                redis.resume();

                reader.awaitLastEventId();
            }
        }
    }

    /** Its probe gives up later by far, so that only the deadline of a command ends. */
    private ParleyProcess patientPod(String timeout) {
        ParleyProcess started =
                ParleyProcess.builder()
                        .config("parley.redis.timeout", timeout)
                        .config("parley.redis.probe-timeout", "1H")
                        .redis(network.uri("redis"))
                        .start();
        Pods.awaitPublishing(started);
        return started;
    }

    @Test
    void subscriptionsThatRedisCloses_whilePublishing_loseNothing() {
        try (var fleet = new ReaderFleet(5, () -> pod.uri("/events?room=" + room))) {
            for (int i = 1; i <= 200; i++) {
                Pods.publishUntilConfirmed(otherPod, room, Integer.toString(i));
                if (i % 20 == 0) {
                    redis.command("CLIENT", "KILL", "TYPE", "pubsub");
                }
            }

            fleet.assertAllReceived(numbers(1, 200));
            fleet.assertNoneReceived("gap");
            assertThat(fleet.readers()).allSatisfy(r -> assertThat(r.connections()).isOne());
        }
    }

    @Test
    void subscriptionThatRedisCloses_forItsFullBuffer_losesNothing() {
        List<String> texts =
                IntStream.rangeClosed(1, 10).mapToObj(RedisOutageIT::longText).toList();
        try (SseReader reader = Pods.open(pod, room)) {
            long closed = closedForTheirBuffers();

            setBuffers(SMALL_BUFFERS);
            texts.forEach(text -> Pods.publishUntilConfirmed(otherPod, room, text));
            Timeouts.await("line in Redis's log about a closed subscription")
                    .until(() -> closedForTheirBuffers() > closed);
            setBuffers(LARGE_BUFFERS);

            reader.awaitMessages(texts.size());
            assertThat(reader.data().equals(texts)).isTrue();
            assertThat(reader.events("gap")).isEmpty();
            assertThat(reader.connections()).isOne();
        }
    }

    private void setBuffers(String limit) {
        redis.command("CONFIG", "SET", "client-output-buffer-limit", limit);
    }

    private static String longText(int number) {
        return number + "x".repeat(60_000);
    }

    /** The number of clients that Redis has closed and logged because their buffers were full. */
    private long closedForTheirBuffers() {
        return redis.log()
                .lines()
                .filter(line -> line.contains("overcoming of output buffer"))
                .count();
    }

    @Test
    void silentNetwork_isDetected_andConnectionsAreReplaced() {
        try (SseReader reader = Pods.open(pod, room)) {
            Pods.publishNumbers(pod, room, 1, 5);
            reader.awaitMessages(5);

            network.blackHole();
            Pods.publishNumbers(otherPod, room, 6, 40);
            Pods.awaitStatus(pod, 503);
            network.cut();
            network.heal();

            assertOnlyNumbers(reader, 40);
        }
    }

    @Test
    void silentSubscription_isDetectedByTheProbe_andReplaced() {
        try (SseReader reader = Pods.open(pod, room)) {
            Pods.publishNumbers(pod, room, 1, 5);
            reader.awaitMessages(5);

            network.blackHole(TcpProxy.Direction.TO_CLIENT);
            Pods.publishNumbers(otherPod, room, 6, 40);
            // Only the probe ends a connection on which nothing fails. Not by the log, which leaves
            // lines out after many failures.
            Http health = pod.management();
            Timeouts.await("end of the silent connections, which the readiness probe reports")
                    .until(
                            () ->
                                    health.get("/q/health/ready")
                                            .body()
                                            .contains("no connection to Redis: "));
            network.heal();

            assertOnlyNumbers(reader, 40);
        }
    }

    @Test
    void newReader_whileRedisIsUnreachable_isServedFromAKnownPosition_orGetsGoodbye() {
        try (SseReader reader = Pods.open(pod, room)) {
            Pods.publishNumbers(pod, room, 1, 30);
            List<Event> messages = reader.awaitMessages(30).messages();
            network.refuse();
            network.cut();
            Pods.awaitStatus(pod, 503);

            try (SseReader known = resume(messages.get(24).id());
                    SseReader atTail = Pods.open(pod, room);
                    SseReader older = resume(messages.get(2).id());
                    SseReader otherRoom =
                            SseReader.to(pod.uri("/events?room=" + room + "-new"))
                                    .reconnecting()
                                    .open()) {
                assertThat(known.awaitMessages(5).data()).isEqualTo(numbers(26, 30));
                for (SseReader each : List.of(older, otherRoom)) {
                    each.await("goodbyes", r -> r.events("goodbye").size() >= 2);
                    assertThat(each.events("goodbye").get(0).data())
                            .isEqualTo("{\"reason\":\"unavailable\"}");
                    assertThat(each.status()).isEqualTo(200);
                    assertThat(each.cleanEnds()).isPositive();
                }
                assertThat(known.connections()).isOne();

                network.heal();

                older.awaitMessages(27);
                otherRoom.await(
                        "position in the room", r -> r.connected() && !r.lastEventId().isEmpty());
                Pods.publishUntilConfirmed(pod, room, "31");
                Pods.publishUntilConfirmed(pod, room + "-new", "first");
                assertThat(older.awaitMessages(28).data()).isEqualTo(numbers(4, 31));
                assertThat(known.awaitMessages(6).data()).isEqualTo(numbers(26, 31));
                assertThat(atTail.awaitMessages(1).data()).containsExactly("31");
                assertThat(otherRoom.awaitMessages(1).data()).containsExactly("first");
                assertOnlyNumbers(reader, 31);
            }
        }
    }

    private SseReader resume(String id) {
        return Pods.reconnectingReader(pod, room).lastEventId(id).open();
    }
}
