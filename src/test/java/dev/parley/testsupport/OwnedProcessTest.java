package dev.parley.testsupport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OwnedProcessTest {

    @Test
    void processTerminatedWhilePaused_endsByItself_andItsLastOutputIsKept() {
        var shell =
                new ProcessBuilder(
                        "sh",
                        "-c",
                        "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.1; done");
        try (OwnedProcess process = OwnedProcess.start(shell)) {
            process.awaitOutput(log -> Optional.of(log).filter(text -> text.contains("up")));
            process.pause();
            process.terminate();

            assertThat(process.awaitExit()).isEqualTo(7);
            assertThat(process.log()).endsWith("bye\n");
        }
    }

    @Test
    void podThatEndsBeforeItListens_failsWithItsExitCodeAndItsLog() {
        var pod = ParleyProcess.builder().jar(Path.of("missing.jar"));

        assertThatThrownBy(pod::start)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("ended before it listened, exit code 1")
                .hasMessageContaining("missing.jar");
    }
}
