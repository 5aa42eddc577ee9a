package dev.parley.testsupport;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.ScriptedServer.Peer;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HttpTest {

    private static final String OK =
            "HTTP/1.1 200 OK\r\nEvent-Id: k-1\r\nContent-Length: 2\r\n\r\nok";

    private final ScriptedServer server = new ScriptedServer();
    private final Http http = new Http(server.uri("/"));

    @AfterEach
    void stop() {
        server.close();
    }

    /** The request that a call makes, with so much of its body; the call is answered with OK. */
    private String requestOf(Function<Http, Http.Answer> call, int bodyLength) {
        CompletableFuture<Http.Answer> answer =
                CompletableFuture.supplyAsync(() -> call.apply(http));
        try (Peer peer = server.accept()) {
            StringBuilder request = new StringBuilder(peer.readRequest());
            for (int i = 0; i < bodyLength; i++) {
                request.append((char) peer.read());
            }
            peer.write(OK);
            assertThat(answer.join().status()).isEqualTo(200);
            assertThat(answer.join().body()).isEqualTo("ok");
            assertThat(answer.join().header("event-id")).isEqualTo("k-1");
            return request.toString();
        }
    }

    @Test
    void sendForm_encodesTextAndFields() {
        String body = "msg=a%26b+%C3%A9&room=news";

        assertThat(requestOf(h -> h.sendForm("a&b é", "room", "news"), body.length()))
                .startsWith("POST /send HTTP/1.1\r\n")
                .contains("Content-Type: application/x-www-form-urlencoded\r\n")
                .endsWith("\r\n\r\n" + body);
    }

    @Test
    void sendQuery_hasNoBody() {
        assertThat(requestOf(h -> h.sendQuery("a b", "room", "x"), 0))
                .startsWith("POST /send?msg=a+b&room=x HTTP/1.1\r\n")
                .contains("Content-Length: 0\r\n");
    }

    @Test
    void sendJson_sendsItAsItIs() {
        assertThat(requestOf(h -> h.sendJson("{\"msg\":1}"), 9))
                .contains("Content-Type: application/json\r\n")
                .endsWith("\r\n\r\n{\"msg\":1}");
    }

    @Test
    void sendText_hasItsFieldsInTheQuery() {
        assertThat(requestOf(h -> h.sendText("a b", "room", "x"), 3))
                .startsWith("POST /send?room=x HTTP/1.1\r\n")
                .endsWith("\r\n\r\na b");
    }

    @Test
    void with_addsAHeader() {
        assertThat(requestOf(h -> h.with("Idempotency-Key", "7").get("/x"), 0))
                .startsWith("GET /x HTTP/1.1\r\n")
                .contains("Idempotency-Key: 7\r\n");
    }

    @Test
    void raw_returnsOneWholeAnswer() {
        String request = "GET /\u0001 HTTP/1.1\r\nBad Header\r\n\r\n";
        CompletableFuture<String> answer = CompletableFuture.supplyAsync(() -> http.raw(request));
        try (Peer peer = server.accept()) {
            assertThat(peer.readRequest()).isEqualTo(request);
            peer.write(OK);
            assertThat(answer.join()).isEqualTo(OK);
        }
    }

    @Test
    void raw_withConnectionClose_returnsAllThatComes() {
        String request = "GET / HTTP/1.1\r\nConnection: close\r\n\r\n";
        CompletableFuture<String> answer = CompletableFuture.supplyAsync(() -> http.raw(request));
        try (Peer peer = server.accept()) {
            peer.readRequest();
            peer.write(OK + OK);
        }
        assertThat(answer.join()).isEqualTo(OK + OK);
    }
}
