package dev.parley.testsupport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.testsupport.ScriptedServer.Peer;
import dev.parley.testsupport.SseReader.Event;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SseReaderTest {

    private final ScriptedServer server = new ScriptedServer();

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void request_isABrowsers() {
        try (SseReader reader =
                        SseReader.to(server.uri("/events?room=a%20b"))
                                .header("Origin", "null")
                                .lastEventId("k-1")
                                .open();
                Peer peer = server.accept()) {
            assertThat(peer.readRequest())
                    .startsWith("GET /events?room=a%20b HTTP/1.1\r\n")
                    .contains("\r\nHost: 127.0.0.1:" + server.port() + "\r\n")
                    .contains("\r\nAccept: text/event-stream\r\n")
                    .contains("\r\nOrigin: null\r\n")
                    .contains("\r\nLast-Event-ID: k-1\r\n");
            assertThat(reader.attempts()).isOne();
        }
    }

    @Test
    void stream_isRecorded() {
        try (SseReader reader = SseReader.to(server.uri("/")).recordRaw(20).open();
                Peer peer = server.acceptStream()) {
            peer.chunk(": connected\n\n").chunk("retry: 2500\nid: k-0\n\n");
            peer.chunk("id: k-1\ndata: a\n\n").chunk("event: gap\ndata: {}\n\n");

            reader.awaitEvents(2).awaitMessages(1).awaitData("{}");

            assertThat(reader.events())
                    .containsExactly(
                            new Event("k-1", "message", "a"), new Event("k-1", "gap", "{}"));
            assertThat(reader.awaitEvent("gap").data()).isEqualTo("{}");
            assertThat(reader.data()).containsExactly("a");
            assertThat(reader.comments()).containsExactly("connected");
            assertThat(reader.retry()).hasValue(2500);
            assertThat(reader.lastEventId()).isEqualTo("k-1");
            assertThat(reader.status()).isEqualTo(200);
            assertThat(reader.header("content-TYPE")).isEqualTo("text/event-stream;charset=utf-8");
            assertThat(reader.raw()).isEqualTo(": connected\n\nretry: ");
            assertThat(reader.connected()).isTrue();
        }
    }

    @Test
    void chunks_cutAnywhere_giveTheSame() {
        byte[] body =
                "5\r\ndata:\r\na;x=y\r\n é€😀\r\n2\r\n\n\n\r\n0\r\n\r\n"
                        .getBytes(StandardCharsets.UTF_8);

        for (int cut = 1; cut < body.length; cut++) {
            try (SseReader reader = SseReader.to(server.uri("/")).open();
                    Peer peer = server.acceptStream()) {
                peer.write(Arrays.copyOfRange(body, 0, cut));
                peer.write(Arrays.copyOfRange(body, cut, body.length));

                reader.awaitClosed();
                assertThat(reader.data()).as("cut at %d", cut).containsExactly("é€😀");
            }
        }
    }

    @Test
    void unfinishedBlock_endsWithTheConnection() {
        try (SseReader reader = SseReader.to(server.uri("/")).open()) {
            server.acceptUnchunkedStream().write("data: a\n\ndata: b\n").close();

            reader.awaitClosed();

            assertThat(reader.data()).containsExactly("a");
            assertThat(reader.connections()).isOne();
            assertThatThrownBy(() -> reader.awaitMessages(2))
                    .hasMessageContaining("before the end");
        }
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
    void stalledReader_takesNothingUntilItContinues() throws Exception {
        try (SseReader reader = SseReader.to(server.uri("/")).receiveBuffer(4096).open();
                Peer peer = server.acceptStream()) {
            peer.chunk("data: before\n\n");
            reader.awaitData("before").stopReading();
            Thread writer = new Thread(() -> flood(peer));
            writer.start();

            // 32 MB are more than the kernel holds, so that the writer cannot end.
            writer.join(200);
            assertThat(writer.isAlive()).isTrue();
            assertThat(reader.messages()).hasSize(1);

            reader.continueReading();
            reader.awaitData("after");
            writer.join();
            assertThat(reader.messages()).hasSize(2 + 4000);
        }
    }

    private static void flood(Peer peer) {
        String text = "data: " + "x".repeat(8000) + "\n\n";
        for (int i = 0; i < 4000; i++) {
            peer.chunk(text);
        }
        peer.chunk("data: after\n\n");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void sourceAddress_isTheOneAskedFor() throws Exception {
        InetAddress other = InetAddress.getByName("127.0.0.2");

        try (SseReader reader = SseReader.to(server.uri("/")).from(other).open();
                Peer peer = server.acceptStream()) {
            reader.awaitConnected();

            assertThat(peer.address()).isEqualTo(other);
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

    @Test
    void failure_showsWhatWasReceived() {
        try (SseReader reader = SseReader.to(server.uri("/")).open();
                Peer peer = server.acceptStream()) {
            peer.chunk(": hello\nid: k-9\ndata: only this\n\n");
            reader.awaitMessages(1);

            assertThatThrownBy(() -> reader.await("two", Duration.ofMillis(1), r -> false))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("no two in")
                    .hasMessageContaining("only this")
                    .hasMessageContaining("hello")
                    .hasMessageContaining("k-9");
        }
    }

    @Test
    void hundredsOfReaders_areServedAtOnce() {
        List<SseReader> readers = new ArrayList<>();
        List<Peer> peers = new ArrayList<>();
        try {
            for (int i = 0; i < 300; i++) {
                readers.add(SseReader.to(server.uri("/")).open());
                peers.add(server.acceptStream());
            }

            peers.forEach(peer -> peer.chunk("data: all\n\n"));

            readers.forEach(reader -> reader.awaitData("all"));
        } finally {
            readers.forEach(SseReader::close);
            peers.forEach(Peer::close);
        }
    }
}
