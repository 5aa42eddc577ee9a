package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawStream;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.SseReaderBuilder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
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

/** A reader that comes back goes on where it was; if that is not possible, it is told. */
class ResumeIT {

    /** Messages that are retained. */
    private static final int HISTORY = 50;

    enum Kind {
        MEMORY,
        REDIS
    }

    private static final AtomicInteger ROOMS = new AtomicInteger();
    private static final Map<Kind, ParleyProcess> PODS = new EnumMap<>(Kind.class);
    private static RedisServer redis;
    private static ParleyProcess secondPod;

    private final String room = "room" + ROOMS.incrementAndGet();

    @BeforeAll
    static void start() {
        redis = RedisServer.start();
        PODS.put(Kind.MEMORY, pod().start());
        PODS.put(Kind.REDIS, pod().redis(redis.uri()).start());
        secondPod = pod().redis(redis.uri()).start();
        PODS.values().forEach(Pods::awaitPublishing);
        Pods.awaitPublishing(secondPod);
    }

    private static ParleyProcess.Builder pod() {
        return Pods.steady()
                .config("parley.history.size", Integer.toString(HISTORY))
                .config("parley.log.messages", "16");
    }

    @AfterAll
    static void stop() {
        PODS.values().forEach(ParleyProcess::close);
        secondPod.close();
        redis.close();
    }

