package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.guarantees.MemoryAndRedisPods.Kind;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.TestRoom;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A reader that returns with a position inside the history resumes there. */
@ExtendWith(MemoryAndRedisPods.Extension.class)
class ResumeIT {

    private final MemoryAndRedisPods pods;

    ResumeIT(MemoryAndRedisPods pods) {
        this.pods = pods;
    }

    @ParameterizedTest
    @EnumSource
    void knownPosition_isResumed_fromThePodsCopyAndFromTheHistory(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        List<String> ids = room.publishNumbers(1, 45);

        for (int last : List.of(45, 44, 40, 29, 20, 1)) {
            String id = ids.get(last - 1);
            try (SseReader reader = room.resume(id)) {
                reader.awaitMessages(45 - last).awaitConnected();

                Event first = reader.awaitEvent("resumed");
                assertThat(reader.events().get(0)).isEqualTo(first);
                assertThat(first.data())
                        .isEqualTo(
                                "{\"room\":\"%s\",\"from\":\"%s\",\"replayed\":%d}"
                                        .formatted(room.name(), id, 45 - last));
                assertThat(reader.data()).isEqualTo(numbers(last + 1, 45));
                assertThat(reader.messages())
                        .extracting(Event::id)
                        .isEqualTo(ids.subList(last, 45));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void positionInTheQuery_isUsed_unlessTheHeaderHasOne(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        List<String> ids = room.publishNumbers(1, 5);
        String query = "lastEventId=" + ids.get(2);

        try (SseReader withQuery = room.reader(query).open();
                SseReader otherSpelling = room.reader("last_event_id=" + ids.get(2)).open();
                SseReader bothSpellings =
                        room.reader("lastEventId=" + ids.get(3), "last_event_id=x-1").open();
                SseReader withEmptyHeader = room.reader(query).header("Last-Event-ID", "").open();
                SseReader withBoth = room.reader(query).lastEventId(ids.get(3)).open()) {
            assertThat(withQuery.awaitMessages(2).data()).containsExactly("4", "5");
            assertThat(otherSpelling.awaitMessages(2).data()).containsExactly("4", "5");
            assertThat(bothSpellings.awaitMessages(1).data()).containsExactly("5");
            assertThat(withEmptyHeader.awaitMessages(2).data()).containsExactly("4", "5");
            assertThat(withBoth.awaitMessages(1).data()).containsExactly("5");
        }
    }

    /** A library that reconnects with the same form sends both: the header is the newer one. */
    @ParameterizedTest
    @EnumSource
    void positionInAForm_isUsed_unlessTheHeaderHasOne(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        List<String> ids = room.publishNumbers(1, 5);
        String form = "room=" + room.name() + "&lastEventId=" + ids.get(2);
        URI events = pods.pod(kind).uri("/events");

        try (SseReader withForm = SseReader.to(events).form(form).open();
                SseReader withEmptyHeader =
                        SseReader.to(events).form(form).header("Last-Event-ID", "").open();
                SseReader withBoth =
                        SseReader.to(events).form(form).lastEventId(ids.get(3)).open()) {
            assertThat(withForm.awaitMessages(2).data()).containsExactly("4", "5");
            assertThat(withEmptyHeader.awaitMessages(2).data()).containsExactly("4", "5");
            assertThat(withBoth.awaitMessages(1).data()).containsExactly("5");
            assertThat(withBoth.events("gap")).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void readerWithoutMessages_reconnects_missesNothing(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        try (SseReader reader = room.reader().reconnecting().open()) {
            reader.awaitConnected().awaitLastEventId();

            reader.stopReading();
            reader.dropConnection();
            room.publishNumbers(1, 3);
            reader.continueReading();

            assertThat(reader.awaitMessages(3).data()).isEqualTo(numbers(1, 3));
            assertThat(reader.events("gap")).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void history_appliesToNewReaders_andAPositionTakesPrecedence(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        List<String> ids = room.publishNumbers(1, 45);

        try (SseReader three = room.subscribe("history=3");
                SseReader thirty = room.subscribe("history=30");
                SseReader all = room.subscribe("history=1000000");
                SseReader none = room.subscribe("history=0");
                SseReader resumed = room.reader("history=30").lastEventId(ids.get(42)).open()) {
            assertThat(three.awaitMessages(3).data()).isEqualTo(numbers(43, 45));
            assertThat(thirty.awaitMessages(30).data()).isEqualTo(numbers(16, 45));
            assertThat(all.awaitMessages(45).data()).isEqualTo(numbers(1, 45));
            assertThat(resumed.awaitMessages(2).data()).isEqualTo(numbers(44, 45));

            room.publish("46");
            assertThat(none.awaitMessages(1).data()).containsExactly("46");
            assertThat(three.awaitMessages(4).data()).isEqualTo(numbers(43, 46));
            assertThat(three.events()).hasSize(4);
        }
    }

    @ParameterizedTest
    @EnumSource
    void readersThatReconnectWhilePublishing_receiveEachMessageOnce(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        int count = 640;
        List<SseReader> readers = new ArrayList<>();
        try {
            for (int i = 0; i < 8; i++) {
                readers.add(room.reader().reconnecting().open());
            }
            readers.forEach(reader -> reader.awaitConnected().awaitLastEventId());

            for (int i = 1; i <= count; i++) {
                String number = Integer.toString(i);
                room.publish(number);
                readers.get(i * 5 % 7).dropConnection();
                if (i % 40 == 0) {
                    readers.forEach(reader -> reader.awaitData(number));
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
    void textsThatExceedTheSocketBuffer_arriveOnce(Kind kind) {
        TestRoom room = pods.newRoom(kind);
        List<String> numbers = numbers(1, 40);
        String padding = "x".repeat(60_000);
        String first = room.publish("0");

        try (SseReader slow = room.subscribe()) {
            slow.stopReading();
            numbers.forEach(number -> room.publish(number + padding));
            slow.continueReading();

            try (SseReader resumed = room.resume(first)) {
                for (SseReader reader : List.of(slow, resumed)) {
                    reader.awaitData(40 + padding);
                    assertThat(reader.data().stream().map(text -> text.replace(padding, "")))
                            .containsExactlyElementsOf(numbers);
                }
            }
        }
    }

    @Test
    void positionOfOnePod_isResumedAtAnother() {
        TestRoom room = pods.newRoom(Kind.REDIS);
        TestRoom roomAtAnotherPod = room.at(pods.second());
        List<String> ids = room.publishNumbers(1, 30);

        for (int last : List.of(28, 3)) {
            try (SseReader reader = roomAtAnotherPod.resume(ids.get(last - 1))) {
                assertThat(reader.awaitMessages(30 - last).data()).isEqualTo(numbers(last + 1, 30));
                assertThat(reader.events("resumed")).hasSize(1);
            }
        }
    }
}
