package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.Timeouts;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An exception that no code expects is answered with a problem that tells the client nothing about
 * the program, and is logged once. The program runs in this JVM, because the routes that fail are
 * not in the packaged one.
 */
@QuarkusTest
@TestProfile(InternalErrorTest.FreePorts.class)
class InternalErrorTest {

    private static final String JSON_OR_ANY = "application/json, */*;q=0.5";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<LogRecord> logged = new CopyOnWriteArrayList<>();
    private final Handler handler = new Recorder();
    private final URI server =
            URI.create(ConfigProvider.getConfig().getValue("test.url", String.class));
    private final Http http = new Http(server);

    /** Lets the system choose the ports. */
    public static final class FreePorts implements QuarkusTestProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of(
                    "quarkus.http.test-port", "0",
                    "quarkus.management.test-port", "0");
        }
    }

    private final class Recorder extends Handler {

        @Override
        public void publish(LogRecord event) {
            if (event.getLevel().intValue() >= Level.WARNING.intValue()) {
                logged.add(event);
            }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    @BeforeEach
    void record() {
        Logger.getLogger("").addHandler(handler);
    }

    @AfterEach
    void stopRecording() {
        Logger.getLogger("").removeHandler(handler);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "call",
                "error",
                "later",
                "null-message",
                "status",
                "unwritable",
                "route",
                "failed",
                "failed-500",
            })
    void failure_isAProblemThatSaysNothingOfTheProgram(String route) throws Exception {
        assertInternalError(http.with("Accept", JSON_OR_ANY).get("/fail/" + route));

        assertLoggedOnce();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/events", "/rooms/a/messages", "/clock", "/fail/call"})
    void failureInAFilter_isTheSameProblem(String call) throws Exception {
        Http failing = http.with(FailingRoutes.FAIL_IN_FILTER, "yes");

        assertInternalError(failing.with("Accept", JSON_OR_ANY).get(call));

        assertLoggedOnce();
    }

    @Test
    void failureOfAPublish_isTheSameProblem() throws Exception {
        Http failing = http.with(FailingRoutes.FAIL_IN_FILTER, "yes");

        assertInternalError(failing.with("Accept", JSON_OR_ANY).sendForm("hello"));

        assertLoggedOnce();
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET /events", "POST /events"})
    void failure_isLoggedWithTheCall(String call) throws Exception {
        Http failing = http.with(FailingRoutes.FAIL_IN_FILTER, "yes").with("Accept", JSON_OR_ANY);

        assertInternalError(
                call.startsWith("GET")
                        ? failing.get("/events")
                        : failing.post("/events", "application/x-www-form-urlencoded", "room=a"));

        assertLoggedOnce();
        assertThat(logged.get(0).getMessage()).startsWith(call + " failed");
    }

    @Test
    void clientThatAcceptsNoJson_getsOneLine() {
        Http.Answer answer = http.with("Accept", "text/html").get("/fail/route");

        assertThat(answer.status()).isEqualTo(500);
        assertThat(answer.header("Content-Type")).startsWith("text/plain");
        assertThat(answer.body()).isEqualTo(UncaughtErrors.DETAIL + "\n");
    }

    @Test
    void pageOfAnotherOrigin_canReadTheProblem() {
        Http page = http.with("Origin", "https://page.example");

        assertThat(page.get("/fail/call").header("Access-Control-Allow-Origin"))
                .isEqualTo("https://page.example");
    }

    @Test
    void answerThatHasBegun_isCutOff() {
        try (var connection = get("/fail/half")) {
            connection.readToEnd();

            // Without the last chunk: the client sees that it is not whole.
            assertThat(connection.text()).contains("half").doesNotContain("\r\n0\r\n");
        }
        assertLoggedOnce();
    }

    @Test
    void streamThatFails_isCutOffWithoutTheCause() {
        try (var connection = get("/fail/stream")) {
            connection.readToEnd();

            assertThat(connection.text())
                    .contains("first")
                    .doesNotContain("secret", "Exception", "\r\n0\r\n");
        }
    }

    private RawConnection get(String path) {
        String get = "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
        return RawConnection.open(server.getPort(), get.getBytes(StandardCharsets.UTF_8));
    }

    private static void assertInternalError(Http.Answer answer) throws JsonProcessingException {
        assertThat(answer.status()).as(answer.body()).isEqualTo(500);
        assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
        assertThat(answer.header("X-Content-Type-Options")).isEqualTo("nosniff");
        assertThat(answer.header("Cache-Control")).isEqualTo("no-store");
        JsonNode problem = JSON.readTree(answer.body());
        assertThat(problem.path("code").asText()).isEqualTo("internal-error");
        assertThat(problem.path("type").asText()).isEqualTo("urn:parley:problem:internal-error");
        assertThat(problem.path("status").asInt()).isEqualTo(500);
        assertThat(problem.path("detail").asText()).isEqualTo(UncaughtErrors.DETAIL);
        assertThat(answer.body()).doesNotContainIgnoringCase("secret", "exception", "dev.parley.");
    }

    private void assertLoggedOnce() {
        Timeouts.await("the log line").until(() -> !logged.isEmpty());
        assertThat(logged)
                .singleElement()
                .satisfies(
                        line ->
                                assertThat(line.getLoggerName())
                                        .isEqualTo(UncaughtErrors.class.getName()));
    }
}