    @ParameterizedTest
    @EnumSource
    void knownPosition_isResumed_fromMemoryAndFromHistory(Kind kind) {
        List<String> ids = say(kind, 1, 45);

        for (int last : List.of(45, 44, 40, 29, 20, 1)) {
            String id = ids.get(last - 1);
            try (SseReader reader = resume(kind, id)) {
                reader.awaitMessages(45 - last).awaitConnected();

                Event first = reader.awaitEvent("resumed");
                assertThat(reader.events().get(0)).isEqualTo(first);
                assertThat(first.data())
                        .isEqualTo("{\"from\":\"%s\",\"replayed\":%d}".formatted(id, 45 - last));
                assertThat(reader.data()).isEqualTo(numbers(last + 1, 45));
                assertThat(reader.messages().stream().map(Event::id))
                        .containsExactlyElementsOf(ids.subList(last, 45));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void positionInTheQuery_isAsGood_andTheHeaderWins(Kind kind) {
        List<String> ids = say(kind, 1, 5);

        try (SseReader byQuery = open(kind, "&lastEventId=" + ids.get(2));
                SseReader byBoth =
                        builder(kind, "&lastEventId=" + ids.get(2)).lastEventId(ids.get(3)).open();
                SseReader byEmptyHeader =
                        builder(kind, "&lastEventId=" + ids.get(2))
                                .header("Last-Event-ID", "")
                                .open()) {
            assertThat(byQuery.awaitMessages(2).data()).containsExactly("4", "5");
            assertThat(byBoth.awaitMessages(1).data()).containsExactly("5");
            assertThat(byEmptyHeader.awaitMessages(2).data()).containsExactly("4", "5");
        }
    }

    @ParameterizedTest
    @EnumSource
    void readerThatHasSeenNothing_missesNothing(Kind kind) {
        try (SseReader reader =
                builder(kind, "").reconnecting().open().awaitConnected().awaitLastEventId()) {
            reader.stopReading();
            reader.dropConnection();
            say(kind, 1, 3);
            reader.continueReading();

            assertThat(reader.awaitMessages(3).data()).containsExactly("1", "2", "3");
            assertThat(reader.events("gap")).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void trimmedPosition_isAGap_thenAllRetained(Kind kind) {
        List<String> ids = say(kind, 1, 60);

        assertGapThenRetained(kind, ids.get(0), ids);
        assertGapThenRetained(kind, ids.get(8), ids);
        try (SseReader justInside = resume(kind, ids.get(9))) {
            assertThat(justInside.awaitMessages(HISTORY).data()).isEqualTo(numbers(11, 60));
            assertThat(justInside.events("gap")).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void positionOfAnotherRoom_orFromTheFuture_orOfAnotherTime_isAGap(Kind kind) {
        List<String> ids = say(kind, 1, 60);
        String epoch = ids.get(0).substring(0, ids.get(0).indexOf('-'));
        String elsewhere = Pods.sayAtLast(PODS.get(kind), room + "-other", "x");

        for (String id :
                List.of(elsewhere, epoch + "-61", epoch + "-999999999999999999", "x-30", "0-0")) {
            assertGapThenRetained(kind, id, ids);
        }
    }

    @ParameterizedTest
    @EnumSource
    void nonsense_isAGap_andNeverAnError(Kind kind) {
        List<String> ids = say(kind, 1, 60);

        for (String id :
                List.of(
                        "nonsense",
                        "-",
                        "a-",
                        "-1",
                        "a--1",
                        "A-1",
                        "1",
                        "k3f9-042",
                        "\"quoted\"",
                        "a b",
                        "x".repeat(100))) {
            assertGapThenRetained(kind, id, ids);
        }
        for (String id : List.of("\u0000", "\r\nevent: x\r\n\r\n", "é\uD83D\uDE00", "\t")) {
            String query = "&lastEventId=" + URLEncoder.encode(id, StandardCharsets.UTF_8);
            try (SseReader reader = open(kind, query)) {
                reader.awaitMessages(HISTORY);
                assertThat(reader.events("gap")).hasSize(1);
                assertThat(reader.data()).isEqualTo(numbers(11, 60));
            }
        }
        try (SseReader longest = open(kind, "&lastEventId=" + "y".repeat(3_000))) {
            longest.awaitMessages(HISTORY);
            assertThat(longest.events("gap").get(0).data()).contains("y".repeat(128) + "\"");
        }
    }

    @ParameterizedTest
    @EnumSource
    void bytesThatAreNoText_asPosition_areAGapToo(Kind kind) {
        say(kind, 1, 3);
        byte[] request =
                ("GET /events?room="
                                + room
                                + " HTTP/1.0\r\nLast-Event-ID: \u00ff\u0080\u00e9\r\n\r\n")
                        .getBytes(StandardCharsets.ISO_8859_1);

        try (RawStream stream = RawStream.open(PODS.get(kind).port(), request)) {
            stream.await("data: 3\n");
            assertThat(stream.text()).contains(" 200 ", "event: gap\n", "data: 1\n");
        }
    }

    @ParameterizedTest
    @EnumSource
    void history_isForFreshReaders_aPositionGoesFirst(Kind kind) {
        List<String> ids = say(kind, 1, 45);

        try (SseReader three = open(kind, "&history=3");
                SseReader thirty = open(kind, "&history=30");
                SseReader all = open(kind, "&history=1000");
                SseReader none = open(kind, "&history=0");
                SseReader resumed = builder(kind, "&history=30").lastEventId(ids.get(42)).open()) {
            assertThat(three.awaitMessages(3).data()).isEqualTo(numbers(43, 45));
            assertThat(thirty.awaitMessages(30).data()).isEqualTo(numbers(16, 45));
            assertThat(all.awaitMessages(45).data()).isEqualTo(numbers(1, 45));
            assertThat(resumed.awaitMessages(2).data()).isEqualTo(numbers(44, 45));
            none.awaitLastEventId();

            say(kind, 46, 46);
            assertThat(none.awaitMessages(1).data()).containsExactly("46");
            assertThat(three.awaitMessages(4).data()).isEqualTo(numbers(43, 46));
            assertThat(three.events()).hasSize(4);
        }
    }

    @ParameterizedTest
    @EnumSource
    void whilePublishingGoesOn_everyResumption_isWithoutHoleOrRepetition(Kind kind) {
        List<SseReader> readers = new ArrayList<>();
        try {
            for (int i = 0; i < 8; i++) {
                readers.add(
                        builder(kind, "&n=" + i)
                                .reconnecting()
                                .open()
                                .awaitConnected()
                                .awaitLastEventId());
            }

            int count = 640;
            for (int i = 1; i <= count; i++) {
                say(kind, i, i);
                readers.get(i * 5 % 7).dropConnection();
                if (i % 40 == 0) {
                    String latest = Integer.toString(i);
                    readers.forEach(reader -> reader.awaitData(latest));
                }
            }

            for (SseReader reader : readers) {
                assertThat(reader.data()).isEqualTo(numbers(1, count));
                assertThat(reader.events("gap")).isEmpty();
            }
            assertThat(readers.get(0).connections()).isGreaterThan(2);
        } finally {
            readers.forEach(SseReader::close);
        }
    }

    @ParameterizedTest
    @EnumSource
    void longTexts_moreThanASocketTakesAtOnce_arriveOnce(Kind kind) {
        Http http = new Http(PODS.get(kind).uri());
        List<String> numbers = numbers(1, 40);
        String padding = "x".repeat(60_000);
        String first = Pods.sayAtLast(PODS.get(kind), room, "0");

        try (SseReader slow = builder(kind, "").open().awaitLastEventId()) {
            slow.stopReading();
            numbers.forEach(number -> http.sendForm(number + padding, "room", room));
            slow.continueReading();

            try (SseReader resumed = resume(kind, first)) {
                for (SseReader reader : List.of(slow, resumed)) {
                    reader.awaitData(40 + padding);
                    assertThat(reader.data().stream().map(text -> text.replace("x", "")))
                            .containsExactlyElementsOf(numbers);
                }
            }
        }
    }

    @Test
    void positionFromOnePod_isResumedAtAnother() {
        List<String> ids = say(Kind.REDIS, 1, 30);

        for (int last : List.of(28, 3)) {
            try (SseReader reader =
                    SseReader.to(secondPod.uri("/events?room=" + room))
                            .lastEventId(ids.get(last - 1))
                            .open()) {
                reader.awaitMessages(30 - last);
                assertThat(reader.data()).isEqualTo(numbers(last + 1, 30));
                assertThat(reader.events("resumed")).hasSize(1);
            }
        }
    }

    private void assertGapThenRetained(Kind kind, String id, List<String> ids) {
        try (SseReader reader = resume(kind, id)) {
            reader.awaitMessages(HISTORY);

            String requested = id.replace("\"", "\\\"");
            assertThat(reader.events().get(0).type()).isEqualTo("gap");
            assertThat(reader.events().get(0).data())
                    .isEqualTo(
                            "{\"requested\":\"%s\",\"oldest\":\"%s\",\"newest\":\"%s\"}"
                                    .formatted(
                                            requested,
                                            ids.get(ids.size() - HISTORY),
                                            ids.get(ids.size() - 1)));
            assertThat(reader.data()).isEqualTo(numbers(ids.size() - HISTORY + 1, ids.size()));
            assertThat(reader.events("resumed")).isEmpty();
            assertThat(reader.status()).isEqualTo(200);
        }
    }

    private List<String> say(Kind kind, int first, int last) {
        Http http = new Http(PODS.get(kind).uri());
        return IntStream.rangeClosed(first, last)
                .mapToObj(i -> http.sendForm(Integer.toString(i), "room", room))
                .map(answer -> answer.header("Event-Id"))
                .toList();
    }

    private SseReader resume(Kind kind, String id) {
        return builder(kind, "").lastEventId(id).open();
    }

    private SseReader open(Kind kind, String query) {
        return builder(kind, query).open().awaitConnected();
    }

    private SseReaderBuilder builder(Kind kind, String query) {
        return SseReader.to(PODS.get(kind).uri("/events?room=" + room + query));
    }

    private static List<String> numbers(int first, int last) {
        return IntStream.rangeClosed(first, last).mapToObj(Integer::toString).toList();
    }
}
