package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.OwnedProcess;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Ports;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import dev.parley.testsupport.Tool;
import java.io.Closeable;
import java.io.IOException;
import java.io.StringReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The proxies of docs/operations.md, configured as written there, in front of a pod that trusts
 * them as written there. A client cannot choose the address by which it is limited.
 */
final class DocumentedProxiesIT {

    private static final String[] FORGED = {
        "127.0.0.3", "6.6.6.6, 7.7.7.7", "", ":", "127.0.0.1", "2001:db8::1"
    };

    @TempDir Path directory;

    @Test
    void clientOfHaproxy_isLimitedByItsRealAddress() throws IOException {
        Haproxy.Pod place = Haproxy.Pod.free();
        try (ParleyProcess pod = pod(place);
                Haproxy proxy = Haproxy.start(directory, List.of(place))) {
            proxy.awaitAllPods();

            assertLimitedByRealAddress(proxy.uri("/events"));
            assertThat(pod.log()).doesNotContain("ERROR").doesNotContain("WARN");
        }
    }

    @Test
    void clientOfNginx_isLimitedByItsRealAddress() throws IOException {
        Haproxy.Pod place = Haproxy.Pod.free();
        int port = Ports.free();
        try (ParleyProcess pod = pod(place)) {
            OwnedProcess nginx = startNginx(port, place.port());
            try {
                assertLimitedByRealAddress(uri(port));
                assertThat(pod.log()).doesNotContain("ERROR").doesNotContain("WARN");
            } finally {
                end(nginx);
            }
        }
    }

    /** A browser gives up after a 503 of the proxy, and comes back after a goodbye of a pod. */
    @Test
    void newStreamBehindHaproxy_isAnsweredByAPod_whileRedisIsAway() {
        List<Haproxy.Pod> places = List.of(Haproxy.Pod.free(), Haproxy.Pod.free());
        try (var redis = RedisServer.start();
                var one = onRedis(redis, places.get(0));
                var two = onRedis(redis, places.get(1));
                Haproxy proxy = Haproxy.start(directory, places)) {
            proxy.awaitAllPods();
            redis.kill();
            one.awaitReadiness(503);
            two.awaitReadiness(503);
            proxy.awaitNoReadyPod();

            try (SseReader reader = SseReader.open(proxy.uri("/events"))) {
                assertThat(reader.awaitEvent("goodbye").data())
                        .isEqualTo("{\"reason\":\"unavailable\"}");
                assertThat(reader.status()).isEqualTo(200);
            }
        }
    }

    private static ParleyProcess onRedis(RedisServer redis, Haproxy.Pod place) {
        return ParleyProcess.builder()
                .redis(redis.uri())
                .ports(place.port(), place.managementPort())
                .quickToDetectFaults()
                .start();
    }

    @Test
    void nginx_triesAnotherPod_whenOneDoesNotAnswer() throws IOException {
        Haproxy.Pod place = Haproxy.Pod.free();
        int port = Ports.free();
        try (ParleyProcess pod = pod(place);
                var vanished = new UnansweringPort()) {
            OwnedProcess nginx = startNginx(port, place.port(), vanished.port());
            try {
                for (int i = 0; i < 4; i++) {
                    assertThat(new Http(uri(port)).call("HEAD", "/events").status()).isEqualTo(200);
                    assertThat(new Http(uri(port)).sendForm("" + i).status()).isEqualTo(200);
                }
                assertThat(nginx.log()).contains("while connecting to upstream");
                assertThat(pod.alive()).isTrue();
            } finally {
                end(nginx);
            }
        }
    }

