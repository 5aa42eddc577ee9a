package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.SharedPod;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that no call gets to see are refused in words all the same. */
@ExtendWith(SharedPod.Extension.class)
final class BadRequestIT {

    private static final String NO_HOST = "bad request: it names no Host";
    private static final String LONG_QUERY = "?msg=" + "a".repeat(4096);

    private final SharedPod pod;
    private final Http http;

    BadRequestIT(SharedPod pod) {
        this.pod = pod;
        http = pod.http();
    }

    @Test
    void requestWithoutHost_isRefusedInWords_andIsNoErrorOfTheServer() {
        String line = http.raw("POST /send?msg=a HTTP/1.1\r\nConnection: close\r\n\r\n");
        String problem =
                http.raw(
                        """
                        GET /events HTTP/1.1\r
                        Accept: application/json\r
                        Connection: close\r
                        \r
                        """);

        assertThat(line).startsWith("HTTP/1.1 400 ").endsWith("\r\n\r\n" + NO_HOST + "\n");
        assertThat(problem)
                .contains("application/problem+json")
                .contains("\"detail\":\"" + NO_HOST + "\"");
        assertThat(pod.process().log()).doesNotContain("ERROR");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/events", "/rooms/lobby/messages", "/", "/nothing"})
    void longTarget_isRefusedInWords(String path) {
        Http.Answer line = http.get(path + LONG_QUERY);
        Http.Answer problem = http.with("Accept", "application/json").get(path + LONG_QUERY);

        assertThat(line.status()).isEqualTo(414);
        assertThat(line.body()).startsWith("URI too long: ").hasLineCount(1);
        assertThat(problem.header("Content-Type")).isEqualTo("application/problem+json");
        assertThat(problem.body()).contains("\"status\":414");
    }

    @Test
    void longTarget_thatPublishes_isAccepted() {
        assertThat(http.call("POST", "/send" + LONG_QUERY).status()).isEqualTo(200);
    }
}
