package dev.parley.guarantees;

import static dev.parley.guarantees.MemoryAndRedisPods.HISTORY;
import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.parley.guarantees.MemoryAndRedisPods.Kind;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TestRoom;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A client reads a room's history in pages, back to its beginning or forward to its end. */
@ExtendWith(MemoryAndRedisPods.Extension.class)
class HistoryIT {

    private final MemoryAndRedisPods pods;

    HistoryIT(MemoryAndRedisPods pods) {
        this.pods = pods;
    }

    @ParameterizedTest
    @EnumSource
    void pagesBefore_reachTheBeginning_withoutGapOrRepetition(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        room.publishNumbers(1, HISTORY + 15);

        List<String> collected = new ArrayList<>();
        JsonNode page = get(room, "?limit=7");
        collected.addAll(0, texts(page));
        while (page.has("before")) {
            page = get(room, "?limit=7&before=" + page.get("before").asText());
            assertThat(page.get("gap").asBoolean()).isFalse();
            collected.addAll(0, texts(page));
        }

        assertThat(collected).isEqualTo(numbers(16, HISTORY + 15));
    }

    @ParameterizedTest
    @EnumSource
    void pagesAfter_reachTheEnd_andContinueWithLaterMessages(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        List<String> ids = room.publishNumbers(1, 30);

        List<String> collected = new ArrayList<>();
        JsonNode page = get(room, "?limit=7&after=" + ids.get(4));
        while (!page.get("messages").isEmpty()) {
            collected.addAll(texts(page));
            page = get(room, "?limit=7&after=" + page.get("after").asText());
        }

        assertThat(collected).isEqualTo(numbers(6, 30));
        room.publish("next");
        assertThat(texts(get(room, "?after=" + page.get("after").asText())))
                .containsExactly("next");
    }

    @ParameterizedTest
    @EnumSource
    void page_hasAllFieldsOfAMessage_andTheNextPositions(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        Http http = pods.http(kind);
        String first =
                http.sendForm("é \"a\"", "room", room.name(), "from", "Zoë", "event", "news")
                        .header("Event-Id");
        String second = room.publish("plain");

        JsonNode page = get(room, "");

        assertThat(page.get("room").asText()).isEqualTo(room.name());
        assertThat(page.has("before")).isFalse();
        assertThat(page.get("after").asText()).isEqualTo(second);
        JsonNode message = page.get("messages").get(0);
        assertThat(message.get("id").asText()).isEqualTo(first);
        assertThat(message.get("room").asText()).isEqualTo(room.name());
        assertThat(message.get("from").asText()).isEqualTo("Zoë");
        assertThat(message.get("text").asText()).isEqualTo("é \"a\"");
        assertThat(message.get("event").asText()).isEqualTo("news");
        assertThat(message.get("at").asText()).matches("\\d{4}-\\d\\d-\\d\\dT.*Z");
        assertThat(page.get("messages").get(1).has("from")).isFalse();
    }

    @ParameterizedTest
    @EnumSource
    void limit_defaultsToFifty(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        room.publishNumbers(1, 55);

        assertThat(texts(get(room, ""))).isEqualTo(numbers(6, 55));
        assertThat(texts(get(room, "?limit=1"))).isEqualTo(numbers(55, 55));
        assertThat(texts(get(room, "?limit=500"))).isEqualTo(numbers(1, 55));
    }

