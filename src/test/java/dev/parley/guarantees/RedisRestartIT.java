package dev.parley.guarantees;

import static dev.parley.guarantees.Received.assertIdsGoForwards;
import static dev.parley.guarantees.Received.assertNumbersAlone;
import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Redis dies and comes back, with its data or without: connected readers stay connected and miss
 * nothing, or are told what is gone.
 */
@ExtendWith(FaultyRedis.Extension.class)
class RedisRestartIT {

    private final FaultyRedis scene;
    private final RedisServer redis;
    private final ParleyProcess pod;
    private final ParleyProcess otherPod;
    private final String room;

    RedisRestartIT(FaultyRedis scene) {
        this.scene = scene;
        redis = scene.redis();
        pod = scene.pod();
        otherPod = scene.otherPod();
        room = scene.newRoom();
    }

    @BeforeEach
    void awaitHealth() {
        scene.awaitHealth();
    }

    @Test
    void killedAndRestarted_withItsData_nothingIsLost() {
        try (SseReader reader = Pods.open(pod, room)) {
            Pods.sayNumbers(pod, room, 1, 5);
            reader.awaitMessages(5);

            redis.kill();
            Pods.awaitStatus(pod, 503);
            redis.restart();

            Pods.sayNumbers(otherPod, room, 6, 30);
            assertNumbersAlone(reader, 30);
        }
    }

    @Test
    void killedAndRestarted_whilePublishersGoOn_nothingIsLost_forReconnectingReaders() {
        try (var audience = new Audience(5, () -> pod.uri("/events?room=" + room));
                var others = new Audience(5, () -> otherPod.uri("/events?room=" + room))) {
            var publisher =
                    CompletableFuture.runAsync(() -> Pods.sayNumbers(otherPod, room, 1, 200));
            for (int texts : List.of(40, 80, 120)) {
                audience.readers().get(0).awaitMessages(texts);
                redis.kill();
                audience.readers().get(1).dropConnection();
                redis.restart();
            }

            publisher.join();
            audience.assertGotAll(numbers(1, 200));
            others.assertGotAll(numbers(1, 200));
            audience.assertNobodyWasToldOf("gap");
            others.assertNobodyWasToldOf("gap");
            assertThat(audience.readers().get(0).connections()).isOne();
        }
    }

    @Test
    void restartedWithoutItsData_isAGap_andNothingGoesBackwards() {
        try (SseReader reader = Pods.open(pod, room);
                SseReader otherReader = Pods.open(otherPod, room)) {
            Pods.sayNumbers(pod, room, 1, 5);
            reader.awaitMessages(5);
            otherReader.awaitMessages(5);

            redis.restartEmpty();

            for (SseReader each : List.of(reader, otherReader)) {
                each.awaitEvent("gap");
            }
            Pods.sayNumbers(otherPod, room, 6, 8);
            for (SseReader each : List.of(reader, otherReader)) {
                assertThat(each.awaitMessages(8).data()).isEqualTo(numbers(1, 8));
                assertIdsGoForwards(each);
                assertThat(each.connections()).isOne();
                assertThat(each.events("gap")).hasSize(1);
            }
        }
    }

    @Test
    void flushed_isAGap_withTheNextMessage() {
        try (SseReader reader = Pods.open(otherPod, room)) {
            Pods.sayNumbers(otherPod, room, 1, 5);
            String last = reader.awaitMessages(5).lastEventId();

            redis.command("FLUSHALL");
            String next = Pods.sayAtLast(otherPod, room, "6");

            assertThat(reader.awaitMessages(6).data()).isEqualTo(numbers(1, 6));
            assertThat(reader.events("gap"))
                    .extracting(Event::data)
                    .containsExactly(
                            "{\"requested\":\"%s\",\"oldest\":\"%s\",\"newest\":\"%s\"}"
                                    .formatted(last, next, next));
            assertIdsGoForwards(reader);
        }
    }
}
