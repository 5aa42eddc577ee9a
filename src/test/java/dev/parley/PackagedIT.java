package dev.parley;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.SseReader;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import java.net.URI;
import org.junit.jupiter.api.Test;

/** The packaged program, a jar or a native binary, contains everything that it needs. */
@QuarkusIntegrationTest
class PackagedIT {

    @TestHTTPResource("/")
    URI uri;

    /** The framework tells only the public address of the program that it starts. */
    private final URI management =
            URI.create("http://localhost:" + Integer.getInteger("parley.management.port", 9000));

    @Test
    void publishedMessage_isReceivedInBothFormats_andIsInTheHistory() {
        var http = new Http(uri);
        try (var text = SseReader.open(uri.resolve("/events?room=packaged"));
                var json = SseReader.open(uri.resolve("/events?room=packaged&format=json"))) {
            text.awaitLastEventId();
            json.awaitLastEventId();

            Http.Answer receipt =
                    http.with("Accept", "application/json")
                            .sendJson("{\"msg\":\"hi\",\"room\":\"packaged\",\"from\":\"Ada\"}");

            assertThat(receipt.body()).contains("\"room\":\"packaged\"", "\"duplicate\":false");
            text.awaitData("hi");
            assertThat(json.awaitMessages(1).data().get(0))
                    .startsWith(
                            "{\"room\":\"packaged\",\"from\":\"Ada\",\"text\":\"hi\",\"at\":\"");
            assertThat(http.get("/rooms/packaged/messages").body()).contains("\"text\":\"hi\"");
        }
    }

    @Test
    void pagesHealthAndMetrics_areServed() {
        var http = new Http(uri);

        assertThat(http.get("/").body()).contains("<title>Parley</title>");
        assertThat(http.get("/chat.js").status()).isEqualTo(200);
        assertThat(http.get("/clock.html").status()).isEqualTo(200);
        var operators = new Http(management);
        assertThat(operators.get("/q/health").status()).isEqualTo(200);
        assertThat(operators.get("/q/metrics").body()).contains("parley_connected_clients");
        assertThat(operators.get("/q/openapi").body()).contains("/rooms/{room}/messages");
    }
}
