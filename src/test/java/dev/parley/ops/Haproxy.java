package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.OwnedProcess;
import dev.parley.testsupport.Ports;
import dev.parley.testsupport.TextFiles;
import dev.parley.testsupport.Timeouts;
import dev.parley.testsupport.Tool;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A real HAProxy in front of pods, with the configuration of docs/operations.md. */
final class Haproxy implements Closeable {

    /** The ports of a pod behind the proxy. */
    record Pod(int port, int managementPort) {

        /** Two ports that are free now. */
        static Pod free() {
            return new Pod(Ports.free(), Ports.free());
        }
    }

    private static final String STATES = "/proxy-states;csv";

    private final OwnedProcess process;
    private final int port;
    private final int pods;

    private Haproxy(OwnedProcess process, int port, int pods) {
        this.process = process;
        this.port = port;
        this.pods = pods;
    }

    static Haproxy start(Path directory, List<Pod> pods) {
        Tool haproxy = Tool.named("haproxy");
        int port = Ports.free();
        String file = directory.resolve("haproxy.cfg").toString();
        try {
            Files.writeString(Path.of(file), configuration(port, pods));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Haproxy(haproxy.start("-db", "-f", file), port, pods.size());
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    /** Waits until all pods are ready in the proxy's view. */
    void awaitAllPods() {
        awaitAll("UP");
    }

    /** Waits until no pod is ready in the proxy's view. */
    void awaitNoReadyPod() {
        awaitAll("DOWN");
    }

    private void awaitAll(String state) {
        Http http = new Http(uri(""));
        Timeouts.await("all pods behind the proxy " + state)
                .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                .failFast(() -> assertThat(process.alive()).as(process.log()).isTrue())
                .until(() -> count(state, http.get(STATES).body()) == pods);
    }

    /** Counts the pods in this state in the proxy's statistics; "UP 1/2" is on the way down. */
    private static long count(String state, String csv) {
        return csv.lines()
                .filter(line -> line.startsWith("parley,pod") && line.contains("," + state + ","))
                .count();
    }

    @Override
    public void close() {
        process.close();
    }

    /**
     * The configuration of the documentation, for other addresses: it checks more often, does not
     * need as many open files, and shows its view of the pods.
     */
    private static String configuration(int port, List<Pod> pods) {
        String documented = documented("### HAProxy");
        String servers =
                pods.stream()
                        .flatMap(pod -> documented.lines().flatMap(line -> server(line, pod)))
                        .collect(Collectors.joining());
        return documented
                .replace("inter 1s", "inter 200ms")
                .replace("maxconn 50000", "maxconn 4000")
                .replace(
                        "bind :80",
                        "bind 127.0.0.1:%d%n    stats enable%n    stats uri /proxy-states"
                                .formatted(port))
                .replaceAll("(?m)^    server .*\\R?", "")
                .stripTrailing()
                .concat("\n" + servers);
    }

    /** The line for a pod, if a line of the documentation is one of its first pod, {@code a}. */
    private static Stream<String> server(String documented, Pod pod) {
        if (!documented.contains(" 10.0.0.11:8080")) {
            return Stream.empty();
        }
        String line =
                documented
                        .replace("server a", "server pod" + pod.port())
                        .replace("10.0.0.11:8080", "127.0.0.1:" + pod.port());
        return Stream.of(
                line.contains("no-check")
                        ? line + "\n"
                        : line + " port " + pod.managementPort() + "\n");
    }

    /** The first block of code below a heading of docs/operations.md. */
    static String documented(String heading) {
        String start = "^" + Pattern.quote(heading) + "$\\n";
        Matcher block =
                Pattern.compile(
                                start + "(?:(?!```|#)[^\\n]*\\n)*```\\w*\\n(.*?)^```$",
                                Pattern.MULTILINE | Pattern.DOTALL)
                        .matcher(TextFiles.read("docs/operations.md").replace("\r\n", "\n"));
        assertThat(block.find()).as("code below \"%s\" in docs/operations.md", heading).isTrue();
        return block.group(1);
    }
}
