package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class QueryParametersTest {

    @ParameterizedTest
    @CsvSource({"1, 1", "500, 500", "0005, 5", "000000500, 500"})
    void number_isReadWithZerosInFront(String written, int number) {
        assertThat(limit(written)).isEqualTo(number);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "501", "+5", "-5", " 5", "5.0", "x", "9999999999", "0000000005"})
    void numberOutOfBounds_orWithAnythingButDigits_isRefused(String written) {
        assertThatExceptionOfType(RefusedRequest.class)
                .isThrownBy(() -> limit(written))
                .withMessage("bad limit: a number from 1 to 500 is expected");
    }

    private static int limit(String written) {
        return QueryParameters.number(ErrorCode.BAD_LIMIT, "limit", written, 1, 500, 50);
    }
}
