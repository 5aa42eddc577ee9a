package dev.parley.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A reader that takes no bytes, among others that do. */
class SlowReaderIT {

    private static final String SLOW = "parley_slow_readers";

    /** More than the kernel holds for a connection at both ends. */
    private static final int MESSAGES = 200;

    private static ParleyProcess.Builder pod() {
        return ParleyProcess.builder()
                .config("parley.events.heartbeat", "200ms")
                .jvmOptions("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");
    }

    private static SseReader stalledReader(ParleyProcess pod) {
        SseReader reader =
                SseReader.to(pod.uri("/events"))
                        .receiveBuffer(4096)
                        .open()
                        .awaitConnected()
                        .awaitLastEventId();
        reader.stopReading();
        return reader;
    }

    /** Sends long messages, each of which the healthy reader gets before the next is sent. */
    private static List<String> talk(Http http, SseReader healthy) {
        List<String> texts = new ArrayList<>();
        for (int i = 1; i <= MESSAGES; i++) {
            String text = i + "x".repeat(60 * 1024);
            assertThat(http.sendForm(text).status()).isEqualTo(200);
            texts.add(text);
            healthy.awaitMessages(i);
        }
        return texts;
    }

    @Test
    void stalledReader_delaysNobodyAndMissesNothingItself() {
        try (ParleyProcess pod =
                        pod().config("parley.events.slow-timeout", "5m").start().awaitReady();
                SseReader healthy = SseReader.open(pod.uri("/events")).awaitLastEventId();
                SseReader stalled = stalledReader(pod)) {
            Metrics metrics = new Metrics(pod);

            List<String> texts = talk(new Http(pod.uri()), healthy);

            assertThat(healthy.data().equals(texts)).isTrue();
            metrics.awaitValue(SLOW, 1);
            assertThat(metrics.value("parley_connected_clients")).isEqualTo(2);
            stalled.continueReading();
            assertThat(stalled.awaitMessages(MESSAGES).data().equals(texts)).isTrue();
            assertThat(stalled.connections()).isOne();
            metrics.awaitValue(SLOW, 0);
        }
    }

    @Test
    void readerStalledForTooLong_isCutAndCounted() {
        try (ParleyProcess pod =
                        pod().config("parley.events.slow-timeout", "500ms").start().awaitReady();
                SseReader healthy = SseReader.open(pod.uri("/events")).awaitLastEventId();
                SseReader stalled = stalledReader(pod)) {
            Metrics metrics = new Metrics(pod);

            List<String> texts = talk(new Http(pod.uri()), healthy);

            metrics.awaitValue("parley_disconnects_total{reason=\"slow-consumer\"}", 1);
            metrics.awaitValue("parley_connected_clients", 1);
            metrics.awaitValue(SLOW, 0);
            // Of the healthy reader, of the publisher, and for the metrics: the third reader's is
            // gone, though it still takes nothing.
            metrics.awaitValue("http_server_active_connections", 3);
            stalled.continueReading();
            stalled.awaitClosed();
            assertThat(stalled.cleanEnds()).isZero();
            assertThat(healthy.data().equals(texts)).isTrue();
            assertThat(healthy.connections()).isOne();
            assertThat(healthy.connected()).isTrue();
            assertThat(pod.log()).doesNotContain("ERROR").doesNotContain("WARN");
        }
    }

    @Test
    void stalledReaderOfOldHttp_isGoneAtOnce() throws Exception {
        try (ParleyProcess pod =
                        pod().config("parley.events.slow-timeout", "500ms").start().awaitReady();
                SseReader healthy = SseReader.open(pod.uri("/events")).awaitLastEventId();
                Socket stalled = new Socket()) {
            Metrics metrics = new Metrics(pod);
            stalled.setReceiveBufferSize(4096);
            stalled.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), pod.port()));
            stalled.getOutputStream()
                    .write("GET /events HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            metrics.awaitValue("parley_connected_clients", 2);

            talk(new Http(pod.uri()), healthy);

            metrics.awaitValue("parley_disconnects_total{reason=\"slow-consumer\"}", 1);
            // Of the healthy reader, of the publisher, and for the metrics.
            metrics.awaitValue("http_server_active_connections", 3);
        }
    }

    @Test
    void readerCutAsTooSlow_comesBackAndMissesNothing() {
        try (ParleyProcess pod =
                        pod().config("parley.events.slow-timeout", "500ms")
                                .config("parley.events.min-retry", "50ms")
                                .config("parley.events.max-retry", "50ms")
                                .start()
                                .awaitReady();
                SseReader healthy = SseReader.open(pod.uri("/events")).awaitLastEventId();
                SseReader stalled =
                        SseReader.to(pod.uri("/events"))
                                .receiveBuffer(4096)
                                .reconnecting()
                                .open()
                                .awaitLastEventId()) {
            stalled.stopReading();

            List<String> texts = talk(new Http(pod.uri()), healthy);
            new Metrics(pod).awaitValue("parley_disconnects_total{reason=\"slow-consumer\"}", 1);
            stalled.continueReading();

            assertThat(stalled.awaitMessages(MESSAGES).data().equals(texts)).isTrue();
            assertThat(stalled.events("gap")).isEmpty();
        }
    }
}
