package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.SharedPod;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A browser neither stores an answer nor takes it for another type than it says. */
@ExtendWith(SharedPod.Extension.class)
final class BrowserHeadersIT {

    private final Http http;

    BrowserHeadersIT(SharedPod pod) {
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
    }
}
