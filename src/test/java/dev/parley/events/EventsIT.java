package dev.parley.events;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a reader gets, in a room of its own. */
class EventsIT {

    private static final AtomicInteger ROOMS = new AtomicInteger();

    private static ParleyProcess pod;
    private static Http http;

    private final ObjectMapper json = new ObjectMapper();
    private final String room = "room-" + ROOMS.incrementAndGet();

    @BeforeAll
    static void startPod() {
        pod = ParleyProcess.builder().config("parley.events.heartbeat", "200ms").start();
        http = new Http(pod.awaitReady().uri());
    }

    @AfterAll
    static void stopPod() {
        pod.close();
    }

    private SseReader subscribe(String... query) {
        String more = query.length == 0 ? "" : "&" + String.join("&", query);
        return SseReader.to(pod.uri("/events?room=" + room + more))
                .recordRaw(64 * 1024)
                .open()
                .awaitConnected()
                .awaitLastEventId();
    }

    private String send(String text) {
        Answer answer = http.sendForm(text, "room", room);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        return answer.header("Event-Id");
    }

    // The opening.

    @Test
    void head_keepsProxiesFromBufferingAndStoring() {
        try (SseReader reader = subscribe()) {
            assertThat(reader.status()).isEqualTo(200);
            assertThat(reader.headers().get("Content-Type"))
                    .containsExactly("text/event-stream;charset=utf-8");
            assertThat(reader.headers().get("Cache-Control"))
                    .containsExactly("no-cache, no-transform");
            assertThat(reader.headers().get("X-Accel-Buffering")).containsExactly("no");
            assertThat(reader.headers().get("Transfer-Encoding")).containsExactly("chunked");
            assertThat(reader.headers())
                    .doesNotContainKeys("Content-Length", "X-SSE-Content-Type", "Content-Encoding");
        }
    }

    @Test
    void readerThatAcceptsCompression_getsNone() {
        try (SseReader reader =
                SseReader.to(pod.uri("/events?room=" + room))
                        .header("Accept-Encoding", "gzip, deflate, br")
                        .open()
                        .awaitConnected()
                        .awaitLastEventId()) {
            assertThat(reader.headers()).doesNotContainKey("Content-Encoding");
        }
    }

    @Test
    void firstBytes_areCommentRetryAndPosition() {
        send("before");

        try (SseReader reader = subscribe()) {
            assertThat(reader.raw())
                    .matches("(?s): connected\nretry: \\d{4}\nid: [0-9a-z]+-1\n\n.*");
            assertThat(reader.retry().getAsLong()).isBetween(2000L, 4000L);
            assertThat(reader.events()).isEmpty();
        }
    }

    @Test
    void readersAreAskedToComeBack_atDifferentTimes() {
        List<SseReader> readers = IntStream.range(0, 20).mapToObj(i -> subscribe()).toList();

        assertThat(readers.stream().map(reader -> reader.retry().getAsLong()).distinct().count())
                .isGreaterThan(1);

        readers.forEach(SseReader::close);
    }

    @Test
    void silence_isFilledWithComments() {
        try (SseReader reader = subscribe()) {
            String position = reader.lastEventId();

            reader.await("heartbeats", r -> r.comments().size() > 3);

            assertThat(reader.events()).isEmpty();
            assertThat(reader.lastEventId()).isEqualTo(position);
            String id = send("hi");
            reader.awaitMessages(1);
            assertThat(reader.events()).containsExactly(new Event(id, "message", "hi"));
        }
    }

    // What arrives.

    @Test
    void message_arrivesUnderItsId() {
        try (SseReader reader = subscribe()) {
            String first = send("one");
            String second = send("two");

            reader.awaitMessages(2);

            assertThat(reader.events())
                    .containsExactly(
                            new Event(first, "message", "one"),
                            new Event(second, "message", "two"));
            assertThat(first).endsWith("-1");
            assertThat(second).isEqualTo(first.replaceAll("-1$", "-2"));
            assertThat(reader.raw()).contains("id: " + first + "\ndata: one\n\n");
        }
    }

