package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.parley.guarantees.MemoryAndRedisPods.Kind;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TestRoom;
import dev.parley.testsupport.Timeouts;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rooms whose pattern has settings, over HTTP, in memory and on Redis. */
class RoomSettingsIT {

    @AutoClose private static RedisServer redis;

    private static ParleyProcess memory;
    private static ParleyProcess onRedis;

    @BeforeAll
    static void startPods() {
        redis = RedisServer.start();
        var pod =
                Pods.withQuickReconnect()
                        .config("parley.rooms.\"small.*\".history.size", "5")
                        .config("parley.rooms.\"brief.*\".history.age", "3S")
                        .config("parley.rooms.\"long.*\".history.age", "36500D")
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

    /** A reader stays connected, so that the pod has more messages in memory than are retained. */
    @ParameterizedTest
    @EnumSource
    void size_holdsForReadersThatBeginWithTheNewestMessages(Kind kind) {
        TestRoom room = TestRoom.newAt(pod(kind), http(kind), "small.");
        try (SseReader stays = room.subscribe()) {
            room.publishNumbers(1, 12);
            stays.awaitMessages(12);

            try (SseReader newest = room.subscribe("history=100");
                    SseReader all = room.subscribe("lastEventId=earliest")) {
                room.publish("13");
                assertThat(newest.awaitData("13").data()).isEqualTo(numbers(8, 13));
                assertThat(all.awaitData("13").data()).isEqualTo(numbers(8, 13));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void rateOfARoom_isRefusedWith429_thatNamesTheRoom_andOtherRoomsGoOn(Kind kind) {
        Http http = http(kind).with("Accept", "application/json");
        Http.Answer answer = http.sendForm("x", "room", "slow.room");
        for (int i = 0; i < 500 && answer.status() == 200; i++) {
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

    @ParameterizedTest
    @EnumSource
    void requestWithABadKey_takesNothingOfItsRoomsRate(Kind kind) {
        Http http = http(kind).with("Accept", "application/json");

        Http.Answer refused =
                http.with("Idempotency-Key", "k".repeat(129))
                        .sendForm("x", "room", "slow.with-a-key");
        Http.Answer good = http.sendForm("x", "room", "slow.with-a-key");

        assertThat(refused.json().get("code").asText()).isEqualTo("bad-idempotency-key");
        assertThat(good.status()).isEqualTo(200);
    }

    @ParameterizedTest
    @EnumSource
    void ttl_mayBeAsLongAsTheLongestAge(Kind kind) {
        Http http = http(kind).with("Accept", "application/json");
        String room = "long.room";

        try (SseReader reader = SseReader.open(pod(kind).uri("/events?room=" + room))) {
            reader.awaitLastEventId();
            assertThat(http.sendForm("x", "room", room, "ttl", "3153600000").status())
                    .isEqualTo(200);
            Http.Answer refused = http.sendForm("y", "room", room, "ttl", "3153600001");

            assertThat(refused.status()).isEqualTo(400);
            assertThat(refused.json().get("detail").asText())
                    .startsWith("bad ttl: a whole number of seconds from 1 to 3153600000 ");
            assertThat(reader.awaitMessages(1).data()).containsExactly("x");
            assertThat(texts(http, room)).containsExactly("x");
        }
    }

    /** A reader stays connected, so that the pod has the room's messages in memory. */
    @ParameterizedTest
    @EnumSource
    void messagesOfAQuietRoom_endWithTheirAge_inHistoryAndForReadersThatComeBack(Kind kind) {
        TestRoom room = TestRoom.newAt(pod(kind), http(kind), "brief.");
        try (SseReader stays = room.subscribe()) {
            List<String> ids = room.publishNumbers(1, 3);
            stays.awaitMessages(3);

            Timeouts.await("messages to grow old")
                    .until(() -> texts(http(kind), room.name()).isEmpty());

            JsonNode page = room.history("?after=" + ids.get(0)).json();
            assertThat(page.get("gap").asBoolean()).isTrue();
            assertThat(page.get("messages")).isEmpty();
            try (SseReader missed = room.resume(ids.get(0));
                    SseReader hadAll = room.resume(ids.get(2))) {
                missed.awaitEvent("gap");
                hadAll.awaitEvent("resumed");
                room.publish("4");
                assertThat(missed.awaitData("4").data()).containsExactly("4");
                assertThat(hadAll.awaitData("4").data()).containsExactly("4");
                assertThat(hadAll.events("gap")).isEmpty();
            }
            assertThat(stays.awaitData("4").data()).isEqualTo(numbers(1, 4));
            assertThat(stays.connections()).isOne();
        }
    }

    /** Nothing reads the room meanwhile, which would make its keys last longer. */
    @Test
    void readerOfARoom_whoseMessagesHaveEnded_getsTheNextOneWithoutAGap() {
        TestRoom room = TestRoom.newAt(onRedis, http(Kind.REDIS), "brief.");
        double lostBefore = new Metrics(onRedis).value("parley_histories_lost_total");
        try (SseReader stays = room.subscribe()) {
            String first = room.publish("1");
            stays.awaitMessages(1);
            Timeouts.await("the log to end")
                    .until(
                            () ->
                                    redis.command("EXISTS", "parley:{" + room.name() + "}:log")
                                                    .number()
                                            == 0);

            String second = room.publish("2");

            assertThat(stays.awaitMessages(2).data()).containsExactly("1", "2");
            assertThat(stays.events("gap")).isEmpty();
            assertThat(second).isEqualTo(first.replace("-1", "-2"));
        }
        assertThat(new Metrics(onRedis).value("parley_histories_lost_total")).isEqualTo(lostBefore);
    }

    private static ParleyProcess pod(Kind kind) {
        return kind == Kind.MEMORY ? memory : onRedis;
    }

    private static Http http(Kind kind) {
        return new Http(pod(kind).uri());
    }

    private static List<String> texts(Http http, String room) {
        return http.get("/rooms/" + room + "/messages").json().findValuesAsText("text");
    }
}
