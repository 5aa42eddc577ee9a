package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A Redis that takes no writes, as clients and operators see it: a publish gets a 503 that says
 * why, everything that only reads goes on, and the log has one line when it begins and one when it
 * ends.
 */
class RedisRefusesPublishesIT {

    private static final String ROOM = "room";

    /** A setting with which Redis refuses writes, and the value that ends it. */
    enum Fault {
        OOM("maxmemory", "1", "0"),
        NOREPLICAS("min-replicas-to-write", "1", "0");

        private final String setting;
        private final String on;
        private final String off;

        Fault(String setting, String on, String off) {
            this.setting = setting;
            this.on = on;
            this.off = off;
        }

        void begin(RedisServer redis) {
            redis.command("CONFIG", "SET", setting, on);
        }

        void end(RedisServer redis) {
            redis.command("CONFIG", "SET", setting, off);
        }

        String reason() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @ParameterizedTest
    @EnumSource
    void publishesGet503WithTheReason_andReadingGoesOn(Fault fault) {
        try (var redis = RedisServer.start();
                var pod = Pods.quickToDetectFaults(redis.uri()).awaitReady();
                SseReader reader = Pods.open(pod, ROOM)) {
            Http http = new Http(pod.uri());
            Pods.publishNumbers(pod, ROOM, 1, 5);
            reader.awaitMessages(5);
            String third = reader.messages().get(2).id();

            fault.begin(redis);
            awaitReadinessData(pod, fault.name(), true);
            pod.awaitReadiness(200);

            Http.Answer refused = http.sendForm("refused", "room", ROOM);
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.body()).contains("Redis refused: " + fault.name());
            assertThat(refused.header("Retry-After")).matches("[1-9][0-9]*");
            assertThat(http.get("/rooms/room/messages").body()).contains("\"5\"");
            assertThat(http.get("/rooms/never-seen/messages").status()).isEqualTo(200);
            try (SseReader resumed =
                    SseReader.to(pod.uri("/events?room=room")).lastEventId(third).open()) {
                resumed.awaitData("5");
                assertThat(resumed.data()).containsExactly("4", "5");
                assertThat(resumed.events("resumed")).hasSize(1);
            }
            try (SseReader newcomer = SseReader.open(pod.uri("/events?room=room&history=2"))) {
                newcomer.awaitData("5");
                assertThat(newcomer.data()).containsExactly("4", "5");
            }
            var metrics = new Metrics(pod);
            assertThat(
                            metrics.value(
                                    "parley_redis_refusals_total{reason=\""
                                            + fault.reason()
                                            + "\"}"))
                    .isPositive();
            assertThat(metrics.value("parley_messages_published_total{result=\"failed\"}")).isOne();

            fault.end(redis);
            awaitReadinessData(pod, "publishing", false);
            Pods.publishNumbers(pod, ROOM, 6, 8);
            reader.awaitData("8");
            assertThat(reader.data()).isEqualTo(numbers(1, 8));
            assertThat(reader.connections()).isOne();
            assertThat(lines(pod, "Redis refuses to publish: " + fault.name())).hasSize(1);
            assertThat(lines(pod, "Redis takes publishes again")).hasSize(1);
            assertThat(lines(pod, "WARN")).hasSize(1);
        }
    }

    /** Waits until the answer to the readiness probe contains a text, or no longer contains it. */
    private static void awaitReadinessData(ParleyProcess pod, String text, boolean contained) {
        Http management = pod.management();
        Timeouts.await("readiness data, " + text + ": " + contained)
                .until(() -> management.get("/q/health/ready").body().contains(text) == contained);
    }

    private static List<String> lines(ParleyProcess pod, String part) {
        return pod.log().lines().filter(line -> line.contains(part)).toList();
    }
}
