package dev.parley.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
        var proxy =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
        proxy.createContext(
                "/",
                exchange -> {
                    called.set(exchange.getRequestURI().getRawPath());
                    exchange.getResponseHeaders().set("Content-Type", "application/json");
                    exchange.sendResponseHeaders(200, -1);
                    exchange.close();
                });
        proxy.start();
        try {
            int port = proxy.getAddress().getPort();
            run("--sub=eve", "--url=http://127.0.0.1:" + port + path, "--token-file=" + admin());
        } finally {
            proxy.stop(0);
        }

        assertThat(called).hasValue(expected);
    }

    /** A gateway that wants people to log in answers every request with its page. */
    @Test
    void pageOfAGateway_isNoSuccess() throws IOException {
        var gateway =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
        gateway.createContext(
                "/",
                exchange -> {
                    exchange.getResponseHeaders().set("Content-Type", "text/html");
                    exchange.sendResponseHeaders(200, -1);
                    exchange.close();
                });
        gateway.start();
        try {
            String url = "--url=http://127.0.0.1:" + gateway.getAddress().getPort();
            String file = "--token-file=" + admin();

            assertThatThrownBy(() -> run("--sub=eve", url, file))
                    .isInstanceOf(CommandFailed.class)
                    .hasMessageContaining("is not Parley's");
        } finally {
            gateway.stop(0);
        }
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
        String file = "--token-file=" + admin();
        var busy = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
        busy.createContext(
                "/",
                exchange -> {
                    exchange.sendResponseHeaders(status, -1);
                    exchange.close();
                });
        busy.start();
        try {
            String url = "--url=http://127.0.0.1:" + busy.getAddress().getPort();
            assertThatThrownBy(() -> run("--sub=a", file, url))
                    .isInstanceOf(CommandFailed.class)
                    .hasMessageContaining(String.valueOf(status));
        } finally {
            busy.stop(0);
        }
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
