package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpDateTest {

    /** RFC 9110 §5.6.7: two digits for the day, and names of English in every locale. */
    @ParameterizedTest
    @CsvSource({
        "1994-11-06T08:49:37Z, 'Sun, 06 Nov 1994 08:49:37 GMT'",
        "1994-11-06T08:49:37.999Z, 'Sun, 06 Nov 1994 08:49:37 GMT'",
        "1994-11-06T08:49:38Z, 'Sun, 06 Nov 1994 08:49:38 GMT'",
        "2026-09-30T23:59:59.999Z, 'Wed, 30 Sep 2026 23:59:59 GMT'",
        "1994-11-06T08:49:37Z, 'Sun, 06 Nov 1994 08:49:37 GMT'"
    })
    void time_isWrittenToTheSecond(Instant time, String expected) {
        assertThat(HttpDate.at(time)).isEqualTo(expected);
    }
}
