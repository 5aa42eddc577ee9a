package dev.parley.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TestRoom;
import dev.parley.testsupport.Timeouts;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A reader that stops reading, beside one that reads. */
class SlowReaderIT {

    private static final String SLOW = "parley_slow_readers";
    private static final String CUT = "parley_disconnects_total{reason=\"slow-consumer\"}";

    /** The state of a connection in the kernel's tables. */
    private static final String ESTABLISHED = "01";

    /** Small, so that the kernel buffers little for a reader that stops reading. */
    private static final int RECEIVE_BUFFER = 4096;

    /** Their bytes exceed what the kernel buffers for a connection at both ends. */
    private static final int MESSAGES = 200;

    /** A pod that soon cuts off a reader that stops reading. */
    @AutoClose
    private static final ParleyProcess strict = pod("500ms").quickReconnect().start().awaitReady();

    private static final Http publisher = new Http(strict.uri());
    private static final Metrics metrics = new Metrics(strict);

    private final TestRoom room = TestRoom.newAt(strict, publisher);

    @Test
    void stalledReader_delaysNoOtherReaderAndMissesNothing() throws IOException {
        try (ParleyProcess pod = pod("5m").start().awaitReady();
                SseReader healthy = SseReader.open(pod.uri("/events")).awaitLastEventId();
                SseReader stalled = openAndStall(SseReader.to(pod.uri("/events")))) {
            Metrics own = new Metrics(pod);

            List<String> texts = publishLongMessages(new Http(pod.uri()), "lobby", healthy);

            assertReceived(healthy, texts);
            own.awaitValue(SLOW, 1);
            assertThat(own.value("parley_connected_clients")).isEqualTo(2);
            bytesInTheKernel(pod)
                    .ifPresent(bytes -> assertThat(bytes).isPositive().isLessThan(256 * 1024));
            stalled.continueReading();
            assertReceived(stalled.awaitMessages(MESSAGES), texts);
            assertThat(stalled.connections()).isOne();
            own.awaitValue(SLOW, 0);
        }
    }

    @Test
    void readerStalledForTooLong_isCutAndCounted() {
        try (SseReader healthy = openInRoom()) {
            awaitOwnConnections();
            double before = metrics.value(CUT);
            try (SseReader stalled = openAndStall(SseReader.to(stream()))) {
                List<String> texts = publishLongMessages(publisher, room.name(), healthy);

                metrics.awaitValue(CUT, before + 1);
                metrics.awaitValue("parley_connected_clients", 1);
                metrics.awaitValue(SLOW, 0);
                // The stalled reader's connection is closed although it still reads nothing.
                awaitOwnConnections();
                stalled.continueReading();
                stalled.awaitClosed();
                assertThat(stalled.cleanEnds()).isZero();
                assertReceived(healthy, texts);
                assertThat(healthy.connections()).isOne();
                assertThat(healthy.connected()).isTrue();
                assertThat(strict.log()).doesNotContain("ERROR").doesNotContain("WARN");
            }
        }
    }

    @Test
    void readerOnHttp10StalledForTooLong_isCutAndCounted() throws IOException {
        try (SseReader healthy = openInRoom()) {
            awaitOwnConnections();
            double before = metrics.value(CUT);
            try (Socket stalled = new Socket()) {
                requestWithHttp10(stalled);
                metrics.awaitValue("parley_connected_clients", 2);

                publishLongMessages(publisher, room.name(), healthy);

                metrics.awaitValue(CUT, before + 1);
                awaitOwnConnections();
            }
        }
    }

    /** The stream has ended, so that none of the limits of streams holds any more. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void readerThatDoesNotTakeTheEndOfItsStream_isCut(boolean jdkTransport) {
        ParleyProcess.Builder settings =
                pod("5m")
                        .config("parley.events.max-connection-age", "20S")
                        .config("parley.limits.answer-timeout", "500ms")
                        .config("parley.limits.send-buffer", "8K");
        try (ParleyProcess pod =
                        (jdkTransport ? settings.jdkTransport() : settings).start().awaitReady();
                SseReader stalled = openAndStall(SseReader.to(pod.uri("/events")))) {
            Metrics own = new Metrics(pod);
            Http http = new Http(pod.uri());
            // More than the kernel takes at both ends, and less than makes the stream a slow one.
            for (int i = 0; i < 2; i++) {
                assertThat(http.sendForm("x".repeat(40 * 1024)).status()).isEqualTo(200);
            }
            assertThat(own.value(SLOW)).isZero();

            own.awaitValue("parley_disconnects_total{reason=\"rotation\"}", 1);
            own.awaitValue("parley_bounds_met_total{bound=\"answer-timeout\"}", 1);

            Timeouts.await("the connection is closed").until(() -> own.connections() == 1);
        }
    }

    /**
     * What a stream begins with is not an answer, and its client may take it as slowly as it can.
     */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void readerThatIsSlowToTakeTheBeginOfItsStream_isNotCut(boolean jdkTransport)
            throws IOException {
        ParleyProcess.Builder settings =
                pod("5m")
                        .config("parley.limits.answer-timeout", "500ms")
                        .config("parley.limits.send-buffer", "8K");
        // The first reader keeps the room open, so that the second one's messages come at once.
        try (ParleyProcess pod =
                        (jdkTransport ? settings.jdkTransport() : settings).start().awaitReady();
                SseReader first = SseReader.open(pod.uri("/events")).awaitLastEventId();
                Socket slow = new Socket();
                Socket other = new Socket()) {
            Metrics own = new Metrics(pod);
            Http http = new Http(pod.uri());
            // More than the kernel takes at both ends, and less than makes the stream a slow one.
            String text = "x".repeat(40 * 1024);
            for (int i = 0; i < 2; i++) {
                assertThat(http.sendForm(text).status()).isEqualTo(200);
            }
            first.awaitMessages(2);
            request(slow, pod, "/events?history=2", "HTTP/1.1\r\nHost: x");
            own.awaitValue("parley_connected_clients", 2);
            assertThat(own.value(SLOW)).isZero();

            // An answer that is asked for later, and not taken either: it does have a deadline.
            request(other, pod, "/rooms/lobby/messages", "HTTP/1.1\r\nHost: x");
            own.awaitValue("parley_bounds_met_total{bound=\"answer-timeout\"}", 1);

            assertThat(readUntil(slow, text, 2)).startsWith("HTTP/1.1 200");
            assertThat(own.value("parley_bounds_met_total{bound=\"answer-timeout\"}")).isOne();
            assertThat(own.value("parley_connected_clients")).isEqualTo(2);
        }
    }

