package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.SharedPod;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each kind of error has its code, in the problem that a caller of JSON gets. */
@ExtendWith(SharedPod.Extension.class)
class ProblemIT {

    private final Http http;

    ProblemIT(SharedPod pod) {
        http = pod.http().with("Accept", "application/problem+json, text/event-stream");
    }

    @ParameterizedTest
    @CsvSource({
        "POST, /send, msg-missing",
        "POST, /send?msg=%FF, bad-msg",
        "POST, /send?msg=hi&room=-, bad-room",
        "POST, /send?msg=hi&room=%FF, bad-room",
        "POST, /send?msg=hi&from=a%0Ab, bad-from",
        "POST, /send?msg=hi&from=%FF, bad-from",
        "POST, /send?msg=hi&event=open, bad-event",
        "POST, /send?msg=hi&event=%20gap, bad-event",
        "POST, /send?msg=hi&event=a%00, bad-event",
        "GET, /events?room=-, bad-room",
        "GET, /events?format=xml, bad-format",
        "GET, /events?history=x, bad-history",
        "GET, /rooms/-/messages, bad-room",
        "GET, /rooms/a/messages?limit=0, bad-limit",
        "GET, /rooms/a/messages?before=x, bad-event-id",
        "GET, /rooms/a/messages?after=x, bad-event-id",
        "GET, /rooms/a/messages?before=a-1&after=a-1, bad-request",
        "GET, /nope, not-found",
        "GET, /send, method-not-allowed"
    })
    void badRequest_hasItsCode(String method, String path, String code) {
        Http caller = path.startsWith("/rooms") ? http.with("Accept", "application/json") : http;

        assertProblem(caller.call(method, path), code);
    }

    @ParameterizedTest
    @CsvSource({
        "application/json, {, bad-json",
        "application/json, {\"msg\":1}, bad-json",
        "application/x-www-form-urlencoded, msg=%, bad-form",
        "application/xml, <msg/>, unsupported-media-type",
        "nonsense, msg=hi, unsupported-media-type"
    })
    void badBody_hasItsCode(String type, String body, String code) {
        assertProblem(http.post("/send", type, body), code);
    }

    @Test
    void largeTextOrBody_badKey_andUnacceptableAnswer_haveTheirCodes() {
        assertProblem(http.sendForm("a".repeat(65_537)), "text-too-large");
        assertProblem(http.sendForm("a".repeat(3_000_000)), "request-too-large");
        assertProblem(
                http.with("Idempotency-Key", "a".repeat(129)).sendForm("hi"),
                "bad-idempotency-key");
        assertProblem(http.with("Accept", "application/json").get("/events"), "not-acceptable");
    }

    private static void assertProblem(Answer answer, String code) {
        JsonNode problem = answer.json();
        ErrorCode known = ErrorCode.named(code).orElseThrow();
        assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
        assertThat(answer.status()).isEqualTo(known.status());
        assertThat(problem.path("code").textValue()).isEqualTo(code);
        assertThat(problem.path("type").textValue()).isEqualTo("urn:parley:problem:" + code);
        assertThat(problem.path("title").textValue()).isEqualTo(known.title());
        assertThat(problem.path("status").intValue()).isEqualTo(known.status());
        assertThat(problem.path("detail").textValue()).isNotBlank();
    }
}
