package dev.parley.broker.redis;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.Room;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which server has a room, and which rooms move when the list changes. */
final class ServerListTest {

    private static final List<Room> ROOMS =
            IntStream.range(0, 20_000).mapToObj(i -> new Room("room-" + i)).toList();

    /** A room that gets another server by a change of the program loses its history. */
    @ParameterizedTest
    @CsvSource({
        "lobby, c",
        "kitchen, c",
        "team.red, b",
        "room-1, b",
        "room-2, b",
        "room-3, a",
        "a, c",
        "A, b"
    })
    void room_isOnTheServerOnWhichItWasInEveryVersion(String room, String server) {
        assertThat(ServerList.parse("a,b,c").serverOf(new Room(room))).isEqualTo(server);
    }

    @Test
    void orderOfTheNames_doesNotMatter() {
        var list = new ServerList(List.of("north", "south", "east"));
        var other = new ServerList(List.of("east", "north", "south"));

        assertThat(other).isEqualTo(list);
        assertThat(ROOMS).allMatch(room -> list.serverOf(room).equals(other.serverOf(room)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "a,b", "a,b,c", "redis1,redis2,redis3,redis4,redis5"})
    void rooms_areSpreadEvenly(String names) {
        var list = ServerList.parse(names);

        Map<String, Long> rooms = ROOMS.stream().collect(groupingBy(list::serverOf, counting()));

        assertThat(rooms).containsOnlyKeys(list.names());
        long fair = ROOMS.size() / list.names().size();
        assertThat(rooms.values())
                .allSatisfy(
                        count -> assertThat(count).isCloseTo(fair, Percentage.withPercentage(5)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {"a a,b", "a,b a,b,c", "a,c a,b,c", "a,b,c a,b,c,d", "b,c,d a,b,c,d"})
    void addedServer_takesItsShareOfTheRooms_andNoOtherRoomMoves(String before, String after) {
        var former = ServerList.parse(before);
        var present = ServerList.parse(after);
        String added =
                present.names().stream()
                        .filter(name -> !former.names().contains(name))
                        .findFirst()
                        .orElseThrow();

        List<Room> moved =
                ROOMS.stream()
                        .filter(room -> !present.serverOf(room).equals(former.serverOf(room)))
                        .toList();

        assertThat(moved).allMatch(room -> present.serverOf(room).equals(added));
        assertThat(moved.size())
                .isCloseTo(ROOMS.size() / present.names().size(), Percentage.withPercentage(5));
    }
}
