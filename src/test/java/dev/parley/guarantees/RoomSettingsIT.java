package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rooms whose pattern has settings, over HTTP, in memory and on Redis. */
class RoomSettingsIT {

    /** The broker of a pod. */
    enum Kind {
        MEMORY,
        REDIS
    }

    @AutoClose private static RedisServer redis;

    private static ParleyProcess memory;
    private static ParleyProcess onRedis;

    @BeforeAll
    static void startPods() {
        redis = RedisServer.start();
        var pod =
                Pods.withQuickReconnect()
                        .config("parley.rooms.\"small.*\".history.size", "5")
                        .environment("PARLEY_ROOMS_SLOW_PATTERN", "slow.*")
                        .environment("PARLEY_ROOMS_SLOW_PUBLISH_RATE", "1");
        memory = pod.start();
        onRedis = pod.redis(redis.uri()).start();
        Pods.awaitPublishing(memory);
        Pods.awaitPublishing(onRedis);
    }

    @AfterAll
    static void stopPods() {
        memory.close();
        onRedis.close();
    }

    @ParameterizedTest
    @EnumSource
    void size_isThatOfTheRoomsPattern(Kind kind) {
        Http http = http(kind);
        for (String room : List.of("small.room", "other")) {
            IntStream.rangeClosed(1, 12)
                    .forEach(i -> http.sendForm(Integer.toString(i), "room", room));
        }

        assertThat(texts(http, "small.room")).isEqualTo(numbers(8, 12));
        assertThat(texts(http, "other")).isEqualTo(numbers(1, 12));
    }

    @ParameterizedTest
    @EnumSource
    void rateOfARoom_isRefusedWith429_thatNamesTheRoom_andOtherRoomsGoOn(Kind kind) {
        Http http = http(kind).with("Accept", "application/json");
        Http.Answer answer = http.sendForm("x", "room", "slow.room");
        while (answer.status() == 200) {
            answer = http.sendForm("x", "room", "slow.room");
        }

        assertThat(answer.status()).isEqualTo(429);
        assertThat(answer.header("Retry-After")).isEqualTo("1");
        assertThat(answer.json().get("code").asText()).isEqualTo("too-many-requests");
        assertThat(answer.json().get("detail").asText())
                .startsWith("too many messages in room slow.room: ");
        assertThat(http.sendForm("x", "room", "slow.other").status()).isEqualTo(200);
        assertThat(http.sendForm("x", "room", "fast").status()).isEqualTo(200);
    }

    private static Http http(Kind kind) {
        return new Http((kind == Kind.MEMORY ? memory : onRedis).uri());
    }

    private static List<String> texts(Http http, String room) {
        return http.get("/rooms/" + room + "/messages").json().findValuesAsText("text");
    }
}
