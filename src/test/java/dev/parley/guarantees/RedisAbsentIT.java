package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import org.junit.jupiter.api.Test;

/** A pod starts before its Redis server does. */
class RedisAbsentIT {

    /** A node that has not been made a part of a Cluster yet. */
    @Test
    void clusterWithoutSlots_isNamedAsTheReason_andServesOnceItHasThem() {
        try (RedisServer redis = RedisServer.start("cluster-enabled yes");
                ParleyProcess pod =
                        Pods.withQuickReconnect()
                                .redis(redis.uri())
                                .config("quarkus.redis.client-type", "cluster")
                                .start()) {
            Http management = pod.management();
            Timeouts.await("the reason")
                    .until(
                            () ->
                                    management
                                            .get("/q/health/ready")
                                            .body()
                                            .contains(" knows no node with slots"));

            redis.takeAllSlots();

            pod.awaitReady();
            Pods.publishUntilConfirmed(pod, "room", "first");
        }
    }

    @Test
    void podThatStartsWithoutRedis_answers503_andServesOnceRedisRuns() {
        try (RedisServer redis = RedisServer.start()) {
            redis.kill();
            try (ParleyProcess pod = Pods.quickToDetectFaults(redis.uri());
                    SseReader early = Pods.reconnectingReader(pod, "room").open()) {
                Http.Answer refused = new Http(pod.uri()).sendForm("lost", "room", "room");
                assertThat(refused.status()).isEqualTo(503);
                assertThat(refused.body())
                        .startsWith("publish failed: no connection to Redis")
                        .doesNotContain("127.0.0.1");
                assertThat(refused.header("Retry-After")).matches("[1-9][0-9]*");
                Http.Answer unread = new Http(pod.uri()).get("/rooms/room/messages");
                assertThat(unread.status()).isEqualTo(503);
                assertThat(unread.body()).startsWith("read failed");
                assertThat(unread.header("Retry-After")).matches("[1-9][0-9]*");
                early.awaitEvent("goodbye");

                redis.restart();

                Pods.publishUntilConfirmed(pod, "warmup", "ready");
                early.await(
                        "position in the room",
                        reader -> reader.connected() && !reader.lastEventId().isEmpty());
                Pods.publishUntilConfirmed(pod, "room", "first");
                assertThat(early.awaitMessages(1).data()).containsExactly("first");
                assertThat(pod.alive()).isTrue();
            }
        }
    }
}
