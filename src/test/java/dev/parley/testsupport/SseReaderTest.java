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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** What a reader sends, and what it knows of what it is sent. */
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
