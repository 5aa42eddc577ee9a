package dev.parley.guarantees;

import static dev.parley.guarantees.MemoryAndRedisPods.HISTORY;
import static dev.parley.testsupport.TestRoom.numbers;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.guarantees.MemoryAndRedisPods.Kind;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.TestRoom;
import java.net.URLEncoder;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A reader that cannot resume at its position receives {@code gap} and all retained messages. */
@ExtendWith(MemoryAndRedisPods.Extension.class)
class GapIT {

    /** The number of messages that are published and no longer retained. */
    private static final int GONE = 10;

    private static final int PUBLISHED = GONE + HISTORY;

    private final MemoryAndRedisPods pods;

    GapIT(MemoryAndRedisPods pods) {
        this.pods = pods;
    }

    @ParameterizedTest
    @EnumSource
    void positionBeforeTheHistory_isAGap_unlessTheNextMessageIsRetained(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        List<String> ids = room.publishNumbers(1, PUBLISHED);

        assertGapThenRetained(room, ids.get(0), ids);
        assertGapThenRetained(room, ids.get(GONE - 2), ids);
        try (SseReader justInside = room.resume(ids.get(GONE - 1))) {
            assertThat(justInside.awaitMessages(HISTORY).data()).isEqualTo(retained());
            assertThat(justInside.events("gap")).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void positionOfAnotherRoom_ofTheFuture_orOfAnotherEpoch_isAGap(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        List<String> ids = room.publishNumbers(1, PUBLISHED);
        String epoch = RedisFaultBase.epoch(ids.get(0));
        String elsewhere = pods.newRoom(kind).publish("x");
        String next = epoch + "-" + (PUBLISHED + 1);

        for (String id : List.of(elsewhere, next, epoch + "-999999999999999999", "x-30", "0-0")) {
            assertGapThenRetained(room, id, ids);
        }
    }

    @ParameterizedTest
    @EnumSource
    void malformedPosition_isAGap_andNotAnError(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        List<String> ids = room.publishNumbers(1, PUBLISHED);

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
            assertGapThenRetained(room, id, ids);
        }
    }

    @ParameterizedTest
    @EnumSource
    void malformedPositionInTheQuery_isAGap_thatRepeatsItsFirst128Characters(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        room.publishNumbers(1, PUBLISHED);

        for (String id : List.of("\u0000", "\r\nevent: x\r\n\r\n", "é\uD83D\uDE00", "\t")) {
            try (SseReader reader = room.subscribe("lastEventId=" + URLEncoder.encode(id, UTF_8))) {
                assertThat(reader.awaitMessages(HISTORY).data()).isEqualTo(retained());
                assertThat(reader.events("gap")).hasSize(1);
            }
        }
        try (SseReader longest = room.subscribe("lastEventId=" + "y".repeat(3_000))) {
            assertThat(longest.awaitEvent("gap").data()).contains("\"" + "y".repeat(128) + "\"");
        }
    }

    @ParameterizedTest
    @EnumSource
    void positionThatIsNotUtf8_isAGap(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        room.publishNumbers(1, 3);
        String request =
                "GET /events?room=%s HTTP/1.0\r\nLast-Event-ID: \u00ff\u0080\u00e9\r\n\r\n"
                        .formatted(room.name());

        try (RawConnection stream =
                RawConnection.open(pods.pod(kind).port(), request.getBytes(ISO_8859_1))) {
            stream.await("data: 3\n");
            assertThat(stream.text()).contains(" 200 ", "event: gap\n", "data: 1\n");
        }
    }

    private static void assertGapThenRetained(TestRoom room, String id, List<String> ids) {
        try (SseReader reader = room.resume(id)) {
            reader.awaitMessages(HISTORY);

            String requested = id.replace("\"", "\\\"");
            assertThat(reader.events().get(0).type()).isEqualTo("gap");
            assertThat(reader.events().get(0).data())
                    .isEqualTo(
                            "{\"room\":\"%s\",\"requested\":\"%s\",\"oldest\":\"%s\",\"newest\":\"%s\"}"
                                    .formatted(
                                            room.name(),
                                            requested,
                                            ids.get(GONE),
                                            ids.get(PUBLISHED - 1)));
            assertThat(reader.data()).isEqualTo(retained());
            // The place before the oldest message, for a client that goes before it has one.
            assertThat(reader.positions())
                    .last()
                    .extracting(Event::id)
                    .isEqualTo(ids.get(GONE - 1));
            assertThat(reader.events("resumed")).isEmpty();
            assertThat(reader.status()).isEqualTo(200);
        }
    }

    private static List<String> retained() {
        return numbers(GONE + 1, PUBLISHED);
    }
}
