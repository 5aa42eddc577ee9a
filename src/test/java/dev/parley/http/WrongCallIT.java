package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.SharedPod;
import dev.parley.testsupport.TextFiles;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A request that matches no call: the answer names the right call. */
@ExtendWith(SharedPod.Extension.class)
class WrongCallIT {

    private final Http http;
    private final Http management;

    WrongCallIT(SharedPod pod) {
        http = pod.http();
        management = pod.process().management();
    }

    @Test
    void endpoints_areThoseOfTheApiDescription() {
        JsonNode described = management.with("Accept", "application/json").get("/q/openapi").json();

        List<String> calls = new ArrayList<>();
        described
                .get("paths")
                .properties()
                .forEach(
                        path ->
                                path.getValue()
                                        .fieldNames()
                                        .forEachRemaining(
                                                method -> calls.add(named(method, path.getKey()))));
        assertThat(Arrays.stream(Endpoint.values()).map(Endpoint::toString))
                .containsExactlyInAnyOrderElementsOf(calls);
    }

    @Test
    void apiDescription_hasTheLimitsOfAPage_asTheReadmeHas() {
        JsonNode described = management.with("Accept", "application/json").get("/q/openapi").json();
        JsonNode limit =
                described
                        .at("/paths/~1rooms~1{room}~1messages/get/parameters")
                        .valueStream()
                        .filter(parameter -> parameter.path("name").asText().equals("limit"))
                        .findFirst()
                        .orElseThrow()
                        .path("schema");

        assertThat(TextFiles.read("README.md"))
                .contains(
                        "`limit` is %s to %s, and %s by default"
                                .formatted(
                                        limit.path("minimum").asText(),
                                        limit.path("maximum").asText(),
                                        limit.path("default").asText()));
    }

    @Test
    void apiDescription_hasTheToken_theTicketAndEachFormOfAnAnswer() {
        JsonNode described = management.with("Accept", "application/json").get("/q/openapi").json();
        JsonNode paths = described.get("paths");

        assertThat(described.at("/components/securitySchemes/token/scheme").asText())
                .isEqualTo("bearer");
        assertThat(described.at("/components/schemas/Message/properties/verified/type").asText())
                .isEqualTo("boolean");
        assertThat(paths.get("/events").at("/get/parameters"))
                .extracting(parameter -> parameter.get("name").asText())
                .contains("room", "ticket", "lastEventId", "Last-Event-ID");
        assertThat(paths.get("/send").at("/post/responses/200/content").properties())
                .extracting(Map.Entry::getKey)
                .containsExactlyInAnyOrder("application/json", "text/plain");
        assertThat(paths.properties())
                .filteredOn(path -> !path.getKey().equals("/clock"))
                .allSatisfy(
                        path ->
                                path.getValue()
                                        .forEach(
                                                call ->
                                                        assertThat(call.at("/security/0/token"))
                                                                .isNotEqualTo(
                                                                        MissingNode
                                                                                .getInstance())));
    }