    @Test
    void readerCutAsTooSlow_reconnectsAndMissesNothing() {
        try (SseReader healthy = openInRoom();
                SseReader stalled = openAndStall(SseReader.to(stream()).reconnecting())) {
            double before = metrics.value(CUT);
            List<String> texts = publishLongMessages(publisher, room.name(), healthy);
            metrics.awaitValue(CUT, before + 1);
            stalled.continueReading();

            assertReceived(stalled.awaitMessages(MESSAGES), texts);
            assertThat(stalled.events("gap")).isEmpty();
        }
    }

    private SseReader openInRoom() {
        return SseReader.open(stream()).awaitLastEventId();
    }

    private URI stream() {
        return strict.uri("/events?room=" + room.name());
    }

    /** Waits until no connections are left but those of the healthy reader and the publisher. */
    private static void awaitOwnConnections() {
        assertThat(publisher.get("/").status()).isEqualTo(200);
        Timeouts.await("two connections").until(() -> metrics.connections() == 2);
    }

    /**
     * Returns how many bytes wait for the slowest client of a pod. Empty on systems other than
     * Linux, where it cannot be seen. The pod may have sockets of IPv6 for clients of IPv4.
     */
    private static OptionalLong bytesInTheKernel(ParleyProcess pod) throws IOException {
        List<String> connections = new ArrayList<>();
        for (String name : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
            Path file = Path.of(name);
            if (Files.exists(file)) {
                connections.addAll(Files.readAllLines(file));
            }
        }
        if (connections.isEmpty()) {
            return OptionalLong.empty();
        }
        // sl, local address, remote address, state, and tx_queue:rx_queue, in hexadecimal.
        long most =
                connections.stream()
                        .map(line -> line.strip().split("\\s+", -1))
                        .filter(words -> words[1].endsWith(":%04X".formatted(pod.port())))
                        .filter(words -> words[3].equals(ESTABLISHED))
                        .mapToLong(words -> Long.parseLong(words[4].split(":", 2)[0], 16))
                        .max()
                        .orElseThrow(() -> new AssertionError("the pod has no connection"));
        return OptionalLong.of(most);
    }

    private static ParleyProcess.Builder pod(String slowTimeout) {
        return ParleyProcess.builder()
                .fixedPort()
                .config("parley.events.heartbeat", "200ms")
                .config("parley.events.slow-timeout", slowTimeout)
                .jvmOptions("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");
    }

    private static SseReader openAndStall(SseReader.Builder reader) {
        SseReader stalled = reader.receiveBuffer(RECEIVE_BUFFER).open().awaitLastEventId();
        stalled.stopReading();
        return stalled;
    }

    private void requestWithHttp10(Socket reader) throws IOException {
        request(reader, strict, stream().getPath() + "?" + stream().getQuery(), "HTTP/1.0");
    }

    /** Sends a GET whose answer is not read yet. */
    private static void request(Socket client, ParleyProcess pod, String target, String version)
            throws IOException {
        client.setReceiveBufferSize(RECEIVE_BUFFER);
        client.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), pod.port()));
        client.getOutputStream()
                .write(
                        ("GET " + target + " " + version + "\r\n\r\n")
                                .getBytes(StandardCharsets.US_ASCII));
    }

    /** Reads from a client until a text has come a number of times, and returns all that came. */
    private static String readUntil(Socket client, String text, int times) throws IOException {
        client.setSoTimeout(Timeouts.millis());
        StringBuilder read = new StringBuilder();
        byte[] piece = new byte[RECEIVE_BUFFER];
        int end = 0;
        for (int found = 0; found < times; ) {
            int count = client.getInputStream().read(piece);
            assertThat(count).as("the connection is open").isPositive();
            read.append(new String(piece, 0, count, StandardCharsets.ISO_8859_1));
            int at = read.indexOf(text, end);
            if (at >= 0) {
                end = at + text.length();
                found++;
            }
        }
        return read.toString();
    }

    /** Publishes long messages one by one: the healthy reader has each before the next is sent. */
    private static List<String> publishLongMessages(Http http, String room, SseReader healthy) {
        List<String> texts = new ArrayList<>();
        for (int i = 1; i <= MESSAGES; i++) {
            String text = i + "x".repeat(60 * 1024);
            assertThat(http.sendForm(text, "room", room).status()).isEqualTo(200);
            texts.add(text);
            healthy.awaitMessages(i);
        }
        return texts;
    }

    /** Compares without printing the texts, which are megabytes. */
    private static void assertReceived(SseReader reader, List<String> texts) {
        assertThat(reader.data().equals(texts)).as("all texts, in order").isTrue();
    }
}