    @Test
    void lineEnds_becomeLineFeeds() {
        try (SseReader reader = subscribe()) {
            send("a\r\nb\rc\nd\r\n\r\n");

            assertThat(reader.awaitMessages(1).data()).containsExactly("a\nb\nc\nd\n\n");
            assertThat(reader.raw())
                    .contains("\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: \n\n");
        }
    }

    @Test
    void everyCharacterOfUnicode_arrives() {
        List<String> texts = everyCharacter();

        try (SseReader reader = subscribe()) {
            texts.forEach(
                    text -> assertThat(http.sendText(text, "room", room).status()).isEqualTo(200));

            List<String> received = reader.awaitMessages(texts.size()).data();
            for (int i = 0; i < texts.size(); i++) {
                assertThat(received.get(i).equals(texts.get(i).replace('\r', '\n')))
                        .as("characters from U+%04X", texts.get(i).codePointAt(0))
                        .isTrue();
            }
        }
    }

    private static List<String> everyCharacter() {
        List<String> texts = new ArrayList<>();
        for (int from = 0; from <= Character.MAX_CODE_POINT; from += 0x2000) {
            int[] characters =
                    IntStream.range(from, from + 0x2000)
                            .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
                            .toArray();
            if (characters.length > 0) {
                texts.add(new String(characters, 0, characters.length));
            }
        }
        return texts;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                " leading",
                "trailing ",
                "\uFEFFmark",
                "nul\0nul",
                "\n",
                "\n\n",
                "a\n",
                ": c",
                "data: x",
                "x\n\nid: evil\nevent: owned\ndata: y",
                "<script>alert(1)</script>",
                "é€😀👩‍👩‍👧",
                "\u2028"
            })
    void textThatMeansSomethingElsewhere_arrivesAsText(String text) {
        try (SseReader reader = subscribe()) {
            String id = send(text);
            send("end");

            reader.awaitData("end");

            assertThat(reader.events().get(0)).isEqualTo(new Event(id, "message", text));
            assertThat(reader.events()).hasSize(2);
        }
    }

    @Test
    void namedEvent_isDispatchedUnderItsName() {
        try (SseReader reader = subscribe()) {
            http.sendForm("1.23", "room", room, "event", "price");
            send("hi");

            reader.awaitMessages(1);

            assertThat(reader.events("price")).extracting(Event::data).containsExactly("1.23");
            assertThat(reader.data()).containsExactly("hi");
        }
    }

    @Test
    void jsonFormat_isTheWholeMessage() throws Exception {
        try (SseReader reader = subscribe("format=json");
                SseReader textReader = subscribe("format=text")) {
            http.sendForm("a\n😀", "room", room, "from", "Ada", "event", "price");

            Event event = reader.awaitEvent("price");

            JsonNode data = json.readTree(event.data());
            assertThat(data.path("room").textValue()).isEqualTo(room);
            assertThat(data.path("from").textValue()).isEqualTo("Ada");
            assertThat(data.path("text").textValue()).isEqualTo("a\n😀");
            assertThat(data.path("event").textValue()).isEqualTo("price");
            assertThat(Instant.parse(data.path("at").textValue())).isBeforeOrEqualTo(Instant.now());
            assertThat(textReader.awaitEvent("price"))
                    .isEqualTo(new Event(event.id(), "price", "a\n😀"));
        }
    }

    @Test
    void rooms_hearOnlyTheirOwn() {
        String other = room + "-other";
        try (SseReader reader = subscribe();
                SseReader otherReader =
                        SseReader.open(pod.uri("/events?room=" + other)).awaitLastEventId()) {
            send("here");
            http.sendForm("there", "room", other);
            send("here again");
            http.sendForm("there again", "room", other);

            assertThat(reader.awaitData("here again").data()).containsExactly("here", "here again");
            assertThat(otherReader.awaitData("there again").data())
                    .containsExactly("there", "there again");
        }
    }

    @Test
    void longMessages_arriveOnceEach() {
        List<String> texts =
                IntStream.range(0, 60).mapToObj(i -> i + "x".repeat(60 * 1024)).toList();

        try (SseReader reader = subscribe();
                SseReader jsonReader = subscribe("format=json")) {
            texts.forEach(this::send);

            assertThat(reader.awaitMessages(texts.size()).data().equals(texts)).isTrue();
            send("end");
            reader.awaitData("end");
            jsonReader.awaitMessages(texts.size() + 1);
            assertThat(reader.events()).hasSize(texts.size() + 1);
            assertThat(jsonReader.events().stream().map(Event::id).distinct())
                    .hasSize(texts.size() + 1);
            assertThat(jsonReader.events()).hasSize(texts.size() + 1);
        }
    }

    // History.

    @Test
    void freshReader_startsWithWhatIsSaidNext() {
        send("before");

        try (SseReader reader = subscribe()) {
            send("after");

            assertThat(reader.awaitMessages(1).data()).containsExactly("after");
        }
    }

    @Test
    void history_beginsWithTheNewestMessages() {
        IntStream.rangeClosed(1, 5).forEach(i -> send("m" + i));

        try (SseReader reader = subscribe("history=3")) {
            send("live");

            assertThat(reader.awaitMessages(4).data()).containsExactly("m3", "m4", "m5", "live");
            assertThat(reader.raw()).contains("retry: ").containsPattern("id: [0-9a-z]+-2\n\n");
            assertThat(reader.events()).hasSize(4);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"2", "3", "1000000"})
    void historyOfEverything_beginsWithTheFirst(String count) {
        send("m1");
        send("m2");

        try (SseReader reader = subscribe("history=" + count)) {
            assertThat(reader.awaitMessages(2).data()).containsExactly("m1", "m2");
        }
    }

    @Test
    void longHistory_arrivesWholeAndInOrder() {
        List<String> texts = IntStream.range(0, 3000).mapToObj(i -> "m" + i).toList();
        texts.forEach(this::send);

        try (SseReader reader = subscribe("history=3000")) {
            assertThat(reader.awaitMessages(texts.size()).data()).isEqualTo(texts);
        }
    }

    // What is refused.

    @ParameterizedTest
    @ValueSource(
            strings = {
                "room=a/b",
                "room=-a",
                "room=%0d%0aSet-Cookie:x",
                "room=%ff",
                "room=%00",
                "format=xml",
                "format=JSON",
                "history=-1",
                "history=1.5",
                "history=x",
                "history=1000001",
                "history=99999999999999999999",
                "history=%D9%A3"
            })
    void badParameter_isRefused(String parameter) {
        Answer answer = http.get("/events?" + parameter);
        Answer problem =
                http.with("Accept", "text/event-stream, application/json")
                        .get("/events?" + parameter);

        String name = parameter.substring(0, parameter.indexOf('='));
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.header("Content-Type")).isEqualTo("text/plain;charset=utf-8");
        assertThat(answer.body()).startsWith("bad " + name + ": ").hasLineCount(1);
        assertThat(problem.status()).isEqualTo(400);
        assertThat(problem.header("Content-Type")).isEqualTo("application/problem+json");
    }

    @Test
    void brokenPercentEscape_isRefused() {
        assertThat(http.raw("GET /events?room=%zz HTTP/1.1\r\nHost: x\r\n\r\n"))
                .startsWith("HTTP/1.1 400 ");
    }

    @Test
    void head_isNotAllowed() {
        Answer answer = http.call("HEAD", "/events");

        assertThat(answer.status()).isEqualTo(405);
        assertThat(answer.header("Allow")).isEqualTo("GET");
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST", "PUT", "DELETE"})
    void otherMethod_isNotAllowed(String method) {
        assertThat(http.call(method, "/events").status()).isEqualTo(405);
    }

    @Test
    void callerWhoReadsNoEventStream_isRefused() {
        assertThat(http.with("Accept", "application/json").get("/events").status()).isEqualTo(406);
        assertThat(http.with("Accept", "nonsense").get("/events").status()).isEqualTo(400);
    }
}