    private static String named(String method, String path) {
        return method.toUpperCase(Locale.ROOT) + " " + path;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/nope", "/rooms/lobby", "/q/nope", "/q",
                "/q/health/ready", "/q/metrics", "/q/openapi", "/send/more"
            })
    void unknownPath_isAnsweredWithTheListOfCalls(String path) {
        Answer answer = http.get(path);

        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.body())
                .isEqualTo(
                        "not found: the calls are POST /send, GET /events, POST /events,"
                                + " GET /rooms/{room}/messages, POST /tickets, POST /revocations,"
                                + " GET /clock\n");
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /send, 'POST, OPTIONS', call is POST /send",
        "PUT, /send?msg=hi, 'POST, OPTIONS', call is POST /send",
        "DELETE, /events, 'GET, HEAD, POST, OPTIONS', 'calls are GET /events, POST /events'",
        "PUT, /events, 'GET, HEAD, POST, OPTIONS', 'calls are GET /events, POST /events'",
        "DELETE, /events/, 'GET, HEAD, POST, OPTIONS', 'calls are GET /events, POST /events'",
        "GET, /tickets, 'POST, OPTIONS', call is POST /tickets",
        "GET, /revocations, 'POST, OPTIONS', call is POST /revocations",
        "POST, /clock, 'GET, HEAD, OPTIONS', call is GET /clock",
        "DELETE, /rooms/a/messages, 'GET, HEAD, OPTIONS', call is GET /rooms/{room}/messages",
        "DELETE, /rooms/%61/messages, 'GET, HEAD, OPTIONS', call is GET /rooms/{room}/messages"
    })
    void wrongMethod_isAnsweredWithTheCallsOfThePath(
            String method, String path, String allowed, String calls) {
        Answer answer = http.call(method, path);

        assertThat(answer.status()).isEqualTo(405);
        assertThat(answer.header("Allow")).isEqualTo(allowed);
        assertThat(answer.body()).isEqualTo("method not allowed: the " + calls + "\n");
    }

    @ParameterizedTest
    @CsvSource({"POST, /", "DELETE, /", "PUT, /clock.html", "POST, /chat/view.js"})
    void wrongMethodOfAPage_isRefusedWithItsMethods(String method, String path) {
        Answer answer = http.call(method, path);

        assertThat(answer.status()).isEqualTo(405);
        assertThat(answer.header("Allow")).isEqualTo("GET, HEAD, OPTIONS");
        assertThat(answer.body()).isEqualTo("method not allowed: a page is for GET and HEAD\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/nothing.html", "/chat/nothing.js", "/chat/", "/META-INF", "/dev"})
    void pathThatIsNotAPage_isNotFound_whateverTheMethod(String path) {
        for (String method : List.of("GET", "POST", "OPTIONS")) {
            assertThat(http.call(method, path).status()).as(method).isEqualTo(404);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/send, 'POST, OPTIONS'",
        "/send/, 'POST, OPTIONS'",
        "/events, 'GET, HEAD, POST, OPTIONS'",
        "/rooms/a/messages, 'GET, HEAD, OPTIONS'",
        "/clock, 'GET, HEAD, OPTIONS'",
        "/, 'GET, HEAD, OPTIONS'",
        "/chat.js, 'GET, HEAD, OPTIONS'"
    })
    void options_listsTheMethodsThatThePathHas_andNoOther(String path, String allowed) {
        Answer answer = http.call("OPTIONS", path);

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.header("Allow")).isEqualTo(allowed);
        List<String> methods = Arrays.asList(allowed.split(", "));
        for (String method : List.of("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH")) {
            if (!methods.contains(method)) {
                assertThat(http.call(method, path).status()).as(method).isEqualTo(405);
            }
        }
        if (methods.contains("HEAD")) {
            assertThat(http.call("HEAD", path).status()).isEqualTo(200);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/events, text/html, GET /events answers text/event-stream",
        "/clock, text/html, GET /clock answers text/event-stream",
        "/rooms/a/messages, text/html, GET /rooms/{room}/messages answers application/json",
        "/events, text/event-stream;q=0, GET /events answers text/event-stream",
        "/events, 'text/event-stream;q=0, */*', GET /events answers text/event-stream",
        "/clock, */*;q=0.0, GET /clock answers text/event-stream",
        "/rooms/a/messages, '*/*, application/*;q=0',"
                + " GET /rooms/{room}/messages answers application/json"
    })
    void callerThatDoesNotAcceptTheAnswer_learnsItsMediaType(
            String path, String accept, String words) {
        Answer answer = http.with("Accept", accept).get(path);

        assertThat(answer.status()).isEqualTo(406);
        assertThat(answer.body()).isEqualTo("not acceptable: " + words + "\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ",",
                ", application/json",
                "application/json, , text/html",
                "*/*;q=0, application/json",
                "a/b, , */*",
                "a/b;x=\"1,2\", application/json",
                "application/json;x=\"1,2\""
            })
    void acceptWithEmptyElementsOrQuotedCommas_isUnderstood(String accept) {
        Answer history = http.with("Accept", accept).get("/rooms/a/messages");
        Answer receipt = http.with("Accept", accept).call("POST", "/send?msg=hi");

        assertThat(history.status()).as(history.body()).isEqualTo(200);
        assertThat(receipt.status()).as(receipt.body()).isEqualTo(200);
        assertThat(receipt.header("Content-Type"))
                .startsWith(accept.contains("json") ? "application/json" : "text/plain");
    }

    @ParameterizedTest
    @CsvSource({
        "/send, 'a form, application/json or text/plain'",
        "/events, application/x-www-form-urlencoded",
        "/revocations, application/x-www-form-urlencoded"
    })
    void bodyOfAnotherType_isAnsweredWithWhatTheCallTakes(String path, String expected) {
        Answer answer = http.post(path, "application/xml", "<a/>");

        assertThat(answer.status()).isEqualTo(415);
        assertThat(answer.body())
                .isEqualTo("unsupported media type: " + expected + " is expected\n");
    }

    @ParameterizedTest
    @CsvSource({
        "/send?msg=hi, */*",
        "/send?msg=hi, *",
        "/send?msg=hi, application/*",
        "/send?msg=hi, text/*",
        "/events, */*"
    })
    void bodyOfAnyType_isRefused(String path, String type) {
        Answer answer = http.post(path, type, "msg=hi");

        assertThat(answer.status()).isEqualTo(415);
        assertThat(answer.body())
                .startsWith("unsupported media type: Content-Type is not one media type");
    }
}
