package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.SharedPod;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A part of a page can be asked for (RFC 9110 §14.2). */
@ExtendWith(SharedPod.Extension.class)
class PageRangeIT {

    private static final String PAGE = "/index.html";

    private final Http http;

    PageRangeIT(SharedPod pod) {
        http = pod.http();
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes=0-9", "bytes=3-12"})
    void rangeWithinThePage_isAnsweredWithItsBytes(String range) {
        Answer answer = ask(range);

        assertThat(answer.status()).isEqualTo(206);
        assertThat(answer.body()).hasSize(10);
        assertThat(http.get(PAGE).body()).contains(answer.body());
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes=5-2", "bytes=999999-", "bytes=9223372036854775808-"})
    void rangeThatIsNotInThePage_isRefused(String range) {
        assertThat(ask(range).status()).isEqualTo(416);
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes=abc", "items=0-1", "bytes=0-1,3-4", "bytes=-5"})
    void rangeOfAnotherKind_isIgnored(String range) {
        Answer answer = ask(range);

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo(http.get(PAGE).body());
    }

    private Answer ask(String range) {
        return http.with("Range", range).get(PAGE);
    }
}
