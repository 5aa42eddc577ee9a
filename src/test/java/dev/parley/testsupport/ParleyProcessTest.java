package dev.parley.testsupport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The life of a pod, with a stand-in for Parley that says and answers what is needed. */
class ParleyProcessTest {

    @TempDir Path directory;
    private Path jar = Path.of("");

    /** The stand-in: ready from the second probe on. */
    static final class StandIn {
        private static int probes;

        public static void main(String[] args) throws IOException {
            if (Boolean.getBoolean("stand-in.fails")) {
                System.out.println("parley.limit must be positive");
                System.exit(3);
            }
            int port = Integer.getInteger("quarkus.http.port");
            HttpServer server =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
            server.createContext(
                    "/q/health/ready",
                    exchange -> {
                        exchange.sendResponseHeaders(++probes > 1 ? 200 : 503, -1);
                        exchange.close();
                    });
            server.start();
            Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("bye")));
            System.out.println(
                    "parley started in 0.1s. Listening on: http://127.0.0.1:"
                            + server.getAddress().getPort());
            System.out.println("redis " + System.getProperty("quarkus.redis.hosts", "none"));
            System.out.println("room " + System.getenv("PARLEY_ROOM"));
        }
    }

    @BeforeEach
    void packageStandIn() throws IOException {
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        attributes.put(Attributes.Name.MAIN_CLASS, StandIn.class.getName());
        attributes.put(
                Attributes.Name.CLASS_PATH,
                StandIn.class.getProtectionDomain().getCodeSource().getLocation().toString());
        jar = directory.resolve("stand-in.jar");
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file, manifest)) {
            out.finish();
        }
    }

    private ParleyProcess.Builder standIn() {
        return ParleyProcess.builder().jar(jar);
    }

    @Test
    void started_listensWhereItSays_withItsConfiguration() {
        try (ParleyProcess pod =
                standIn()
                        .redis("redis://127.0.0.1:1")
                        .environment("PARLEY_ROOM", "lobby")
                        .start()
                        .awaitReady()) {
            assertThat(pod.port()).isPositive();
            assertThat(pod.uri("/a?b").toString())
                    .isEqualTo("http://127.0.0.1:" + pod.port() + "/a?b");
            pod.awaitLog("redis redis://127.0.0.1:1");
            pod.awaitLog("room lobby");
            assertThat(pod.log()).contains("Listening on");
        }
    }

    @Test
    void failedStart_showsTheLog() {
        assertThatThrownBy(() -> standIn().config("stand-in.fails", "true").start())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("ended before it listened, exit code 3")
                .hasMessageContaining("parley.limit must be positive");
    }

    @Test
    void killed_isReplacedOnItsPort() {
        try (ParleyProcess pod = standIn().port(Ports.free()).start()) {
            pod.kill();
            assertThat(pod.alive()).isFalse();
            try (ParleyProcess next = pod.replacement()) {
                assertThat(next.port()).isEqualTo(pod.port());
                assertThat(next.alive()).isTrue();
            }
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void terminated_evenWhilePaused_hasItsExitCode() {
        try (ParleyProcess pod = standIn().start()) {
            // Its last words but one, or they might come after the last.
            pod.awaitLog("room ");
            pod.pause();
            pod.terminate();
            assertThat(pod.awaitExit()).isEqualTo(128 + 15);
            assertThat(pod.log()).endsWith("bye\n");
            assertThatThrownBy(pod::awaitReady).hasStackTraceContaining("Parley runs");
        }
    }
}
