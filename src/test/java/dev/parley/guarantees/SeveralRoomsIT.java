package dev.parley.guarantees;

import static dev.parley.testsupport.Gzip.gzip;
import static dev.parley.testsupport.TestRoom.numbers;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.guarantees.MemoryAndRedisPods.Kind;
import dev.parley.message.Room;
import dev.parley.message.StreamPosition;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.TestRoom;
import dev.parley.testsupport.Timeouts;
import java.net.URI;
import java.net.URLEncoder;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One stream reads several rooms, and its id is the position in all of them. */
@ExtendWith(MemoryAndRedisPods.Extension.class)
class SeveralRoomsIT {

    private final MemoryAndRedisPods pods;

    SeveralRoomsIT(MemoryAndRedisPods pods) {
        this.pods = pods;
    }

    @ParameterizedTest
    @EnumSource
    void connectionThatBreaks_isContinuedInEveryRoom(Kind kind) {
        List<TestRoom> rooms = newRooms(kind, 3);
        try (SseReader reader = open(kind, rooms)) {
            rooms.forEach(room -> room.publishNumbers(1, 3));
            await(reader, rooms, 3);

            reader.stopReading();
            rooms.get(0).publishNumbers(4, 5);
            reader.dropConnection();
            // More than the pod's copy of the log has: it is read from the history.
            rooms.get(1).publishNumbers(4, 40);
            reader.continueReading();

            await(reader, rooms.subList(1, 2), 40);
            await(reader, rooms.subList(0, 1), 5);
            assertThat(RoomEvents.of(reader, rooms.get(2).name()).texts()).isEqualTo(numbers(1, 3));
            assertThat(reader.events("gap")).isEmpty();
            assertThat(reader.events("resumed")).hasSize(3);
            assertThat(reader.connections()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @EnumSource
    void eachMessage_hasThePositionInAllRooms(Kind kind) {
        List<TestRoom> rooms = newRooms(kind, 2);
        try (SseReader reader = open(kind, rooms)) {
            String first = rooms.get(0).publish("hello");
            reader.awaitMessages(1);
            String second = rooms.get(1).publish("hello");
            reader.awaitMessages(2);

            Event last = reader.messages().get(1);
            assertThat(StreamPosition.parse(last.id()).orElseThrow())
                    .hasSize(2)
                    .containsEntry(rooms.get(0).name(), first)
                    .containsEntry(rooms.get(1).name(), second);
            assertThat(reader.messages().get(0).id()).contains(rooms.get(1).name() + "=");
        }
    }

    @ParameterizedTest
    @EnumSource
    void roomsThatAreAddedAndLeftOut_changeNothingForTheOthers(Kind kind) {
        List<TestRoom> rooms = newRooms(kind, 3);
        String id;
        try (SseReader reader = open(kind, rooms.subList(0, 2))) {
            rooms.forEach(room -> room.publish("1"));
            id = reader.awaitMessages(2).lastEventId();
        }
        rooms.forEach(room -> room.publish("2"));

        List<TestRoom> next = rooms.subList(1, 3);
        try (SseReader reader =
                SseReader.to(pods.pod(kind).uri(path(next))).lastEventId(id).open()) {
            reader.awaitConnected();
            await(reader, rooms.subList(1, 2), 1);
            Timeouts.await("position in the added room")
                    .until(() -> reader.lastEventId().contains(rooms.get(2).name() + "="));
            next.forEach(room -> room.publish("3"));
            reader.awaitMessages(3);

            assertThat(texts(reader, rooms.get(0))).isEmpty();
            assertThat(texts(reader, rooms.get(1))).containsExactly("2", "3");
            assertThat(texts(reader, rooms.get(2))).containsExactly("3");
            assertThat(reader.lastEventId()).doesNotContain(rooms.get(0).name() + "=");
        }
    }

    @ParameterizedTest
    @EnumSource
    void pageOfOneRoom_thatReadsAnotherOneToo_keepsItsPlace_andBack(Kind kind) {
        List<TestRoom> rooms = newRooms(kind, 2);
        String ofOneRoom = rooms.get(0).publish("1");
        rooms.get(0).publish("2");
        rooms.get(1).publish("1");

        String ofBoth;
        try (SseReader both =
                SseReader.to(pods.pod(kind).uri(path(rooms))).lastEventId(ofOneRoom).open()) {
            ofBoth = both.awaitMessages(1).awaitEvents(2).lastEventId();
            assertThat(texts(both, rooms.get(0))).containsExactly("2");
            assertThat(texts(both, rooms.get(1))).isEmpty();
        }
        rooms.get(0).publish("3");
        try (SseReader one = rooms.get(0).resume(ofBoth)) {
            assertThat(one.awaitMessages(1).data()).containsExactly("3");
            assertThat(one.events("gap")).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void gap_namesItsRoom_andTheOtherRoomIsResumed(Kind kind) {
        List<TestRoom> rooms = newRooms(kind, 2);
        String known = rooms.get(0).publish("1");
        rooms.get(0).publish("2");
        rooms.get(1).publishNumbers(1, 3);
        String id = rooms.get(0).name() + "=" + known + "," + rooms.get(1).name() + "=gone-7";

        try (SseReader reader =
                SseReader.to(pods.pod(kind).uri(path(rooms))).lastEventId(id).open()) {
            reader.awaitMessages(4);

            assertThat(reader.events("gap"))
                    .singleElement()
                    .satisfies(
                            gap ->
                                    assertThat(gap.data())
                                            .startsWith(
                                                    "{\"room\":\"%s\",\"requested\":\"gone-7\""
                                                            .formatted(rooms.get(1).name())));
            assertThat(reader.awaitEvent("resumed").data())
                    .startsWith("{\"room\":\"" + rooms.get(0).name() + "\"");
            assertThat(texts(reader, rooms.get(0))).containsExactly("2");
            assertThat(texts(reader, rooms.get(1))).isEqualTo(numbers(1, 3));
        }
    }

    @ParameterizedTest
    @EnumSource
    void history_isGivenOfEveryRoom(Kind kind) {
        List<TestRoom> rooms = newRooms(kind, 2);
        rooms.forEach(room -> room.publishNumbers(1, 40));

        try (SseReader reader =
                SseReader.to(pods.pod(kind).uri(path(rooms) + "&history=30")).open()) {
            reader.awaitMessages(60);

            rooms.forEach(room -> assertThat(texts(reader, room)).isEqualTo(numbers(11, 40)));
        }
    }

    @Test
    void everyRoomContinues_onAnotherPod() {
        List<TestRoom> rooms = newRooms(Kind.REDIS, 3);
        try (SseReader reader = open(Kind.REDIS, rooms)) {
            rooms.forEach(room -> room.publishNumbers(1, 2));
            String id = reader.awaitMessages(6).lastEventId();
            reader.close();
            rooms.forEach(room -> room.publishNumbers(3, 4));

            try (SseReader other =
                    SseReader.to(pods.second().uri(path(rooms))).lastEventId(id).open()) {
                await(other, rooms, 2);
                rooms.forEach(room -> assertThat(texts(other, room)).containsExactly("3", "4"));
                assertThat(other.events("gap")).isEmpty();
            }
        }
    }

    /** A library that reconnects with the same form sends both: the header is the newer one. */
    @ParameterizedTest
    @EnumSource
    void positionInAForm_isUsed_unlessTheHeaderHasOne(Kind kind) {
        List<TestRoom> rooms = newRooms(kind, 2);
        List<String> first = rooms.get(0).publishNumbers(1, 5);
        List<String> second = rooms.get(1).publishNumbers(1, 5);
        String name = rooms.get(0).name();
        String other = rooms.get(1).name();
        String third = "%s=%s,%s=%s".formatted(name, first.get(2), other, second.get(2));
        String fourth = "%s=%s,%s=%s".formatted(name, first.get(3), other, second.get(3));
        String form =
                "room=%s&room=%s&format=json&lastEventId=%s"
                        .formatted(name, other, URLEncoder.encode(third, UTF_8));
        URI events = pods.pod(kind).uri("/events");

        try (SseReader withForm = SseReader.to(events).form(form).open();
                SseReader withBoth = SseReader.to(events).form(form).lastEventId(fourth).open()) {
            withForm.awaitMessages(4);
            withBoth.awaitMessages(2);
            for (TestRoom room : rooms) {
                assertThat(texts(withForm, room)).containsExactly("4", "5");
                assertThat(texts(withBoth, room)).containsExactly("5");
            }
            assertThat(withBoth.events("gap")).isEmpty();
        }
    }

    /** A new EventSource has no other way to say where the former one was. */
    @ParameterizedTest
    @EnumSource
    void positionInFiftyRooms_mayBeInTheUrl(Kind kind) {
        Http http = pods.http(kind);
        List<String> names =
                IntStream.range(0, 50)
                        .mapToObj(i -> "position." + "x".repeat(52) + (100 + i))
                        .toList();
        String rooms = names.stream().collect(joining("&room=", "/events?format=json&room=", ""));
        names.forEach(name -> http.sendForm("first", "room", name));
        String id;
        try (SseReader reader = SseReader.open(pods.pod(kind).uri(rooms))) {
            reader.await(
                    "position in all rooms",
                    open -> names.stream().allMatch(open.lastEventId()::contains));
            http.sendForm("before", "room", names.get(49));
            id = reader.awaitMessages(1).lastEventId();
        }
        http.sendForm("meanwhile", "room", names.get(0));
        String withPosition = rooms + "&lastEventId=" + URLEncoder.encode(id, UTF_8);

        assertThat(names).allMatch(name -> name.length() == Room.MAX_LENGTH);
        try (SseReader reader = SseReader.open(pods.pod(kind).uri(withPosition))) {
            assertThat(reader.awaitMessages(1).data().get(0)).contains("meanwhile");
        }
    }

    @Test
    void formNamesMoreRooms_thanAQueryMay() {
        List<String> names = IntStream.range(0, 120).mapToObj(i -> "form-" + i).toList();
        String form = names.stream().map(name -> "room=" + name).collect(joining("&"));
        byte[] request =
                """
                POST /events HTTP/1.1\r
                Host: localhost\r
                Content-Type: application/x-www-form-urlencoded\r
                Content-Length: %d\r
                \r
                %s&format=json"""
                        .formatted(form.length() + "&format=json".length(), form)
                        .getBytes(UTF_8);

        try (RawConnection stream = RawConnection.open(pods.pod(Kind.REDIS).port(), request)) {
            stream.await("event: position\n");
            stream.await("form-99=");
            pods.http(Kind.REDIS).sendForm("first", "room", "form-0");
            pods.http(Kind.REDIS).sendForm("last", "room", "form-119");
            stream.await("\"text\":\"first\"");
            stream.await("\"text\":\"last\"");
            assertThat(stream.text())
                    .startsWith("HTTP/1.1 200 OK\r\n")
                    .contains("text/event-stream;charset=utf-8")
                    .contains("form-0=")
                    .contains("form-119=");
        }
    }

    @Test
    void whatIsWrong_isRefusedWithItsCode() {
        Http http = pods.http(Kind.MEMORY).with("Accept", "text/event-stream, application/json");

        assertProblem(http.get("/events?room=a&room=b"), 400, "bad-format");
        assertProblem(http.get("/events?room=a&room=b%20&format=json"), 400, "bad-room");
        assertProblem(http.get(manyRooms(51)), 400, "too-many-rooms");
        Http.Answer json = pods.http(Kind.MEMORY).post("/events", "application/json", "{}");
        assertThat(json.status()).isEqualTo(415);
        assertThat(json.body()).contains("application/x-www-form-urlencoded");
        assertThat(http.call("HEAD", manyRooms(50)).status()).isEqualTo(200);
    }

    /** If they were read as something else, the stream would be of the lobby. */
    @Test
    void formInAnotherEncoding_isRead_orRefused() {
        Http http = pods.http(Kind.MEMORY).with("Accept", "application/json, text/event-stream");
        String form = "application/x-www-form-urlencoded";
        String wrong = "room=a&room=%20";

        for (byte[] body : List.of(wrong.getBytes(UTF_8), ("\uFEFF" + wrong).getBytes(UTF_8))) {
            assertProblem(http.post("/events", form, body), 400, "bad-room");
        }
        assertProblem(
                http.post("/events", form + ";charset=utf-16", wrong.getBytes(UTF_16)),
                400,
                "bad-room");
        assertProblem(
                http.with("Content-Encoding", "gzip").post("/events", form, gzip(wrong)),
                400,
                "bad-room");
        assertProblem(
                http.with("Content-Encoding", "br").post("/events", form, wrong.getBytes(UTF_8)),
                415,
                "unsupported-encoding");
        assertProblem(
                http.post("/events", form + ";charset=klingon", wrong.getBytes(UTF_8)),
                415,
                "unsupported-media-type");
        assertProblem(
                http.post("/events", form, new byte[] {'a', '=', (byte) 0xff}), 400, "bad-form");
        assertProblem(http.post("/events", form, new byte[65_537]), 413, "request-too-large");
        assertProblem(
                http.with("Content-Encoding", "gzip")
                        .post("/events", form, gzip("x".repeat(65_537))),
                413,
                "request-too-large");
    }

    /** If it were ignored, the stream would be of the lobby, or would begin in another place. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "room=a",
                "format=json",
                "history=5",
                "heartbeat=5",
                "lastEventId=k3f9-42",
                "last_event_id=k3f9-42",
                "room=&room=a",
                "%72oom=a"
            })
    void fieldInTheQuery_besideAForm_isRefused_andNamed(String query) {
        Http http = pods.http(Kind.MEMORY).with("Accept", "application/json, text/event-stream");
        String form = "application/x-www-form-urlencoded";

        for (String body : List.of("", "room=a")) {
            Http.Answer answer = http.post("/events?" + query, form, body);

            assertProblem(answer, 400, "bad-form");
            assertThat(answer.json().path("detail").textValue())
                    .matches(
                            "bad form: (room|format|history|heartbeat|lastEventId|last_event_id) is in the query, .*; send it in the body, as a form");
        }
    }

    @Test
    void parameterWithoutAValue_orOfAnotherName_besideAForm_isIgnored_asWithGet() {
        Http http = pods.http(Kind.MEMORY).with("Accept", "application/json, text/event-stream");
        String form = "application/x-www-form-urlencoded";

        assertProblem(http.post("/events?room=&x=1", form, "room=%20"), 400, "bad-room");
        assertProblem(http.post("/events?", form, "room=%20"), 400, "bad-room");
    }

    private static void assertProblem(Http.Answer answer, int status, String code) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(status);
        assertThat(answer.json().path("code").textValue()).isEqualTo(code);
    }

    private static String manyRooms(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> "room=r" + i)
                .collect(joining("&", "/events?", "&format=json"));
    }

    private List<TestRoom> newRooms(Kind kind, int count) {
        return Stream.generate(() -> pods.newRoom(kind)).limit(count).toList();
    }

    private SseReader open(Kind kind, List<TestRoom> rooms) {
        return SseReader.to(pods.pod(kind).uri(path(rooms)))
                .reconnecting()
                .open()
                .awaitConnected()
                .awaitLastEventId();
    }

    private static void await(SseReader reader, List<TestRoom> rooms, int messages) {
        for (TestRoom room : rooms) {
            Timeouts.await(messages + " messages of " + room.name() + ", for " + reader)
                    .until(() -> texts(reader, room).size() >= messages);
            assertThat(texts(reader, room)).hasSize(messages);
        }
    }

    private static List<String> texts(SseReader reader, TestRoom room) {
        return RoomEvents.of(reader, room.name()).texts();
    }

    private static String path(List<TestRoom> rooms) {
        return rooms.stream()
                .map(room -> "room=" + room.name())
                .collect(joining("&", "/events?", "&format=json"));
    }
}
