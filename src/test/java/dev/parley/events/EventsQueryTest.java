package dev.parley.events;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.delivery.SubscribeRequest;
import dev.parley.delivery.SubscribeRequest.RoomStart;
import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.events.EventsResource.EventsQuery;
import dev.parley.http.RefusedRequest;
import dev.parley.http.UrlEncodedForm;
import dev.parley.message.EventId;
import dev.parley.message.InvalidRequest;
import dev.parley.message.Room;
import dev.parley.message.StreamPosition;
import java.net.URLEncoder;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which rooms a stream reads, and where it starts in each. */
class EventsQueryTest {

    private static final StartPosition TAIL = new StartPosition.Tail();
    private static final StartPosition UNKNOWN = new StartPosition.Unknown("unknown");

    @Test
    void withoutRooms_theLobbyIsRead() {
        assertThat(starts("", null)).containsExactly(new RoomStart(Room.LOBBY, TAIL));
    }

    @Test
    void rooms_areSortedByName_andReadOnce() {
        assertThat(starts("room=b&room=a&room=b&format=json", null))
                .containsExactly(room("a", TAIL), room("b", TAIL));
    }

    @Test
    void idOfSeveralRooms_isAPositionInEachOfThem_andOthersHaveNone() {
        assertThat(starts("room=b&room=c&room=d&format=json", "a=k3f9-1,b=9xx1-2,c=zz-3"))
                .containsExactly(
                        room("b", after("9xx1", 2)), room("c", after("zz", 3)), room("d", TAIL));
    }

    @Test
    void roomThatIsNotInTheId_beginsWithTheHistoryThatIsAskedFor() {
        assertThat(starts("room=b&room=c&history=5&format=json", "b=9xx1-2"))
                .containsExactly(
                        room("b", after("9xx1", 2)), room("c", new StartPosition.Newest(5)));
    }

    @Test
    void idOfSeveralRooms_continuesAStreamOfOne() {
        assertThat(starts("room=b", "a=k3f9-1,b=9xx1-2"))
                .containsExactly(room("b", after("9xx1", 2)));
    }

