package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A client reads a room's history in pages, all the way to its beginning or its end. */
class HistoryIT {

    private static final int HISTORY = 60;

    enum Kind {
        MEMORY,
        REDIS
    }

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final AtomicInteger ROOMS = new AtomicInteger();
    private static final Map<Kind, ParleyProcess> PODS = new EnumMap<>(Kind.class);
    private static RedisServer redis;

    private final String room = "room" + ROOMS.incrementAndGet();

    @BeforeAll
    static void start() {
        redis = RedisServer.start();
        var pod = Pods.steady().config("parley.history.size", Integer.toString(HISTORY));
        PODS.put(Kind.MEMORY, pod.start());
        PODS.put(Kind.REDIS, pod.redis(redis.uri()).start());
        PODS.values().forEach(Pods::awaitPublishing);
    }

    @AfterAll
    static void stop() {
        PODS.values().forEach(ParleyProcess::close);
        redis.close();
    }

    @ParameterizedTest
    @EnumSource
    void before_walksToTheBeginning(Kind kind) {
        say(kind, 75);

        List<String> walked = new ArrayList<>();
        JsonNode page = get(kind, "?limit=7");
        walked.addAll(0, texts(page));
        while (page.has("before")) {
            page = get(kind, "?limit=7&before=" + page.get("before").asText());
            assertThat(page.get("gap").asBoolean()).isFalse();
            walked.addAll(0, texts(page));
        }

        assertThat(walked).isEqualTo(numbers(16, 75));
    }

    @ParameterizedTest
    @EnumSource
    void after_walksToTheEnd_andOnFromThere(Kind kind) {
        List<String> ids = say(kind, 30);

        List<String> walked = new ArrayList<>();
        JsonNode page = get(kind, "?limit=7&after=" + ids.get(4));
        while (!page.get("messages").isEmpty()) {
            walked.addAll(texts(page));
            page = get(kind, "?limit=7&after=" + page.get("after").asText());
        }

        assertThat(walked).isEqualTo(numbers(6, 30));
        new Http(PODS.get(kind).uri()).sendForm("next", "room", room);
        assertThat(texts(get(kind, "?after=" + page.get("after").asText())))
                .containsExactly("next");
    }

    @ParameterizedTest
    @EnumSource
    void page_saysAllOfAMessage_andHowToGoOn(Kind kind) {
        Http http = new Http(PODS.get(kind).uri());
        String first =
                http.sendForm("é \"a\"", "room", room, "from", "Zoë", "event", "news")
                        .header("Event-Id");
        String second = http.sendForm("plain", "room", room).header("Event-Id");

        JsonNode page = get(kind, "");

        assertThat(page.get("room").asText()).isEqualTo(room);
        assertThat(page.has("before")).isFalse();
        assertThat(page.get("after").asText()).isEqualTo(second);
        JsonNode message = page.get("messages").get(0);
        assertThat(message.get("id").asText()).isEqualTo(first);
        assertThat(message.get("room").asText()).isEqualTo(room);
        assertThat(message.get("from").asText()).isEqualTo("Zoë");
        assertThat(message.get("text").asText()).isEqualTo("é \"a\"");
        assertThat(message.get("event").asText()).isEqualTo("news");
        assertThat(message.get("at").asText()).matches("\\d{4}-\\d\\d-\\d\\dT.*Z");
        assertThat(page.get("messages").get(1).has("from")).isFalse();
    }

    @ParameterizedTest
    @EnumSource
    void limit_isFiftyUnlessGiven_andFiveHundredAtMost(Kind kind) {
        say(kind, 55);

        assertThat(texts(get(kind, ""))).isEqualTo(numbers(6, 55));
        assertThat(texts(get(kind, "?limit=1"))).isEqualTo(numbers(55, 55));
        assertThat(texts(get(kind, "?limit=500"))).isEqualTo(numbers(1, 55));
    }