    @ParameterizedTest
    @EnumSource
    void positionThatIsTrimmed_foreignOrInTheFuture_isAGap(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        List<String> ids = room.publishNumbers(1, HISTORY + 15);
        String epoch = RedisFaultBase.epoch(ids.get(0));

        for (String position : List.of(ids.get(0), epoch + "-" + (HISTORY + 16), "x-30")) {
            JsonNode page = get(room, "?limit=3&after=" + position);
            assertThat(page.get("gap").asBoolean()).isTrue();
            assertThat(texts(page)).isEqualTo(numbers(16, 18));
        }
        JsonNode before = get(room, "?before=x-30");
        assertThat(before.get("gap").asBoolean()).isTrue();
        assertThat(before.get("messages")).isEmpty();
        assertThat(before.has("before")).isFalse();
        assertThat(get(room, "?before=" + ids.get(3)).get("messages")).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void emptyRoom_hasAPositionToContinueFrom(Kind kind) {
        TestRoom room = pods.newRoom(kind);

        JsonNode page = get(room, "");
        room.publishNumbers(1, 2);

        assertThat(page.get("messages")).isEmpty();
        assertThat(texts(get(room, "?after=" + page.get("after").asText())))
                .isEqualTo(numbers(1, 2));
    }

    @Test
    void entryOfAnotherProgram_isSkipped_andLoggedOnce() {
        TestRoom room = pods.newRoom(Kind.REDIS);
        ParleyProcess pod = pods.pod(Kind.REDIS);
        String key = "parley:{" + room.name() + "}:";
        List<String> ids = room.publishNumbers(1, 2);

        pods.redis().command("HINCRBY", key + "head", "offset", "1");
        pods.redis().command("XADD", key + "log", "3-0", "at", "1", "body", "no JSON");
        room.publish("4");

        assertThat(texts(get(room, ""))).containsExactly("1", "2", "4");
        assertThat(texts(get(room, "?after=" + ids.get(1)))).containsExactly("4");
        assertThat(isGap(get(room, "?after=" + ids.get(1)))).isTrue();
        try (SseReader resumed = room.resume(ids.get(0))) {
            assertThat(resumed.awaitData("4").data()).containsExactly("2", "4");
        }
        String line = "room %s: skipped entry 3-0 of its Redis stream".formatted(room.name());
        pod.awaitLog(line);
        assertThat(pod.log()).containsOnlyOnce(line);
    }

    @Test
    void messagesThatWereDeletedNextToThePosition_areAGap_andWhatIsBeyondThemIsRead() {
        TestRoom room = pods.newRoom(Kind.REDIS);
        List<String> ids = room.publishNumbers(1, 6);
        String log = "parley:{" + room.name() + "}:log";

        pods.redis().command("XDEL", log, "2-0", "3-0", "6-0");

        JsonNode after = get(room, "?after=" + ids.get(0));
        assertThat(texts(after)).containsExactly("4", "5");
        assertThat(isGap(after)).isTrue();
        assertThat(isGap(get(room, "?after=" + ids.get(2)))).isFalse();
        JsonNode before = get(room, "?before=" + ids.get(3));
        assertThat(texts(before)).containsExactly("1");
        assertThat(isGap(before)).isTrue();
        assertThat(isGap(get(room, "?before=" + ids.get(4)))).isFalse();
        JsonNode end = get(room, "?after=" + ids.get(4));
        assertThat(end.get("messages")).isEmpty();
        assertThat(isGap(end)).isTrue();
        assertThat(end.get("after").asText()).isEqualTo(ids.get(5));
    }

    @Test
    void entriesOfAnotherProgram_atTheIdsOfOurs_areRemoved_andLoggedOnce() {
        TestRoom room = pods.newRoom(Kind.REDIS);
        ParleyProcess pod = pods.pod(Kind.REDIS);
        String log = "parley:{" + room.name() + "}:log";
        List<String> ids = room.publishNumbers(1, 2);

        pods.redis().command("XADD", log, "2-7", "field", "between");
        pods.redis().command("XADD", log, "3-0", "field", "at the id of the next message");
        pods.redis().command("XADD", log, "*", "field", "ahead");
        room.publish("3");
        pods.redis().command("XADD", log, "*", "field", "ahead again");
        String fourth = room.publish("4");

        assertThat(fourth).isEqualTo(ids.get(0).replaceFirst("1$", "4"));
        assertThat(texts(get(room, ""))).isEqualTo(numbers(1, 4));
        assertThat(texts(get(room, "?after=" + ids.get(1)))).isEqualTo(numbers(3, 4));
        pod.awaitLog("room %s: removed 3 foreign entries".formatted(room.name()));
        assertThat(pod.log())
                .containsOnlyOnce("room %s: removed ".formatted(room.name()))
                .doesNotContain("room %s: removed 1 ".formatted(room.name()));
    }

    @Test
    void malformedParameters_areAnswered400() {
        TestRoom room = pods.newRoom(Kind.MEMORY);

        for (String query :
                List.of(
                        "?limit=0",
                        "?limit=501",
                        "?limit=-1",
                        "?limit=x",
                        "?limit=99999999999",
                        "?before=x",
                        "?after=a-01",
                        "?before=a-1&after=a-1")) {
            assertThat(room.history(query).status()).as(query).isEqualTo(400);
        }
        assertThat(pods.http(Kind.MEMORY).get("/rooms/-room/messages").status()).isEqualTo(400);
    }

    private JsonNode get(TestRoom room, String query) {
        Http.Answer answer = room.history(query);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        return answer.json();
    }

    private static boolean isGap(JsonNode page) {
        return page.get("gap").asBoolean();
    }

    private static List<String> texts(JsonNode page) {
        List<String> texts = new ArrayList<>();
        page.get("messages").forEach(message -> texts.add(message.get("text").asText()));
        return texts;
    }
}
