package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SharedPod;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A client that is still sending a body gets the answer that refuses it. */
@ExtendWith(SharedPod.Extension.class)
class RefusedBodyIT {

    /** The reset that loses an answer on HTTP/1 comes with about one request in ten. */
    private static final int REQUESTS = 100;

    private final ParleyProcess pod;

    RefusedBodyIT(SharedPod shared) {
        pod = shared.process();
    }

    @ParameterizedTest
    @EnumSource
    void clientThatStillSends_readsTheRefusal(Version version) throws Exception {
        HttpClient client = HttpClient.newBuilder().version(version).build();
        // Without a request before, the client sends its body before it knows that HTTP/2 is there.
        send(client, HttpRequest.newBuilder(pod.uri("/")).GET());

        for (int i = 0; i < REQUESTS; i++) {
            HttpResponse<String> answer =
                    send(
                            client,
                            HttpRequest.newBuilder(pod.uri("/send"))
                                    .header("Content-Type", "text/plain")
                                    .POST(BodyPublishers.ofByteArray(new byte[900_000])));

            assertThat(answer.version()).isEqualTo(version);
            assertThat(answer.statusCode()).isEqualTo(413);
            assertThat(answer.body()).startsWith("request too large");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /events, 524289",
        "GET, /, 524289",
        "PUT, /send, 524289",
        "OPTIONS, /send, 524289",
        "DELETE, /events, 9223372036854775807",
        "POST, /send, 9223372036854775807",
        "POST, /events, 1000000000000000000"
    })
    void announcedBodyThatIsTooLong_getsTheReason_whateverTheMethod(
            String method, String path, String length) {
        String answer =
                new Http(pod.uri())
                        .raw(
                                """
                                %s %s HTTP/1.1\r
                                Host: x\r
                                Accept: application/json\r
                                Content-Length: %s\r
                                Connection: close\r
                                \r
                                """
                                        .formatted(method, path, length));

        assertThat(answer)
                .startsWith("HTTP/1.1 413 ")
                .contains("\"code\":\"request-too-large\"")
                .contains(" at most ");
    }

    private static HttpResponse<String> send(HttpClient client, HttpRequest.Builder request)
            throws IOException, InterruptedException {
        return client.send(
                request.timeout(Duration.ofSeconds(20)).build(), BodyHandlers.ofString());
    }
}
