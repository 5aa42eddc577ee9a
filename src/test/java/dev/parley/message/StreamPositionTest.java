package dev.parley.message;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StreamPositionTest {

    private static final String WRITTEN = "kitchen=k3f9-42,lobby=earliest,team.red=9xx1-7";

    @Test
    void position_isWrittenByRoom() {
        var position =
                new StreamPosition()
                        .append(new Room("kitchen"), "k3f9-42")
                        .append(Room.LOBBY, StreamPosition.EARLIEST)
                        .append(new Room("team.red"), "9xx1-7");

        assertThat(position).hasToString(WRITTEN);
        assertThat(position.length()).isEqualTo(WRITTEN.length());
    }

    @Test
    void positionWithoutRooms_isEmpty() {
        assertThat(new StreamPosition()).hasToString("");
        assertThat(new StreamPosition().length()).isZero();
    }

    @Test
    void writtenPosition_isParsed() {
        assertThat(StreamPosition.parse(WRITTEN))
                .contains(
                        new TreeMap<>(
                                Map.of(
                                        "kitchen",
                                        "k3f9-42",
                                        "lobby",
                                        "earliest",
                                        "team.red",
                                        "9xx1-7")));
    }

    @Test
    void roomsInAnyOrder_andOtherTextsThanIds_areParsed() {
        assertThat(StreamPosition.parse("b=1=2,a= "))
                .hasValueSatisfying(
                        positions ->
                                assertThat(positions)
                                        .containsExactly(
                                                Map.entry("a", " "), Map.entry("b", "1=2")));
    }

    @Test
    void oneRoom_withAShortName_isParsed() {
        assertThat(StreamPosition.parse("a=x"))
                .hasValueSatisfying(
                        positions -> assertThat(positions).containsExactly(Map.entry("a", "x")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ",",
                "=",
                "k3f9-42",
                "=k3f9-42",
                "a=1,",
                ",a=1",
                "a=1,,b=2",
                "a=1,b",
                "a,b=1",
                "a=1,a=2",
                "a=1,=2",
                "a b=1",
                ".a=1",
                "a=1, b=2"
            })
    void anyOtherText_isNoPosition(String written) {
        assertThat(StreamPosition.parse(written)).isEmpty();
    }
}
