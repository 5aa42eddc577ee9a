package dev.parley.testsupport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.testsupport.ScriptedServer.Peer;
import dev.parley.testsupport.SseReader.Event;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When a reader comes back, and when it is over for good. */
class SseReconnectionTest {

    private final ScriptedServer server = new ScriptedServer();

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void cleanEnds_countOnlyLastChunks() {
        try (SseReader reader =
                SseReader.to(server.uri("/")).reconnecting(Duration.ofMillis(1)).open()) {
            server.acceptStream().chunk("data: a\n\n").close();
            server.acceptStream().chunk("data: b\n\n").write("0\r\n\r\n").close();
            server.acceptStream().write("5\r\nda").close();

            reader.await("attempt after the last answer", r -> r.attempts() == 4);

            assertThat(reader.data()).containsExactly("a", "b");
            assertThat(reader.cleanEnds()).isOne();
        }
    }

    @Test
    void reconnecting_comesBackWithLastEventId() {
        try (SseReader reader = SseReader.to(server.uri("/")).reconnecting().open()) {
            server.acceptStream().chunk("retry: 5\nid: k-7\ndata: a\n\n").close();

            try (Peer second = server.accept()) {
                assertThat(second.readRequest()).contains("\r\nLast-Event-ID: k-7\r\n");
                second.write(
                        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: b\n\n");
                reader.awaitMessages(2);
                assertThat(reader.connections()).isEqualTo(2);
                assertThat(reader.events().get(1)).isEqualTo(new Event("k-7", "message", "b"));
            }
        }
    }

    @Test
    void reconnecting_asksWhereToGo() {
        AtomicInteger asked = new AtomicInteger();
        try (SseReader reader =
                        SseReader.to(() -> server.uri("/" + asked.incrementAndGet()))
                                .reconnecting(Duration.ofMillis(1))
                                .open();
                Peer first = server.accept()) {
            assertThat(first.readRequest()).startsWith("GET /1 ");

            reader.dropConnection();

            try (Peer second = server.accept()) {
                assertThat(second.readRequest()).startsWith("GET /2 ");
            }
        }
    }

    @Test
    void reconnecting_keepsTryingWhileNobodyListens() {
        int nobody = Ports.free();
        AtomicInteger port = new AtomicInteger(nobody);
        try (SseReader reader =
                SseReader.to(() -> server.uri("/").resolve("http://127.0.0.1:" + port + "/"))
                        .reconnecting(Duration.ofMillis(1))
                        .open()) {
            reader.await("attempts", r -> r.attempts() > 3);

            port.set(server.port());
            try (Peer peer = server.acceptStream()) {
                peer.chunk("data: at last\n\n");
                reader.awaitData("at last");
                assertThat(reader.connections()).isOne();
            }
        }
    }

    @Test
    void droppedConnection_isResetAndReplaced() {
        try (SseReader reader =
                        SseReader.to(server.uri("/")).reconnecting(Duration.ofMillis(1)).open();
                Peer first = server.acceptStream()) {
            first.chunk("id: k-1\ndata: a\n\n");

            reader.awaitMessages(1).dropConnection();

            assertThat(first.read()).isEqualTo(-1);
            try (Peer second = server.accept()) {
                assertThat(second.readRequest()).contains("Last-Event-ID: k-1");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "204 No Content, text/event-stream, ''",
        "400 Bad Request, text/event-stream, bad room",
        "200 OK, text/plain, ok"
    })
    void anyOtherAnswer_endsItForGood(String status, String type, String body) {
        try (SseReader reader = SseReader.to(server.uri("/")).reconnecting(Duration.ZERO).open();
                Peer peer = server.accept()) {
            peer.readRequest();

            peer.write("HTTP/1.1 " + status + "\r\n");
            peer.write("Content-Type: " + type + "\r\n");
            peer.write("Content-Length: " + body.length() + "\r\n\r\n" + body);

            reader.awaitClosed();
            assertThat(status).startsWith(Integer.toString(reader.status()));
            assertThat(reader.raw()).isEqualTo(body);
            assertThat(reader.connections()).isZero();
            assertThat(reader.attempts()).isOne();
            assertThatThrownBy(reader::awaitConnected).hasMessageContaining("last end: refused");
        }
    }

    @Test
    void close_endsTheConnection() {
        try (SseReader reader = SseReader.to(server.uri("/")).reconnecting().open();
                Peer peer = server.acceptStream()) {
            reader.awaitConnected().close();

            assertThat(peer.read()).isEqualTo(-1);
            assertThat(reader.closed()).isTrue();
        }
    }
}
