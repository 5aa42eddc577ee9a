package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.SharedPod;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A request that is refused before it reaches a call gets the reason like any other. */
@ExtendWith(SharedPod.Extension.class)
final class BadRequestIT {

    private static final String NO_HOST = "bad request: the Host header is missing";
    private static final String LONG_QUERY = "?msg=" + "a".repeat(4096);

    private final SharedPod pod;
    private final Http http;

    BadRequestIT(SharedPod pod) {
        this.pod = pod;
        http = pod.http();
    }

    @Test
    void requestWithoutHost_isRefusedWithTheReason_andLogsNoError() {
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
                .contains("\"code\":\"bad-request\"")
                .contains("\"detail\":\"" + NO_HOST + "\"");
        assertThat(pod.process().log()).doesNotContain("ERROR");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a/b", "a b", "a:x"})
    void requestWithAHostThatIsNotOne_isRefusedWithTheReason(String host) {
        String answer =
                http.raw("GET /events HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");

        assertThat(answer)
                .startsWith("HTTP/1.1 400 ")
                .contains("bad request: the Host header is not a host with or without a port");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/clock", "/rooms/lobby/messages", "/", "/nothing"})
    void longTarget_isRefusedWithTheReason(String path) {
        Http.Answer line = http.get(path + LONG_QUERY);
        Http.Answer problem = http.with("Accept", "application/json").get(path + LONG_QUERY);

        assertThat(line.status()).isEqualTo(414);
        assertThat(line.body()).startsWith("URI too long: ").hasLineCount(1);
        assertThat(problem.header("Content-Type")).isEqualTo("application/problem+json");
        assertThat(problem.body()).contains("\"code\":\"uri-too-long\"", "\"status\":414");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/send", "/send/"})
    void longTargetOfAPublish_isAccepted(String path) {
        assertThat(http.call("POST", path + LONG_QUERY).status()).isEqualTo(200);
    }
}
