package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SharedPod;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.format.DateTimeFormatter;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A browser neither stores an answer nor takes it for another type than it says, and each answer
 * has the time.
 */
@ExtendWith(SharedPod.Extension.class)
final class BrowserHeadersIT {

    private final SharedPod pod;
    private final Http http;

    BrowserHeadersIT(SharedPod pod) {
        this.pod = pod;
        http = pod.http();
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /rooms/lobby/messages, 200, 200",
        "POST, /send?msg=hi, 200, 200",
        "POST, /send, 400, 400",
        "GET, /rooms/-/messages, 400, 400",
        "GET, /events?room=-, 400, 406",
        "GET, /rooms//messages, 400, 400",
        "GET, /nothing, 404, 404",
        "GET, /rooms/a.js, 404, 404",
        "GET, /rooms/a.js/messages, 200, 200",
        "GET, /q/metrics, 404, 404",
        "GET, /send, 405, 405",
        "DELETE, /events, 405, 405",
        "OPTIONS, /events, 200, 200",
        "POST, /, 405, 405",
        "DELETE, /chat/view.js, 405, 405",
        "OPTIONS, /index.html, 200, 200",
        "GET, /nothing.html, 404, 404",
        "HEAD, /nothing.js, 404, 404",
    })
    void answer_isNeitherStoredNorSniffed(
            String method, String path, int status, int statusForJson) {
        assertNeitherStoredNorSniffed(http.call(method, path), status);
        assertNeitherStoredNorSniffed(
                http.with("Accept", "application/json").call(method, path), statusForJson);
    }

    private static void assertNeitherStoredNorSniffed(Answer answer, int status) {
        assertThat(answer.status()).isEqualTo(status);
        assertThat(answer.headers().allValues("X-Content-Type-Options")).containsExactly("nosniff");
        assertThat(answer.headers().allValues("Cache-Control")).containsExactly("no-store");
        assertOneDate(answer.headers().allValues("Date"));
    }

    private static void assertOneDate(List<String> dates) {
        assertThat(dates)
                .singleElement()
                .satisfies(
                        date ->
                                assertThat(DateTimeFormatter.RFC_1123_DATE_TIME.parse(date))
                                        .isNotNull());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/index.html",
                "/clock.html",
                "/chat.css",
                "/chat.js",
                "/favicon.svg",
                "/chat/stream.js"
            })
    void page_keepsItsHeaders(String path) {
        Answer page = http.get(path);

        assertThat(page.status()).isEqualTo(200);
        assertThat(page.headers().allValues("Vary")).containsExactly("Origin");
        assertThat(page.headers().allValues("X-Content-Type-Options")).containsExactly("nosniff");
        assertThat(page.headers().allValues("Cache-Control")).containsExactly("no-cache");
        assertThat(page.header("Content-Security-Policy")).startsWith("default-src 'none'");
        assertOneDate(page.headers().allValues("Date"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/events", "/clock"})
    void stream_hasTheTimeAtWhichItBegan(String path) {
        try (SseReader reader = SseReader.open(pod.process().uri(path))) {
            assertOneDate(reader.headers().get("Date"));
        }
    }

    @Test
    void refusalThatComesBeforeTheHandlers_hasTheTime() {
        String request = "GET /rooms/a/messages HTTP/1.1\r\n\r\n";
        try (RawConnection connection =
                RawConnection.open(
                        pod.process().port(), request.getBytes(StandardCharsets.US_ASCII))) {
            connection.readToEnd();

            assertThat(connection.answer().status()).isEqualTo(400);
            assertOneDate(connection.answer().headers().get("Date"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/rooms/lobby/messages", "/favicon.svg", "/nothing", "/rooms//messages"})
    void answerOnHttp2_hasTheTime(String path) throws Exception {
        HttpRequest request =
                HttpRequest.newBuilder(pod.process().uri(path))
                        .version(HttpClient.Version.HTTP_2)
                        .timeout(Timeouts.LIMIT)
                        .build();

        HttpResponse<Void> answer =
                HttpClient.newHttpClient().send(request, BodyHandlers.discarding());

        assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertOneDate(answer.headers().allValues("Date"));
    }
}
