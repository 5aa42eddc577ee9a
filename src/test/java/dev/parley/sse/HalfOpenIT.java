package dev.parley.sse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.OwnedProcess;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TextFiles;
import dev.parley.testsupport.Tool;
import java.io.Closeable;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A reader whose network fails without closing the connection: with the transport that the pod has
 * by itself, where the kernel ends the connection (epoll), and with the JDK's, where Parley does.
 */
class HalfOpenIT {

    private static final String CONNECTED = "parley_connected_clients";

    /** A reader that runs in a separate process. */
    static final class Reader {

        public static void main(String[] args) {
            try (SseReader reader = SseReader.open(URI.create(args[0])).awaitLastEventId()) {
                System.out.println("connected");
                reader.await("end", Duration.ofHours(1), SseReader::closed);
            }
        }
    }

    private static String[] readerOf(String host, int port) {
        return new String[] {
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            Path.of(Reader.class.getProtectionDomain().getCodeSource().getLocation().getPath())
                    .toString(),
            Reader.class.getName(),
            "http://" + host + ":" + port + "/events"
        };
    }

    /** The JDK's transport costs half as much again for each delivery. The log names it. */
    @Test
    @EnabledOnOs(
            value = OS.LINUX,
            architectures = {"amd64", "aarch64"})
    @DisabledIfSystemProperty(named = "parley.transport", matches = "jdk")
    void transportIsEpoll_unlessItIsSwitchedOff() {
        try (ParleyProcess pod = pod(false).start().awaitReady();
                ParleyProcess other = pod(true).start().awaitReady()) {
            other.awaitLog("Connections use the JDK's transport");
            pod.awaitLog("Listening on");

            assertThat(pod.log()).doesNotContain("the JDK's transport");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void readerBehindACutCable_isNoLongerCounted(boolean jdkTransport) {
        Optional<NetworkNamespace> namespace = NetworkNamespace.open();
        try (NetworkNamespace elsewhere = namespace.orElseThrow(HalfOpenIT::noNamespace);
                ParleyProcess pod = pod(jdkTransport).start().awaitReady();
                SseReader staying = SseReader.open(pod.uri("/events")).awaitLastEventId()) {
            Metrics metrics = new Metrics(pod);
            elsewhere.run("connected", readerOf(elsewhere.host(), pod.port()));
            metrics.awaitValue(CONNECTED, 2);

            elsewhere.cut();

            // Without Parley's limit the kernel would retry for a quarter of an hour.
            metrics.awaitValue(CONNECTED, 1);
            metrics.awaitValue("parley_disconnects_total{reason=\"client\"}", 1);
            assertThat(staying.connected()).isTrue();
            assertThat(pod.log()).doesNotContain("ERROR").doesNotContain("WARN");
        }
    }

    /**
     * Skips the test. In CI it fails instead, where this process has the two capabilities (Linux:
     * CAP_NET_ADMIN and CAP_SYS_ADMIN) that a namespace takes.
     */
    private static RuntimeException noNamespace() {
        String why = "network namespaces need root on Linux, and the program ip";
        return mayMakeNamespaces() ? Tool.missing(why) : Tool.skip(why);
    }

    private static boolean mayMakeNamespaces() {
        Path status = Path.of("/proc/self/status");
        long needed = 1L << 12 | 1L << 21;
        return Files.isReadable(status)
                && TextFiles.read(status)
                        .lines()
                        .filter(line -> line.startsWith("CapEff:"))
                        .map(line -> Long.parseUnsignedLong(line.split("\\s+", 2)[1], 16))
                        .anyMatch(effective -> (effective & needed) == needed);
    }

    private static ParleyProcess.Builder pod(boolean jdkTransport) {
        ParleyProcess.Builder pod =
                ParleyProcess.builder()
                        .config("quarkus.http.host", "0.0.0.0")
                        .config("parley.events.heartbeat", "500ms")
                        .config("parley.events.slow-timeout", "100ms");
        return jdkTransport ? pod.jdkTransport() : pod;
    }

    /**
     * A second host: a network namespace (Linux, as root) with one virtual link to this host, which
     * a test can cut. As with a real cable, neither end is notified of the cut.
     */
    private static final class NetworkNamespace implements Closeable {

        private final String name;
        private final String here;
        private final String there;
        private final int number;
        private final List<OwnedProcess> processes = new ArrayList<>();

        private NetworkNamespace(int number) {
            name = "parley-" + number;
            here = "parley" + number + "a";
            there = "parley" + number + "b";
            this.number = number;
        }

        /** Creates a namespace; empty where the system does not allow it. */
        static Optional<NetworkNamespace> open() {
            var namespace = new NetworkNamespace(ThreadLocalRandom.current().nextInt(10_000));
            try {
                ip("netns", "add", namespace.name);
            } catch (RuntimeException e) {
                // Must not be removed: a test that runs at the same time may have created it.
                return Optional.empty();
            }
            try {
                namespace.link();
                return Optional.of(namespace);
            } catch (RuntimeException e) {
                namespace.close();
                return Optional.empty();
            }
        }

        private void link() {
            ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name);
            ip("addr", "add", host() + "/30", "dev", here);
            ip("link", "set", here, "up");
            ip("-n", name, "addr", "add", address(2) + "/30", "dev", there);
            ip("-n", name, "link", "set", there, "up");
        }

        /** The address under which the namespace reaches this host. */
        String host() {
            return address(1);
        }

        /** An address in the link's /30, from the range for network tests (RFC 2544). */
        private String address(int last) {
            return "198.18.%d.%d".formatted(number / 60, number % 60 * 4 + last);
        }

        /** Starts a program in the namespace and returns when its output contains this text. */
        void run(String awaitedOutput, String... command) {
            List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", name));
            all.addAll(List.of(command));
            OwnedProcess process = OwnedProcess.start(new ProcessBuilder(all));
            processes.add(process);
            Optional<String> found =
                    process.awaitOutput(
                            log -> Optional.of(log).filter(text -> text.contains(awaitedOutput)));
            if (found.isEmpty()) {
                throw new AssertionError("no \"" + awaitedOutput + "\" in:\n" + process.log());
            }
        }

        /** Cuts the link at the far end: packets from here are lost without an error. */
        void cut() {
            ip("-n", name, "link", "set", there, "down");
        }

        private static void ip(String... arguments) {
            List<String> command = new ArrayList<>(List.of("ip"));
            command.addAll(List.of(arguments));
            OwnedProcess process = OwnedProcess.start(new ProcessBuilder(command));
            if (process.awaitExit() != 0) {
                throw new IllegalStateException(command + ": " + process.log());
            }
        }

        @Override
        public void close() {
            processes.forEach(OwnedProcess::close);
            // The kernel deletes a namespace, and its link, only after its last connection has
            // ended.
            remove("link", "del", here);
            remove("netns", "del", name);
        }

        private static void remove(String... arguments) {
            try {
                ip(arguments);
            } catch (RuntimeException e) {
                // It was never created.
            }
        }
    }
}
