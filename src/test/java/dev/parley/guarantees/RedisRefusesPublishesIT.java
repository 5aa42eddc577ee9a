package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A Redis that takes no writes, as clients and operators see it: a publish gets a 503 that says
 * why, everything that only reads goes on, and the log has one line when it begins and one when it
 * ends.
 */
class RedisRefusesPublishesIT {

    private static final String ROOM = "room";

    /** Why Redis refuses writes. */
    enum Fault {
        OOM {
            @Override
            void begin(RedisServer redis) {
                set(redis, "maxmemory", "1");
            }

            @Override
            void end(RedisServer redis) {
                set(redis, "maxmemory", "0");
            }
        },

        NOREPLICAS {
            @Override
            void begin(RedisServer redis) {
                set(redis, "min-replicas-to-write", "1");
            }

            @Override
            void end(RedisServer redis) {
                set(redis, "min-replicas-to-write", "0");
            }
        },

        /** Redis cannot save its data: there is a directory where the file has to be. */
        MISCONF {
            @Override
            void begin(RedisServer redis) {
                set(redis, "save", "3600 1");
                set(redis, "stop-writes-on-bgsave-error", "yes");
                assertThat(snapshot(redis).toFile().mkdir()).isTrue();
                save(redis, "err");
            }

            @Override
            void end(RedisServer redis) {
                assertThat(snapshot(redis).toFile().delete()).isTrue();
                save(redis, "ok");
            }

            private static Path snapshot(RedisServer redis) {
                String directory = redis.command("CONFIG", "GET", "dir").items().get(1).text();
                return Path.of(directory, "dump.rdb");
            }

            private static void save(RedisServer redis, String result) {
                redis.command("BGSAVE");
                Timeouts.await("snapshot: " + result)
                        .until(
                                () ->
                                        redis.command("INFO", "persistence")
                                                .text()
                                                .contains("rdb_last_bgsave_status:" + result));
            }
        };

        abstract void begin(RedisServer redis);

        abstract void end(RedisServer redis);

        private static void set(RedisServer redis, String setting, String value) {
            redis.command("CONFIG", "SET", setting, value);
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
            assertProblem(http, "Redis refused: " + fault.name());
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
            assertThat(metrics.value("parley_messages_published_total{result=\"failed\"}"))
                    .isEqualTo(2);

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

    /**
     * The server has become a replica. The pod connects again and again until it is promoted;
     * readers stay connected and continue then.
     */
    @Test
    void replica_isNotPublishedTo_untilItIsPromoted() {
        try (var redis = RedisServer.start();
                var former = RedisServer.start();
                var pod = Pods.quickToDetectFaults(redis.uri()).awaitReady();
                SseReader reader = Pods.open(pod, ROOM)) {
            Http http = new Http(pod.uri());
            Pods.publishNumbers(pod, ROOM, 1, 5);
            reader.awaitMessages(5);
            former.follow(redis);
            former.promote();

            redis.follow(former);
            pod.awaitReadiness(503);

            assertProblem(http, "replica");
            assertThat(new Metrics(pod).value("parley_redis_refusals_total{reason=\"readonly\"}"))
                    .isPositive();
            assertThat(lines(pod, "WARN")).isNotEmpty().allMatch(line -> line.contains("replica"));

            redis.promote();
            pod.awaitReady();
            Pods.publishNumbers(pod, ROOM, 6, 8);
            reader.awaitData("8");
            assertThat(reader.data()).isEqualTo(numbers(1, 8));
            assertThat(reader.connections()).isOne();
            assertThat(http.get("/rooms/room/messages").body()).contains("\"8\"");
        }
    }

    /** Publishes as a program that reads problems, and asserts why it is refused. */
    private static void assertProblem(Http http, String why) {
        Http.Answer answer =
                http.with("Accept", "application/json").sendForm("refused", "room", ROOM);
        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.header("Content-Type")).startsWith("application/problem+json");
        assertThat(answer.json().path("code").asText()).isEqualTo("unavailable");
        assertThat(answer.json().path("detail").asText()).contains(why);
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
