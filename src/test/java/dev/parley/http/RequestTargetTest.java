package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.http.HttpMethod;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which targets are in normal form, and which are not. */
final class RequestTargetTest {

    private static final String HOST = "chat.example:8080";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/send",
                "/send?msg=a%2fb/../..//c;d\\e",
                "/events/",
                "/events?room=%6cobby",
                "/rooms/lobby/messages",
                "/rooms/a.b-c_d/messages?limit=1",
                "/rooms/%6cobby/messages",
                "/rooms/k%C3%BCche/messages",
                "/rooms/a%20b",
                "/.well-known/x",
                "/a..b/...",
                "http://chat.example:8080/events",
                "HTTP://CHAT.example:8080/",
                "/?/../x"
            })
    void normalTarget_isAccepted(String target) {
        assertThat(RequestTarget.fault(HttpMethod.GET, target, HOST)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "//q/metrics",
                "/%71/metrics",
                "/./q/metrics",
                "/rooms/../q/metrics",
                "/rooms/..",
                "/rooms/.",
                "/rooms/%2e%2e/q/metrics",
                "/rooms/.%2E/q/metrics",
                "/rooms/%2e./q",
                "/rooms//messages",
                "/rooms/lobby//messages",
                "/rooms/a%2Fb/messages",
                "/rooms/a%5cb/messages",
                "/rooms/lobby/mess%61ges",
                "/%72ooms/lobby/messages",
                "/ev%65nts",
                "/events%2f",
                "/events%00",
                "/events//",
                "/events/..",
                "/events/..?x",
                "/events;x=1",
                "/rooms/lobby;x/messages",
                "/\\q/metrics",
                "\\q\\metrics",
                "/rooms/..\\q",
                "/events#x",
                "/k\u00fcche",
                "/a b",
                "/{x}",
                "*",
                "*/events",
                "q/metrics",
                "",
                "?",
                "chat.example:8080",
                "http://other.example/events",
                "http://chat.example/events",
                "http://chat.example:8080@other.example/events",
                "http://chat.example:8080",
                "http://chat.example:8080//q",
                "http:///events",
                "http://chat.example:8080?x=/events",
                "http://chat.example:8080#/events",
                "ftp://chat.example:8080/events"
            })
    void otherTarget_isRefused(String target) {
        assertThat(RequestTarget.fault(HttpMethod.GET, target, HOST))
                .hasValueSatisfying(
                        fault ->
                                assertThat(fault)
                                        .startsWith("bad target: ")
                                        .endsWith("; the calls are " + Endpoint.all()));
    }

    @ParameterizedTest
    @CsvSource({
        "http://chat.example/events, chat.example:80",
        "http://chat.example:80/events, chat.example",
        "https://chat.example:443/events, Chat.Example",
        "http://[::1]:8080/events, [::1]:8080"
    })
    void absoluteTarget_mayNameTheHostInAnotherForm(String target, String host) {
        assertThat(RequestTarget.fault(HttpMethod.GET, target, host)).isEmpty();
    }

    /** A request of HTTP/1.0 need not have the header. */
    @ParameterizedTest
    @CsvSource({
        "http://chat.example/events, true",
        "http://chat.example?x=/events, false",
        "http:///events, false"
    })
    void absoluteTargetWithoutAHost_needsAnAuthorityAndAPath(String target, boolean isAccepted) {
        assertThat(RequestTarget.fault(HttpMethod.GET, target, null).isEmpty())
                .isEqualTo(isAccepted);
    }

    @ParameterizedTest
    @ValueSource(strings = {"*", "/events"})
    void optionsOfTheServer_areAccepted(String target) {
        assertThat(RequestTarget.fault(HttpMethod.OPTIONS, target, HOST)).isEmpty();
    }
}
