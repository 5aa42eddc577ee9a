package dev.parley.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StreamPositionTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a=e-1 | a | a=e-22",
                "a=e-1,b=f-7 | a | a=e-22,b=f-7",
                "a=e-1,b=f-7 | b | a=e-1,b=e-22",
                "a=e-1,b=f-7,c=g-9 | b | a=e-1,b=e-22,c=g-9",
                "aa=e-1,a=f-7 | a | aa=e-1,a=e-22",
                "a.b=e-1,b=f-7 | b | a.b=e-1,b=e-22",
                "b-a=e-1,a=unknown | a | b-a=e-1,a=e-22",
            })
    void positionInARoom_isReplaced(String written, String room, String replaced) {
        assertThat(StreamPosition.replace(written, new Room(room), "e-22")).isEqualTo(replaced);
    }

    @Test
    void roomThatIsNotInIt_isRefused() {
        for (String written : new String[] {"", "a=e-1", "aa=e-1,ba=e-2", "a=e-1,bb=e-2"}) {
            assertThatThrownBy(() -> StreamPosition.replace(written, new Room("b"), "e-22"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("b");
        }
    }
}
