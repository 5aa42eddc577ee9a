package dev.parley.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import dev.parley.access.AccessPods;
import dev.parley.cli.Command.CommandFailed;
import dev.parley.cli.Command.WrongUse;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command that revokes, at a running pod. */
class RevokeCommandIT {

    @TempDir private Path directory;

    private static ParleyProcess pod;

    @BeforeAll
    static void startPod() {
        pod = AccessPods.builder().start();
    }

    @AfterAll
    static void stopPod() {
        pod.close();
    }

    @Test
    void streamOfAPerson_ends() throws IOException {
        String token = AccessPods.tokenFor("kitchen").claim("sub", "eve").signed();
        try (SseReader reader = AccessPods.reader(pod, "room=kitchen", token).open()) {
            reader.awaitLastEventId();

            String printed = run("--url=" + pod.uri(), "--sub=eve", "--token-file=" + admin());

            assertThat(printed).startsWith("{\"sub\":\"eve\",\"issued_before\":\"");
            assertThat(reader.awaitEvent("goodbye").data()).isEqualTo("{\"reason\":\"revoked\"}");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'', /revocations",
        "/, /revocations",
        "/chat, /chat/revocations",
        "/chat/, /chat/revocations",
        "/a/b%20c//, /a/b%20c/revocations"
    })
    void pathOfAProxy_isKept(String path, String expected) throws IOException {
        var called = new AtomicReference<String>();
        HttpServer proxy =
                serve(
                        exchange -> {
                            called.set(exchange.getRequestURI().getRawPath());
                            answer(exchange, 200, "application/json");
                        });
        try {
            run("--sub=eve", url(proxy) + path, "--token-file=" + admin());
        } finally {
            proxy.stop(0);
        }

        assertThat(called).hasValue(expected);
    }

    /** A gateway that wants people to log in answers every request with its page. */
    @Test
    void pageOfAGateway_isNoSuccess() throws IOException {
        assertFailed("is not Parley's", 200, "text/html");
    }

    @Test
    void wrongCalls_sayWhatIsWrong() throws IOException {
        String file = "--token-file=" + admin();
        String noAdmin =
                "--token-file="
                        + Files.writeString(
                                directory.resolve("user"), AccessPods.tokenFor("a").signed());
        assertWrong("say what to revoke", "--url=" + pod.uri(), file);
        assertWrong("400 bad form: issued_before", "--issued-before=today", file, url());
        assertWrong("403 forbidden", "--sub=a", noAdmin, url());
        for (String url :
                List.of(
                        "not an address",
                        "localhost:8080",
                        "ftp://localhost",
                        "http://",
                        "http://h:99999",
                        "http://h?a=b",
                        "http://user:password@h",
                        "")) {
            assertWrong("--url: an address", "--sub=a", file, "--url=" + url);
        }
        assertWrong("cannot be read", "--sub=a", "--token-file=" + directory.resolve("none"));
        assertWrong("cannot be read", "--sub=a", "--token-file=a\u0000b");
        for (String content : List.of("", "two words", "a\nb", "a\u0000b", "\u00e9")) {
            Path wrong = Files.writeString(directory.resolve("wrong"), content);
            assertWrong("does not contain a token", "--sub=a", "--token-file=" + wrong);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 429, 500, 503})
    void podThatCannotRevokeNow_isNoWrongCall(int status) throws IOException {
        assertFailed(String.valueOf(status), status, "text/plain");
    }

    /** Checks that the call may be made again after an answer, unlike a wrong one. */
    private void assertFailed(String sentence, int status, String type) throws IOException {
        String file = "--token-file=" + admin();
        HttpServer server = serve(exchange -> answer(exchange, status, type));
        try {
            assertThatThrownBy(() -> run("--sub=a", file, url(server)))
                    .isInstanceOf(CommandFailed.class)
                    .hasMessageContaining(sentence);
        } finally {
            server.stop(0);
        }
    }

    private static HttpServer serve(HttpHandler handler) throws IOException {
        var loopback = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        HttpServer server = HttpServer.create(loopback, 1);
        server.createContext("/", handler);
        server.start();
        return server;
    }

    private static void answer(HttpExchange exchange, int status, String type) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    private static String url(HttpServer server) {
        return "--url=http://127.0.0.1:" + server.getAddress().getPort();
    }

    private static String url() {
        return "--url=" + pod.uri();
    }

    private String admin() throws IOException {
        String token =
                AccessPods.tokenFor("none")
                        .claim("sub", "root")
                        .claim("iat", Instant.now().getEpochSecond() + 20)
                        .claim("parley", Map.of("admin", true))
                        .signed();
        return Files.writeString(directory.resolve("admin"), token + "\n").toString();
    }

    private static void assertWrong(String expected, String... arguments) {
        assertThatThrownBy(() -> run(arguments))
                .isInstanceOf(WrongUse.class)
                .hasMessageContaining(expected);
    }

    private static String run(String... arguments) {
        var command =
                new RevokeCommand(
                        issuer -> {
                            throw new IllegalStateException("a token is in the file");
                        });
        var out = new ByteArrayOutputStream();
        command.run(
                new Arguments(
                        new ArrayList<>(List.of(arguments)), command.flags(), command.options()),
                new PrintStream(out, true, StandardCharsets.UTF_8));
        return out.toString(StandardCharsets.UTF_8);
    }
}