    @ParameterizedTest
    @EnumSource
    void trimmedForeignAndFuturePositions_areAGap(Kind kind) {
        List<String> ids = say(kind, 75);
        String epoch = ids.get(0).substring(0, ids.get(0).indexOf('-'));

        for (String position : List.of(ids.get(0), epoch + "-76", "x-30")) {
            JsonNode page = get(kind, "?limit=3&after=" + position);
            assertThat(page.get("gap").asBoolean()).isTrue();
            assertThat(texts(page)).isEqualTo(numbers(16, 18));
        }
        JsonNode before = get(kind, "?before=x-30");
        assertThat(before.get("gap").asBoolean()).isTrue();
        assertThat(before.get("messages")).isEmpty();
        assertThat(get(kind, "?before=" + ids.get(3)).get("messages")).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void emptyRoom_hasAPositionToGoOnFrom(Kind kind) {
        JsonNode page = get(kind, "");
        say(kind, 2);

        assertThat(page.get("messages")).isEmpty();
        assertThat(texts(get(kind, "?after=" + page.get("after").asText())))
                .isEqualTo(numbers(1, 2));
    }

    @Test
    void entryOfAnotherProgram_isPassedOver_andSaidOnceInTheLog() {
        List<String> ids = say(Kind.REDIS, 2);
        ParleyProcess pod = PODS.get(Kind.REDIS);
        redis.command("HINCRBY", "parley:{" + room + "}:head", "offset", "1");
        redis.command("XADD", "parley:{" + room + "}:log", "3-0", "at", "1", "body", "no JSON");
        new Http(pod.uri()).sendForm("4", "room", room);

        assertThat(texts(get(Kind.REDIS, ""))).containsExactly("1", "2", "4");
        assertThat(texts(get(Kind.REDIS, "?after=" + ids.get(1)))).containsExactly("4");
        var reader = SseReader.to(pod.uri("/events?room=" + room)).lastEventId(ids.get(0));
        try (SseReader resumed = reader.open()) {
            assertThat(resumed.awaitData("4").data()).containsExactly("2", "4");
        }
        pod.awaitLog(" is no message ");
        assertThat(pod.log().split(" is no message ", -1)).hasSize(2);
    }

    @Test
    void entryOfAnotherProgram_inTheWayOfOurs_isRemoved_andSaidOnceInTheLog() {
        List<String> ids = say(Kind.REDIS, 2);
        ParleyProcess pod = PODS.get(Kind.REDIS);
        String log = "parley:{" + room + "}:log";

        redis.command("XADD", log, "2-7", "stands", "between");
        redis.command("XADD", log, "3-0", "stands", "in the place");
        redis.command("XADD", log, "*", "stands", "ahead");
        say(Kind.REDIS, 1);
        redis.command("XADD", log, "*", "stands", "ahead again");
        String last = say(Kind.REDIS, 1).get(0);

        assertThat(last).isEqualTo(ids.get(0).replaceFirst("1$", "4"));
        assertThat(texts(get(Kind.REDIS, ""))).containsExactly("1", "2", "1", "1");
        assertThat(texts(get(Kind.REDIS, "?after=" + ids.get(1)))).containsExactly("1", "1");
        pod.awaitLog(" were removed");
        assertThat(pod.log().split(" were removed", -1)).hasSize(2);
    }

    @ParameterizedTest
    @EnumSource
    void badValues_areRefused(Kind kind) {
        Http http = new Http(PODS.get(kind).uri());

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
            assertThat(http.get("/rooms/" + room + "/messages" + query).status())
                    .as(query)
                    .isEqualTo(400);
        }
        assertThat(http.get("/rooms/-room/messages").status()).isEqualTo(400);
    }

    private List<String> say(Kind kind, int count) {
        Http http = new Http(PODS.get(kind).uri());
        return IntStream.rangeClosed(1, count)
                .mapToObj(i -> http.sendForm(Integer.toString(i), "room", room))
                .map(answer -> answer.header("Event-Id"))
                .toList();
    }

    private JsonNode get(Kind kind, String query) {
        Http.Answer answer =
                new Http(PODS.get(kind).uri()).get("/rooms/" + room + "/messages" + query);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        try {
            return JSON.readTree(answer.body());
        } catch (JsonProcessingException e) {
            throw new AssertionError(answer.body(), e);
        }
    }

    private static List<String> texts(JsonNode page) {
        List<String> texts = new ArrayList<>();
        page.get("messages").forEach(message -> texts.add(message.get("text").asText()));
        return texts;
    }

    private static List<String> numbers(int first, int last) {
        return IntStream.rangeClosed(first, last).mapToObj(Integer::toString).toList();
    }
}
