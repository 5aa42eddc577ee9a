package dev.parley.guarantees;

import static dev.parley.guarantees.MemoryAndRedisPods.HISTORY;
import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.parley.guarantees.MemoryAndRedisPods.Kind;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TestRoom;
import dev.parley.testsupport.Timeouts;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A message with {@code ttl} is delivered, and is gone from history and replays when that time is
 * over. Readers that come back step over it without a gap.
 */
@ExtendWith(MemoryAndRedisPods.Extension.class)
class TtlIT {

    private final MemoryAndRedisPods pods;

    TtlIT(MemoryAndRedisPods pods) {
        this.pods = pods;
    }

    /** The pod has the newest 16 messages in memory; what is older is read from the broker. */
    @ParameterizedTest
    @EnumSource
    void messageThatHasExpired_isSteppedOver_inHistoryAndByReadersThatComeBack(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        try (SseReader live = room.subscribe()) {
            String first = room.publish("1");
            // Long enough to be delivered first, also on a busy machine.
            String brief = publishBriefly(kind, room, "brief", "5");
            room.publishNumbers(2, 21);
            String newestButOne = room.publish("22");
            publishBriefly(kind, room, "brief too", "5");

            assertThat(live.awaitData("brief too").data())
                    .startsWith("1", "brief", "2")
                    .endsWith("22", "brief too");
            Timeouts.await("messages to expire")
                    .until(() -> !texts(room.history("?limit=500")).contains("brief too"));

            assertThat(texts(room.history("?limit=500"))).isEqualTo(numbers(1, 22));
            JsonNode after = room.history("?limit=1&after=" + first).json();
            assertThat(after.get("gap").asBoolean()).isFalse();
            assertThat(after.findValuesAsText("text")).containsExactly("2");
            JsonNode newest = room.history("?limit=1").json();
            assertThat(newest.findValuesAsText("text")).containsExactly("22");
            assertThat(pagesBefore(room)).isEqualTo(numbers(1, 22));
            String ofRooms = "/events?format=json&room=other&room=" + room.name();
            try (SseReader fromFirst = room.resume(first);
                    SseReader ofSeveralRooms =
                            SseReader.to(pods.pod(kind).uri(ofRooms))
                                    .lastEventId(room.name() + "=" + newestButOne)
                                    .open();
                    SseReader fromBrief = room.resume(brief);
                    SseReader fromNewest = room.resume(newestButOne);
                    SseReader withHistory = room.reader("history=3").open()) {
                fromNewest.awaitEvent("resumed");
                ofSeveralRooms.awaitEvent("resumed");
                withHistory.awaitData("22");
                room.publish("23");

                assertThat(fromFirst.awaitData("23").data()).isEqualTo(numbers(2, 23));
                assertThat(fromBrief.awaitData("23").data()).isEqualTo(numbers(2, 23));
                assertThat(fromNewest.awaitData("23").data()).containsExactly("23");
                ofSeveralRooms.awaitMessages(1);
                assertThat(RoomEvents.of(ofSeveralRooms, room.name()).texts())
                        .containsExactly("23");
                assertThat(ofSeveralRooms.events("gap")).isEmpty();
                assertThat(withHistory.awaitData("23").data()).containsExactly("21", "22", "23");
                for (SseReader reader : List.of(fromFirst, fromBrief, fromNewest)) {
                    assertThat(reader.events("gap")).isEmpty();
                }
            }
            assertThat(live.awaitData("23").connections()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource
    void roomWhoseMessagesHaveAllExpired_hasAnEmptyHistory_andNoGap(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            ids.add(publishBriefly(kind, room, "brief", "1"));
        }
        Timeouts.await("messages to expire")
                .until(() -> texts(room.history("?limit=500")).isEmpty());

        JsonNode page = room.history("?limit=3").json();
        assertThat(page.get("messages")).isEmpty();
        assertThat(page.has("before")).isFalse();
        assertThat(room.history("?limit=3&after=" + ids.get(0)).json().get("gap").asBoolean())
                .isFalse();
        try (SseReader reader = room.resume(ids.get(0))) {
            reader.awaitEvent("resumed");
            room.publish("next");
            assertThat(reader.awaitData("next").data()).containsExactly("next");
            assertThat(reader.events("gap")).isEmpty();
        }
    }

    /** The gap counts them as retained: they have their places in the log. */
    @ParameterizedTest
    @EnumSource
    void gap_whoseOldestMessageHasExpired_isFollowedByTheNextOneThatHasNot(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        String first = room.publish("1");
        List<String> ids = new ArrayList<>();
        for (int i = 0; i <= HISTORY; i++) {
            ids.add(publishBriefly(kind, room, "brief", "1"));
        }
        Timeouts.await("messages to expire")
                .until(() -> texts(room.history("?limit=500")).isEmpty());

        try (SseReader reader = room.resume(first)) {
            assertThat(reader.awaitEvent("gap").data())
                    .contains("\"oldest\":\"" + ids.get(1) + "\"")
                    .contains("\"newest\":\"" + ids.get(HISTORY) + "\"");
            reader.await(
                    "position at the newest message",
                    one -> one.lastEventId().equals(ids.get(HISTORY)));
            assertThat(reader.messages()).isEmpty();
            room.publish("next");
            assertThat(reader.awaitData("next").data()).containsExactly("next");
        }
        try (SseReader reader = room.resume(first)) {
            reader.awaitEvent("gap");
            assertThat(reader.awaitData("next").data()).containsExactly("next");
        }
    }

    @ParameterizedTest
    @EnumSource
    void ttl_canBeAFieldOfEachForm_andIsShownAsTheEnd(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        Http http = pods.http(kind);
        try (SseReader json = room.subscribe("format=json")) {
            List<Http.Answer> answers =
                    List.of(
                            http.sendForm("x", "room", room.name(), "ttl", "90"),
                            http.sendQuery("x", "room", room.name(), "ttl", "90"),
                            http.sendText("x", "room", room.name(), "ttl", "90"),
                            http.sendJson(
                                    "{\"msg\":\"x\",\"ttl\":90,\"room\":\"" + room.name() + "\"}"),
                            http.sendJson(
                                    "{\"msg\":\"x\",\"ttl\":\"90\",\"room\":\""
                                            + room.name()
                                            + "\"}"),
                            http.post(
                                    "/send",
                                    "multipart/form-data; boundary=b",
                                    part("msg", "x")
                                            + part("room", room.name())
                                            + part("ttl", "90")
                                            + "--b--\r\n"));

            assertThat(answers).extracting(Http.Answer::status).containsOnly(200);
            JsonNode messages = room.history("").json().get("messages");
            assertThat(messages).hasSize(6);
            for (JsonNode message : messages) {
                assertThat(
                                Duration.between(
                                        Instant.parse(message.get("at").asText()),
                                        Instant.parse(message.get("expires").asText())))
                        .isEqualTo(Duration.ofSeconds(90));
            }
            assertThat(json.awaitMessages(6).data()).allMatch(data -> data.contains("expires"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void ttl_thatIsNotANumberFromOneToTheAgeOfTheRoom_isRefused(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        Http http = pods.http(kind).with("Accept", "application/json");

        for (String ttl : List.of("0", "-1", "1.5", "x", "86401", "99999999999", " 5", "+5")) {
            Http.Answer answer = http.sendForm("x", "room", room.name(), "ttl", ttl);

            assertThat(answer.status()).as(ttl).isEqualTo(400);
            assertThat(answer.json().get("code").asText()).isEqualTo("bad-ttl");
            assertThat(answer.json().get("detail").asText())
                    .startsWith("bad ttl: a whole number of seconds from 1 to 86400 is expected");
        }
        assertThat(http.sendForm("x", "room", room.name(), "ttl", "86400").status()).isEqualTo(200);
        assertThat(http.sendForm("x", "room", room.name(), "ttl", "").status()).isEqualTo(200);
        assertThat(texts(room.history(""))).hasSize(2);
    }

    private String publishBriefly(Kind kind, TestRoom room, String text, String ttl) {
        Http.Answer answer = pods.http(kind).sendForm(text, "room", room.name(), "ttl", ttl);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        return answer.header("Event-Id");
    }

    /** Reads the history backwards, five messages at a time. */
    private static List<String> pagesBefore(TestRoom room) {
        List<String> collected = new ArrayList<>();
        JsonNode page = room.history("?limit=5").json();
        collected.addAll(0, page.findValuesAsText("text"));
        while (page.has("before")) {
            page = room.history("?limit=5&before=" + page.get("before").asText()).json();
            collected.addAll(0, page.findValuesAsText("text"));
        }
        return collected;
    }

    private static List<String> texts(Http.Answer history) {
        return history.json().findValuesAsText("text");
    }

    private static String part(String name, String value) {
        return "--b\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n"
                .formatted(name, value);
    }
}
