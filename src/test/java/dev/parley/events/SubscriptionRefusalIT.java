package dev.parley.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.SharedPod;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A request for a stream that can never succeed is refused with the reason. */
@ExtendWith(SharedPod.Extension.class)
class SubscriptionRefusalIT {

    private final Http http;

    SubscriptionRefusalIT(SharedPod pod) {
        http = pod.http();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "room=a/b",
                "room=-a",
                "room=%0d%0aSet-Cookie:x",
                "room=%ff",
                "room=%00",
                "format=xml",
                "format=JSON",
                "history=-1",
                "history=1.5",
                "history=x",
                "history=1000001",
                "history=99999999999999999999",
                "history=%D9%A3",
                "heartbeat=1",
                "heartbeat=61",
                "heartbeat=",
                "heartbeat=2.5",
                "heartbeat=Event",
                "heartbeat=event:5",
                "heartbeat=event&heartbeat=0",
                "heartbeat=5&heartbeat=6",
                "heartbeat=event&heartbeat=event"
            })
    void badParameter_isRefused(String parameter) {
        String path = "/events?" + parameter;
        String name = parameter.substring(0, parameter.indexOf('='));

        Answer answer = http.get(path);
        Answer problem = http.with("Accept", "text/event-stream, application/json").get(path);

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.header("Content-Type")).isEqualTo("text/plain;charset=utf-8");
        assertThat(answer.body()).startsWith("bad " + name + ": ").hasLineCount(1);
        assertThat(problem.status()).isEqualTo(400);
        assertThat(problem.header("Content-Type")).isEqualTo("application/problem+json");
        assertThat(problem.body()).contains("\"code\":\"bad-" + name + "\"");
    }

    @Test
    void brokenPercentEscape_isRefused() {
        assertThat(http.raw("GET /events?room=%zz HTTP/1.1\r\nHost: x\r\n\r\n"))
                .startsWith("HTTP/1.1 400 ");
    }

    @Test
    void malformedAccept_isRefused() {
        assertThat(http.with("Accept", "nonsense").get("/events").status()).isEqualTo(400);
    }
}
