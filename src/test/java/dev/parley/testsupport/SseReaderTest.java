package dev.parley.testsupport;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.testsupport.ScriptedServer.Peer;
import dev.parley.testsupport.SseReader.Event;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The parts of the reader that other tests' conclusions depend on. */
class SseReaderTest {

    @AutoClose private final ScriptedServer server = new ScriptedServer();

    private SseReader.Builder reader() {
        return SseReader.to(server.uri("/"));
    }

    @Test
    void chunks_inAnyTwoPieces_areTheSameStream() {
        byte[] body = "5\r\ndata:\r\na;x=y\r\n é€😀\r\n2\r\n\n\n\r\n0\r\n\r\n".getBytes(UTF_8);

        for (int cut = 1; cut < body.length; cut++) {
            try (SseReader reader = reader().open();
                    Peer peer = server.acceptStream()) {
                peer.write(Arrays.copyOfRange(body, 0, cut));
                peer.write(Arrays.copyOfRange(body, cut, body.length));

                reader.awaitClosed();
                assertThat(reader.data()).as("cut at %d", cut).containsExactly("é€😀");
            }
        }
    }

    @Test
    void unfinishedBlock_isDropped_andWaitsForMoreFailAtOnce() {
        try (SseReader reader = reader().open()) {
            server.acceptUnchunkedStream().write("data: a\n\ndata: b\n").close();

            reader.awaitClosed();

            assertThat(reader.data()).containsExactly("a");
            assertThatThrownBy(() -> reader.awaitMessages(2))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("before the end");
        }
    }

    @Test
    void stalledReader_recordsNothing_untilItContinues() throws Exception {
        try (SseReader reader = reader().receiveBuffer(4096).open();
                Peer peer = server.acceptStream()) {
            peer.chunk("data: before\n\n");
            reader.awaitData("before").stopReading();
            Thread writer = new Thread(() -> flood(peer));
            writer.start();

            // 32 MB are more than the kernel's buffers, so the writer cannot end.
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
    void cleanEnds_countOnlyLastChunks() {
        try (SseReader reader = reader().reconnecting(Duration.ofMillis(1)).open()) {
            server.acceptStream().chunk("data: a\n\n").close();
            server.acceptStream().chunk("data: b\n\n").write("0\r\n\r\n").close();
            server.acceptStream().write("5\r\nda").close();

            reader.await("attempt after the last answer", r -> r.attempts() == 4);

            assertThat(reader.data()).containsExactly("a", "b");
            assertThat(reader.cleanEnds()).isOne();
        }
    }

    @Test
    void reconnectingReader_sendsItsLastEventId_afterAnEndAndAfterADrop() {
        try (SseReader reader = reader().reconnecting().open()) {
            server.acceptStream().chunk("retry: 5\nid: k-7\ndata: a\n\n").close();

            try (Peer second = server.accept()) {
                assertThat(second.readRequest()).contains("\r\nLast-Event-ID: k-7\r\n");
                second.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
                second.write("data: b\n\n");
                reader.awaitMessages(2).dropConnection();
                assertThat(second.read()).isEqualTo(-1);
            }

            try (Peer third = server.accept()) {
                assertThat(third.readRequest()).contains("\r\nLast-Event-ID: k-7\r\n");
            }
            assertThat(reader.events().get(1)).isEqualTo(new Event("k-7", "message", "b"));
            assertThat(reader.connections()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "204 No Content, text/event-stream, ''",
        "400 Bad Request, text/event-stream, bad room",
        "200 OK, text/plain, ok"
    })
    void answerOtherThanAnEventStream_closesAReconnectingReader(
            String status, String type, String body) {
        try (SseReader reader = reader().reconnecting(Duration.ZERO).open();
                Peer peer = server.accept()) {
            peer.readRequest();

            peer.write("HTTP/1.1 " + status + "\r\nContent-Type: " + type + "\r\n");
            peer.write("Content-Length: " + body.length() + "\r\n\r\n" + body);

            reader.awaitClosed();
            assertThat(reader.raw()).isEqualTo(body);
            assertThat(reader.attempts()).isOne();
            assertThatThrownBy(reader::awaitConnected).hasMessageContaining("last end: refused");
        }
    }
}