    @Test
    void idOfOneRoom_isAPositionInTheFirstRoomThatIsGiven() {
        assertThat(starts("room=z&room=a&format=json", "k3f9-1"))
                .containsExactly(room("a", TAIL), room("z", after("k3f9", 1)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nonsense",
                "a=k3f9-1,",
                ",a=k3f9-1",
                "=k3f9-1",
                "a=k3f9-1,a=k3f9-2",
                "a b=k3f9-1",
                "a",
                "k3f9-1,k3f9-2"
            })
    void textThatIsNoId_isAnUnknownPositionInEveryRoom(String id) {
        StartPosition unknown = new StartPosition.Unknown(id);

        assertThat(starts("room=a&room=b&format=json", id))
                .containsExactly(room("a", unknown), room("b", unknown));
    }

    @Test
    void positionThatIsNone_isUnknownInItsRoomAlone() {
        assertThat(starts("room=a&room=b&format=json", "a=oops=1,b=9xx1-2"))
                .containsExactly(
                        room("a", new StartPosition.Unknown("oops=1")),
                        room("b", after("9xx1", 2)));
    }

    /** An id that is blank would come back from a browser as none. */
    @ParameterizedTest
    @ValueSource(strings = {"a=", "a= ", " "})
    void blankPosition_isWrittenAsUnknown(String id) {
        assertThat(starts("room=a", id)).containsExactly(room("a", UNKNOWN));
    }

    @Test
    void earliest_holdsForEveryRoom() {
        StartPosition all = new StartPosition.Newest(StartPosition.ALL);

        assertThat(starts("room=a&room=b&format=json&lastEventId=earliest", null))
                .containsExactly(room("a", all), room("b", all));
    }

    @Test
    void earliest_isWrittenForEachRoom_andReadFromAnId() {
        StartPosition all = new StartPosition.Newest(StartPosition.ALL);
        String query = "room=a&room=b&format=json";
        var request = form(query + "&lastEventId=earliest", null).subscribeRequest("203.0.113.1");

        assertThat(request.requested()).contains("a=earliest,b=earliest");
        assertThat(starts(query, "a=9xx1-2,b=earliest"))
                .containsExactly(room("a", after("9xx1", 2)), room("b", all));
    }

    @Test
    void requestedPosition_isWrittenAsTheStreamWritesIt() {
        var request =
                form("room=b&room=a&room=c&format=json", "c=oops,b=9xx1-2,d=k3f9-4")
                        .subscribeRequest("203.0.113.1");

        assertThat(request.requested()).contains("b=9xx1-2,c=unknown");
    }

    @Test
    void requestWithoutAPosition_hasNone() {
        assertThat(request("room=b&room=a&format=json&history=3", null).requested())
                .isEqualTo(Optional.empty());
    }

    @ParameterizedTest
    @CsvSource({
        "room=a&room=b, bad format: a stream of several rooms needs format=json",
        "room=a&room=b&format=text, bad format: a stream of several rooms needs format=json",
        "room=a&room=b&format=xml, 'bad format: one of json, text is expected'",
        "room=%zz, bad form: a % is not followed by two hexadecimal digits"
    })
    void badRequest_isRefusedWithWhatWouldBeRight(String form, String detail) {
        assertThatThrownBy(() -> request(form, null))
                .isInstanceOf(RefusedRequest.class)
                .hasMessageStartingWith(detail);
    }

    @ParameterizedTest
    @CsvSource({"room=a&room=%20&format=json", "room=a;room=b", "room=a&room=b;&format=json"})
    void badRoomAmongOthers_isRefused(String form) {
        assertThatThrownBy(() -> request(form, null))
                .isInstanceOf(InvalidRequest.class)
                .hasMessageStartingWith("bad room");
    }

    /** A library that reconnects with the same form, or URL, sends both. */
    @Test
    void headerTakesPrecedence_overThePositionInTheForm() {
        assertThat(starts("room=a&lastEventId=k3f9-3", "k3f9-4"))
                .containsExactly(room("a", after("k3f9", 4)));
        assertThat(starts("room=a&lastEventId=earliest", "k3f9-4"))
                .containsExactly(room("a", after("k3f9", 4)));
        assertThat(
                        starts(
                                "room=a&room=b&format=json&lastEventId=a=k3f9-3,b=9xx1-3",
                                "a=k3f9-4,b=9xx1-4"))
                .containsExactly(room("a", after("k3f9", 4)), room("b", after("9xx1", 4)));
        assertThat(starts("room=a&lastEventId=k3f9-3", ""))
                .containsExactly(room("a", after("k3f9", 3)));
    }

    @Test
    void numbers_mayHaveZerosInFront() {
        assertThat(starts("room=a&history=0005", null))
                .containsExactly(room("a", new StartPosition.Newest(5)));
        assertThat(request("room=a&heartbeat=0008", null).heartbeat().pause())
                .contains(Duration.ofSeconds(8));
    }

    @Test
    void longestPosition_inFiftyRooms_isAHeaderBelow6Kb_thatNeedsNoPreflight() {
        String position = longestPosition(EventsQuery.MAX_ROOMS);

        assertThat(position).hasSizeLessThanOrEqualTo(6 * 1024).matches("[A-Za-z0-9._=,-]+");
        assertThat(starts(longestRooms(EventsQuery.MAX_ROOMS), position))
                .hasSize(EventsQuery.MAX_ROOMS)
                .allMatch(start -> start.start() instanceof StartPosition.After);
    }

    @Test
    void longestPosition_inAsManyRoomsAsAFormMayName_fitsIntoTheForm_withTheRooms() {
        String rooms = longestRooms(EventsQuery.MAX_ROOMS_OF_FORM);
        String position = longestPosition(EventsQuery.MAX_ROOMS_OF_FORM);
        String form = rooms + "&lastEventId=" + URLEncoder.encode(position, UTF_8);

        assertThat(form).hasSizeLessThanOrEqualTo(EventsQuery.MAX_FORM);
        assertThat(starts(form, null))
                .hasSize(EventsQuery.MAX_ROOMS_OF_FORM)
                .allMatch(start -> start.start() instanceof StartPosition.After);
    }

    private static String longestRooms(int count) {
        return longestNames(count)
                .map(room -> "room=" + room.name())
                .collect(Collectors.joining("&", "", "&format=json"));
    }

    /** The position with the longest epoch and the longest offset in each room. */
    private static String longestPosition(int count) {
        String id = "z".repeat(32) + "-" + "9".repeat(18);
        assertThat(EventId.parse(id)).isPresent();
        assertThat(EventId.parse("z" + id)).as("a longer epoch").isEmpty();
        assertThat(EventId.parse(id + "9")).as("a longer offset").isEmpty();
        var position = new StreamPosition();
        longestNames(count).forEach(room -> position.append(room, id));
        return position.toString();
    }

    private static Stream<Room> longestNames(int count) {
        String most = "x".repeat(Room.MAX_LENGTH - 3);
        return IntStream.range(0, count).mapToObj(i -> new Room(most + (100 + i)));
    }

    @Test
    void emptyValues_countAsAbsent() {
        assertThat(starts("room=&format=&history=&heartbeat=&lastEventId=", ""))
                .containsExactly(new RoomStart(Room.LOBBY, TAIL));
        assertThat(starts("room=&room=a&last_event_id=k3f9-1&lastEventId=", null))
                .containsExactly(room("a", after("k3f9", 1)));
    }

    @Test
    void formMayNameMoreRoomsThanAQuery_butNotAnyNumber() {
        assertThat(starts(rooms(200), null)).hasSize(200);
        assertThatThrownBy(() -> request(rooms(201), null))
                .isInstanceOf(RefusedRequest.class)
                .hasMessage("too many rooms: a stream reads at most 50, and 200 with POST /events");
        assertThatThrownBy(() -> request(rooms(1100), null))
                .isInstanceOf(RefusedRequest.class)
                .hasMessage("bad form: it has more than 1024 fields");
    }

    private static String rooms(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> "room=r" + i)
                .collect(Collectors.joining("&", "", "&format=json"));
    }

    private static List<RoomStart> starts(String form, @Nullable String lastEventId) {
        return request(form, lastEventId).rooms();
    }

    private static SubscribeRequest request(String form, @Nullable String lastEventId) {
        return form(form, lastEventId).subscribeRequest("203.0.113.1");
    }

    private static EventsQuery form(String form, @Nullable String lastEventId) {
        return EventsQuery.readForm(UrlEncodedForm.read(form, UTF_8), lastEventId);
    }

    private static RoomStart room(String name, StartPosition start) {
        return new RoomStart(new Room(name), start);
    }

    private static StartPosition after(String epoch, long offset) {
        return new StartPosition.After(new EventId(epoch, offset));
    }
}
