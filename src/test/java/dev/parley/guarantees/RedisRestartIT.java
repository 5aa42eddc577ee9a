package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/**
 * Redis is killed and restarted, with its data or without. Connected readers stay connected and
 * miss nothing, or receive {@code gap} for what is lost.
 */
class RedisRestartIT extends RedisFaultBase {

    RedisRestartIT(Servers servers) {
        super(servers);
    }

    @Test
    void redisRestartedWithItsData_losesNothing() {
        try (SseReader reader = Pods.open(pod, room)) {
            Pods.publishNumbers(pod, room, 1, 5);
            reader.awaitMessages(5);

            redis.kill();
            Pods.awaitStatus(pod, 503);
            redis.restart();

            Pods.publishNumbers(otherPod, room, 6, 30);
            assertOnlyNumbers(reader, 30);
        }
    }

    @Test
    void redisRestartedWhilePublishing_losesNothing_evenForReadersThatReconnect() {
        try (var fleet = new ReaderFleet(5, () -> pod.uri("/events?room=" + room));
                var others = new ReaderFleet(5, () -> otherPod.uri("/events?room=" + room))) {
            var publisher =
                    CompletableFuture.runAsync(() -> Pods.publishNumbers(otherPod, room, 1, 200));
            for (int texts : List.of(40, 80, 120)) {
                fleet.readers().get(0).awaitMessages(texts);
                redis.kill();
                fleet.readers().get(1).dropConnection();
                redis.restart();
            }

            publisher.join();
            fleet.assertAllReceived(numbers(1, 200));
            others.assertAllReceived(numbers(1, 200));
            fleet.assertNoneReceived("gap");
            others.assertNoneReceived("gap");
            assertThat(fleet.readers().get(0).connections()).isOne();
        }
    }

    @Test
    void redisRestartedWithoutItsData_isAGap_andIdsStillAscend() {
        try (SseReader reader = Pods.open(pod, room);
                SseReader otherReader = Pods.open(otherPod, room)) {
            Pods.publishNumbers(pod, room, 1, 5);
            reader.awaitMessages(5);
            otherReader.awaitMessages(5);

            redis.restartEmpty();

            for (SseReader each : List.of(reader, otherReader)) {
                each.awaitEvent("gap");
            }
            Pods.publishNumbers(otherPod, room, 6, 8);
            for (SseReader each : List.of(reader, otherReader)) {
                assertThat(each.awaitMessages(8).data()).isEqualTo(numbers(1, 8));
                assertIdsAscend(each);
                assertThat(each.connections()).isOne();
                assertThat(each.events("gap")).hasSize(1);
            }
        }
    }

    @Test
    void flushedRedis_isAGap_withTheNextMessage() {
        try (SseReader reader = Pods.open(otherPod, room)) {
            Pods.publishNumbers(otherPod, room, 1, 5);
            String last = reader.awaitMessages(5).lastEventId();

            redis.command("FLUSHALL");
            String next = Pods.publishUntilConfirmed(otherPod, room, "6");

            assertThat(reader.awaitMessages(6).data()).isEqualTo(numbers(1, 6));
            assertThat(reader.events("gap"))
                    .extracting(Event::data)
                    .containsExactly(
                            "{\"room\":\"%s\",\"requested\":\"%s\",\"oldest\":\"%s\",\"newest\":\"%s\"}"
                                    .formatted(room, last, next, next));
            assertIdsAscend(reader);
        }
    }
}
