package dev.parley.guarantees;

import static dev.parley.guarantees.Received.assertNumbersAlone;
import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.TcpProxy;
import dev.parley.testsupport.Timeouts;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Redis hangs, is cut off, or cuts its subscribers: connected readers stay connected and miss
 * nothing, publishers are answered, and new readers are taken or sent off to come back.
 */
@ExtendWith(FaultyRedis.Extension.class)
class RedisOutageIT {

    /** Redis's own default, and less than one long text. */
    private static final String LARGE_BUFFERS = "pubsub 32mb 8mb 60";

    private static final String SMALL_BUFFERS = "pubsub 32kb 16kb 1";

    private final FaultyRedis scene;
    private final RedisServer redis;
    private final TcpProxy network;
    private final ParleyProcess pod;
    private final ParleyProcess otherPod;
    private final String room;

    RedisOutageIT(FaultyRedis scene) {
        this.scene = scene;
        redis = scene.redis();
        network = scene.network();
        pod = scene.pod();
        otherPod = scene.otherPod();
        room = scene.newRoom();
    }

    @BeforeEach
    void awaitHealth() {
        scene.awaitHealth();
    }

    /** A test that fails leaves no fault to the next one. */
    @AfterEach
    void endFaults() {
        network.heal();
        redis.resume();
        setBuffers(LARGE_BUFFERS);
    }

    @Test
    void paused_untilItIsGivenUp_nothingIsLost_andPublishersAreAnswered() {
        try (SseReader reader = Pods.open(pod, room)) {
            Pods.sayNumbers(pod, room, 1, 5);
            reader.awaitMessages(5);
            int connections = network.accepted();

            redis.pause();
            Http.Answer refused = new Http(pod.uri()).sendForm("lost", "room", room + "-other");
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.header("Retry-After")).matches("[1-9][0-9]*");
            Timeouts.await("both connections given up and tried anew, several times")
                    .until(() -> network.accepted() >= connections + 6);
            redis.resume();

            Pods.sayNumbers(otherPod, room, 6, 30);
            assertNumbersAlone(reader, 30);
        }
    }

    @Test
    void subscriptionsCut_whilePublishing_nothingIsLost() {
        try (var audience = new Audience(5, () -> pod.uri("/events?room=" + room))) {
            for (int i = 1; i <= 200; i++) {
                Pods.sayAtLast(otherPod, room, Integer.toString(i));
                if (i % 20 == 0) {
                    redis.command("CLIENT", "KILL", "TYPE", "pubsub");
                }
            }

            audience.assertGotAll(numbers(1, 200));
            audience.assertNobodyWasToldOf("gap");
            assertThat(audience.readers()).allSatisfy(r -> assertThat(r.connections()).isOne());
        }
    }

    @Test
    void subscriptionThatRedisCuts_forItsFullBuffer_missesNothing() {
        List<String> texts =
                IntStream.rangeClosed(1, 10).mapToObj(RedisOutageIT::longText).toList();
        try (SseReader reader = Pods.open(pod, room)) {
            long cut = cutForTheirBuffers();

            setBuffers(SMALL_BUFFERS);
            texts.forEach(text -> Pods.sayAtLast(otherPod, room, text));
            Timeouts.await("Redis's word that it has cut the subscription")
                    .until(() -> cutForTheirBuffers() > cut);
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

    /** Clients that Redis says it has cut. */
    private long cutForTheirBuffers() {
        return redis.log()
                .lines()
                .filter(line -> line.contains("overcoming of output buffer"))
                .count();
    }

    @Test
    void silentNetwork_isNoticed_andConnectionsAreRebuilt() {
        try (SseReader reader = Pods.open(pod, room)) {
            Pods.sayNumbers(pod, room, 1, 5);
            reader.awaitMessages(5);

            network.blackHole();
            Pods.sayNumbers(otherPod, room, 6, 40);
            Pods.awaitStatus(pod, 503);
            network.cut();
            network.heal();

            assertNumbersAlone(reader, 40);
        }
    }

    @Test
    void silentSubscription_isNoticedByTheProbe_andRebuilt() {
        try (SseReader reader = Pods.open(pod, room)) {
            Pods.sayNumbers(pod, room, 1, 5);
            reader.awaitMessages(5);
            int connections = network.accepted();

            network.blackHole(TcpProxy.Direction.TO_CLIENT);
            Pods.sayNumbers(otherPod, room, 6, 40);
            Timeouts.await("connections tried anew")
                    .until(() -> network.accepted() >= connections + 2);
            network.heal();

            assertNumbersAlone(reader, 40);
        }
    }

    @Test
    void newReaders_whileRedisIsAway_areTakenWhereThePositionIsKnown_elseSentOffToComeBack() {
        try (SseReader reader = Pods.open(pod, room)) {
            Pods.sayNumbers(pod, room, 1, 30);
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
                        "place in the room", r -> r.connected() && !r.lastEventId().isEmpty());
                Pods.sayAtLast(pod, room, "31");
                Pods.sayAtLast(pod, room + "-new", "first");
                assertThat(older.awaitMessages(28).data()).isEqualTo(numbers(4, 31));
                assertThat(known.awaitMessages(6).data()).isEqualTo(numbers(26, 31));
                assertThat(atTail.awaitMessages(1).data()).containsExactly("31");
                assertThat(otherRoom.awaitMessages(1).data()).containsExactly("first");
                assertNumbersAlone(reader, 31);
            }
        }
    }

    private SseReader resume(String id) {
        return Pods.browser(pod, room).lastEventId(id).open();
    }
}