    @Test
    void nginx_servesAgain_asSoonAsAPodIsBack() throws IOException {
        int port = Ports.free();
        int pod = Ports.free();
        OwnedProcess nginx = startNginx(port, pod, Ports.free());
        try {
            assertThat(new Http(uri(port)).call("HEAD", "/events").status()).isEqualTo(502);

            // In place of a pod, as it starts at once.
            var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), pod);
            HttpServer back = HttpServer.create(address, 0);
            back.createContext("/", DocumentedProxiesIT::answer);
            back.start();
            try {
                assertThat(new Http(uri(port)).call("HEAD", "/events").status()).isEqualTo(200);
            } finally {
                back.stop(0);
            }
        } finally {
            end(nginx);
        }
    }

    private static void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.sendResponseHeaders(200, -1);
        }
    }

    private static URI uri(int port) {
        return URI.create("http://127.0.0.1:" + port + "/events");
    }

    private static void end(OwnedProcess nginx) {
        // SIGTERM: the master ends its workers. SIGKILL would leave them.
        nginx.terminate();
        nginx.awaitExit();
    }

    /**
     * A port that answers no connection, as that of a node that is gone: the kernel drops what
     * arrives once as many connections as it queues have not been accepted.
     */
    private static final class UnansweringPort implements Closeable {

        private final ServerSocket server =
                new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        private final List<Socket> queued =
                List.of(
                        new Socket(server.getInetAddress(), server.getLocalPort()),
                        new Socket(server.getInetAddress(), server.getLocalPort()));

        UnansweringPort() throws IOException {}

        int port() {
            return server.getLocalPort();
        }

        @Override
        public void close() throws IOException {
            for (Socket socket : queued) {
                socket.close();
            }
            server.close();
        }
    }

    /** Each of two clients has one stream, whatever addresses they claim to have. */
    private static void assertLimitedByRealAddress(URI stream) throws IOException {
        var ada = InetAddress.getByName("127.0.0.2");
        var bob = InetAddress.getByName("127.0.0.3");
        try (var first = SseReader.to(stream).from(ada).open().awaitLastEventId();
                var other = forged(stream, bob, "127.0.0.2")) {
            other.awaitLastEventId();
            for (String claimed : FORGED) {
                try (var again = forged(stream, ada, claimed)) {
                    assertThat(again.awaitEvent("goodbye").data())
                            .as(claimed)
                            .isEqualTo("{\"reason\":\"limit\"}");
                }
            }
            assertThat(first.connected()).isTrue();
        }
    }

    private static SseReader forged(URI stream, InetAddress from, String claimed) {
        return SseReader.to(stream)
                .from(from)
                .header("X-Forwarded-For", claimed)
                .header("Forwarded", "for=" + claimed)
                .open();
    }

    private static ParleyProcess pod(Haproxy.Pod place) throws IOException {
        var settings = new Properties();
        settings.load(new StringReader(Haproxy.documented("### The client's address")));
        var pod =
                ParleyProcess.builder()
                        .ports(place.port(), place.managementPort())
                        .config("parley.limits.connections-per-address", "1");
        settings.stringPropertyNames()
                .forEach(
                        key ->
                                pod.config(
                                        key,
                                        settings.getProperty(key)
                                                .replace("10.0.0.0/24", "127.0.0.1")));
        return pod.start().awaitReady();
    }

    private OwnedProcess startNginx(int port, int... pods) throws IOException {
        String text =
                Haproxy.documented("### nginx")
                        // Each worker notes by itself which pods have failed.
                        .replace("worker_processes auto", "worker_processes 1")
                        .replace("worker_rlimit_nofile 65536", "worker_rlimit_nofile 4096")
                        .replace("worker_connections 32768", "worker_connections 2048")
                        .replace("listen 80", "listen 127.0.0.1:" + port)
                        .replace("proxy_connect_timeout 5s", "proxy_connect_timeout 500ms")
                        .replace("10.0.0.11:8080", "127.0.0.1:" + pods[0])
                        .replaceAll(
                                "server 10\\.0\\.0\\.12:8080(.*?);",
                                pods.length == 1 ? "" : "server 127.0.0.1:" + pods[1] + "$1;")
                        .replace("http {", "http {\n    access_log off;\n" + temporaryPaths());
        Path configuration = directory.resolve("nginx.conf");
        Files.writeString(
                configuration,
                "daemon off;\nerror_log stderr;\npid " + directory.resolve("pid") + ";\n" + text);
        OwnedProcess nginx =
                Tool.named("nginx").start("-p", "" + directory, "-c", "" + configuration);
        Timeouts.await("nginx")
                .failFast(() -> assertThat(nginx.alive()).as(nginx.log()).isTrue())
                .until(() -> accepts(port));
        return nginx;
    }

    private static boolean accepts(int port) {
        try (var connection = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return connection.isConnected();
        } catch (IOException refused) {
            return false;
        }
    }

    private String temporaryPaths() {
        var paths = new StringBuilder();
        for (String kind : new String[] {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
            paths.append("    %s_temp_path %s;%n".formatted(kind, directory.resolve(kind)));
        }
        return paths.toString();
    }
}
