package dev.parley.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.access.AccessPods;
import dev.parley.cli.Command.WrongUse;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
        assertWrong("does not answer", "--sub=a", file, "--url=http://127.0.0.1:1");
        assertWrong("--url: an address", "--sub=a", file, "--url=not an address");
        assertWrong("cannot be read", "--sub=a", "--token-file=" + directory.resolve("none"));
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
