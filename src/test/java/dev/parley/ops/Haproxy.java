package dev.parley.ops;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Ports;
import dev.parley.testsupport.Timeouts;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;

/** A real HAProxy in front of pods, configured as in docs/operations.md, with quicker checks. */
final class Haproxy implements Closeable {

    private static final String STATES = "/proxy-states;csv";

    private final Process process;
    private final int port;
    private final int pods;

    private Haproxy(Process process, int port, int pods) {
        this.process = process;
        this.port = port;
        this.pods = pods;
    }

    static Haproxy start(Path directory, int... pods) {
        Tool.named("haproxy");
        int port = Ports.free();
        try {
            Path configuration = directory.resolve("haproxy.cfg");
            Files.writeString(configuration, configuration(port, pods));
            Process process =
                    new ProcessBuilder("haproxy", "-db", "-f", configuration.toString())
                            .redirectErrorStream(true)
                            .redirectOutput(directory.resolve("haproxy.log").toFile())
                            .start();
            return new Haproxy(process, port, pods.length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    /** Waits until the proxy sends requests to all pods. */
    void awaitAllPods() {
        Http http = new Http(uri(""));
        Timeouts.await("all pods behind the proxy")
                .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                .failFast("the proxy has ended", () -> !process.isAlive())
                .until(() -> up(http.get(STATES).body()) == pods);
    }

    /** Counts the pods that are up in the proxy's statistics. */
    private static long up(String csv) {
        return csv.lines()
                .filter(line -> line.startsWith("parley,pod") && line.contains(",UP,"))
                .count();
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }

    private static String configuration(int port, int... pods) {
        var text =
                new StringBuilder(
                        """
                        global
                            maxconn 4000
                        defaults
                            mode http
                            timeout client 120s
                            timeout server 120s
                            timeout connect 5s
                            timeout check 5s
                            option http-no-delay
                            option redispatch
                            retries 3
                            retry-on conn-failure
                        frontend web
                            bind 127.0.0.1:%d
                            stats enable
                            stats uri /proxy-states
                            default_backend parley
                        backend parley
                            balance leastconn
                            option httpchk GET /q/health/ready
                            http-check expect status 200
                            default-server check inter 200ms fall 2 rise 2
                        """
                                .formatted(port));
        for (int pod : pods) {
            text.append("    server pod%d 127.0.0.1:%d%n".formatted(pod, pod));
        }
        return text.toString();
    }
}
