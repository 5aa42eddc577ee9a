package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pod that may open few files says so when it starts, and takes only as many streams. */
final class OpenFilesIT {

    @TempDir Path directory;

    @Test
    void defaultLimit_isLoweredToTheOpenFiles_andTheLogNamesBoth() {
        try (var pod = new LimitedPod(512)) {
            assertThat(pod.log())
                    .containsOnlyOnce("OpenFiles")
                    .contains("INFO  [dev.parley.ops.OpenFiles]")
                    .contains("384 streams instead of the 20000 of parley.limits.connections")
                    .contains("only 512 files. Raise that limit to 21000 (ulimit -n,");
            assertThat(pod.metrics()).contains("parley_connection_limit 384.0");
        }
    }

    @Test
    void configuredLimit_thatTheOpenFilesDoNotAllow_isAWarning() {
        try (var pod = new LimitedPod(512, "-Dparley.limits.connections=600")) {
            assertThat(pod.log())
                    .contains("WARN  [dev.parley.ops.OpenFiles]")
                    .contains("384 streams instead of the 600 of parley.limits.connections");
        }
    }

    @Test
    void configuredLimit_thatTheOpenFilesAllow_isKeptSilently() {
        try (var pod = new LimitedPod(512, "-Dparley.limits.connections=300")) {
            assertThat(pod.log()).doesNotContain("OpenFiles");
            assertThat(pod.metrics()).contains("parley_connection_limit 300.0");
        }
    }

    @Test
    void podFullOfStreams_stillTakesMessagesAndSaysGoodbyeToNewReaders() {
        List<SseReader> readers = new ArrayList<>();
        try (var pod = new LimitedPod(256)) {
            for (int i = 0; i < 192; i++) {
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

    /** A pod on a loopback port, started by a shell that limits its open files. */
    private final class LimitedPod implements Closeable {

        private static final Pattern LISTENING =
                Pattern.compile(
                        "Listening on: https?://[^\\s/]*:(\\d+)"
                                + ".*Management interface listening on https?://[^\\s/]*:(\\d+)");

        private final Process process;
        private final Path output;
        private final int port;
        private final int managementPort;

        LimitedPod(int openFiles, String... settings) {
            output = directory.resolve("pod.log");
            List<String> command = new ArrayList<>();
            command.addAll(List.of("sh", "-c", "ulimit -n " + openFiles + " && exec \"$@\"", "sh"));
            command.addAll(program(settings));
            try {
                process =
                        new ProcessBuilder(command)
                                .redirectErrorStream(true)
                                .redirectOutput(output.toFile())
                                .start();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            try {
                MatchResult ports = awaitPorts();
                port = Integer.parseInt(ports.group(1));
                managementPort = Integer.parseInt(ports.group(2));
            } catch (RuntimeException e) {
                close();
                throw e;
            }
        }

        private static List<String> program(String... settings) {
            List<String> options =
                    Stream.concat(
                                    Stream.of(
                                            "-Dquarkus.http.host=127.0.0.1",
                                            "-Dquarkus.http.port=0",
                                            "-Dquarkus.management.host=127.0.0.1",
                                            "-Dquarkus.management.port=0"),
                                    Stream.of(settings))
                            .toList();
            String executable = System.getProperty("parley.native", "");
            List<String> words = new ArrayList<>();
            if (executable.isBlank()) {
                String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
                words.addAll(List.of(java, "-Xmx192m", "-XX:+UseSerialGC"));
                words.addAll(options);
                words.addAll(List.of("-jar", System.getProperty("parley.app")));
            } else {
                words.add(Path.of(executable).toAbsolutePath().toString());
                words.addAll(options);
            }
            return words;
        }

        private MatchResult awaitPorts() {
            Timeouts.await("a pod with few files to listen")
                    .failFast(() -> assertThat(process.isAlive()).as(log()).isTrue())
                    .until(() -> LISTENING.matcher(log()).find());
            Matcher matcher = LISTENING.matcher(log());
            assertThat(matcher.find()).isTrue();
            return matcher.toMatchResult();
        }

        String log() {
            try {
                return Files.readString(output);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        String metrics() {
            var management = URI.create("http://127.0.0.1:" + managementPort);
            return new Http(management).get("/q/metrics").body();
        }

        URI uri(String path) {
            return URI.create("http://127.0.0.1:" + port + path);
        }

        @Override
        public void close() {
            process.destroyForcibly().onExit().join();
        }
    }
}
