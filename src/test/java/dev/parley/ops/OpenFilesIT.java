package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A pod that may open few files says so when it starts, and takes only as many streams. */
final class OpenFilesIT {

    @Test
    void defaultLimit_isLoweredToTheOpenFiles_andTheLogNamesBoth() {
        try (var pod = pod(512)) {
            assertThat(pod.log())
                    .containsOnlyOnce("OpenFiles")
                    .contains("INFO  [dev.parley.ops.OpenFiles]")
                    .contains(limit(pod) + " streams instead of the 20000 of parley.limits.conn")
                    .contains("only 512 files. Raise that limit to 21000 (ulimit -n,");
            assertThat(limit(pod)).isBetween(1, 384);
        }
    }

    @Test
    void configuredLimit_thatTheOpenFilesDoNotAllow_isAWarning() {
        try (var pod = pod(512, "parley.limits.connections", "600")) {
            assertThat(pod.log())
                    .contains("WARN  [dev.parley.ops.OpenFiles]")
                    .contains(limit(pod) + " streams instead of the 600 of parley.limits.conn");
        }
    }

    @Test
    void configuredLimit_thatTheOpenFilesAllow_isKeptSilently() {
        try (var pod = pod(1024, "parley.limits.connections", "300")) {
            assertThat(pod.log()).doesNotContain("OpenFiles");
            assertThat(limit(pod)).isEqualTo(300);
        }
    }

    @Test
    void podFullOfStreams_stillTakesMessagesAndSaysGoodbyeToNewReaders() {
        List<SseReader> readers = new ArrayList<>();
        try (var pod = pod(384)) {
            int limit = limit(pod);
            for (int i = 0; i < limit; i++) {
                readers.add(SseReader.open(pod.uri("/events")));
            }
            readers.forEach(SseReader::awaitLastEventId);

            try (var late = SseReader.open(pod.uri("/events"))) {
                assertThat(late.awaitEvent("goodbye").data()).isEqualTo("{\"reason\":\"limit\"}");
            }
            assertThat(new Http(pod.uri("/")).sendForm("hi").status()).isEqualTo(200);
            readers.forEach(reader -> reader.awaitData("hi"));
            assertThat(pod.log()).doesNotContain("ERROR");
        } finally {
            readers.forEach(SseReader::close);
        }
    }

    private static int limit(ParleyProcess pod) {
        return (int) new Metrics(pod).value("parley_connection_limit");
    }

    private static ParleyProcess pod(int openFiles, String... settings) {
        var pod = ParleyProcess.builder().openFiles(openFiles);
        for (int i = 0; i < settings.length; i += 2) {
            pod.config(settings[i], settings[i + 1]);
        }
        return pod.start();
    }
}
