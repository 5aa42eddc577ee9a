package dev.parley;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.testsupport.ParleyProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The program does not start with a setting that does not exist, wherever it is set. */
class UnknownSettingsIT {

    @TempDir Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"parley.nope", "parley.history.nonsense", "parley.nope.at.all"})
    void unknownSystemProperty_isRefused(String key) {
        assertRefused(
                ParleyProcess.builder().config(key, "1"),
                "There is no setting " + key + "; docs/configuration.md lists the settings");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PARLEY_NOPE", "PARLEY_HISTORY_NOPE"})
    void unknownEnvironmentVariable_isRefused(String name) {
        assertRefused(
                ParleyProcess.builder().environment(name, "1"),
                "There is no environment variable " + name + "; docs/configuration.md");
    }

    @Test
    void unknownKeyInAConfigFile_isRefusedWithTheNearestOne() throws IOException {
        Path file = Files.writeString(directory.resolve("parley.properties"), "parley.log.byte=1M");

        assertRefused(
                ParleyProcess.builder().config("quarkus.config.locations", file.toUri().toString()),
                "There is no setting parley.log.byte, did you mean parley.log.bytes?");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "parley.history.size",
                "parley.history.bytes",
                "parley.limits.sockets",
                "parley.limits.sockets-per-address",
                "parley.limits.head-bytes",
                "parley.log.bytes",
                "parley.memory.max-bytes",
                "parley.publish.max-text",
                "parley.publish.rate"
            })
    void zero_isRefusedWhereItWouldLetNothingPass(String key) {
        assertRefused(ParleyProcess.builder().config(key, "0"), key);
    }

    @Test
    void settingsInEverySource_andVariablesThatAreNotSettings_areAccepted() throws IOException {
        Path file =
                Files.writeString(directory.resolve("parley.properties"), "parley.log.bytes=1M");

        ParleyProcess.builder()
                .config("quarkus.config.locations", file.toUri().toString())
                .config("parley.publish.rate", "1000")
                .environment("PARLEY_EVENTS_MAX_CONNECTION_AGE", "1H")
                .environment("PARLEY_TEST_REDIS", "/usr/bin/redis-server")
                .environment("PARLEY_SERVICE_HOST", "10.0.0.1")
                .environment("PARLEY_PORT", "tcp://10.0.0.1:80")
                .start()
                .awaitReady()
                .close();
    }

    @Test
    void severalUnknownNames_areNamedOnceEach() {
        var pod =
                ParleyProcess.builder()
                        .config("parley.nope", "1")
                        .environment("PARLEY_HISTORY_NOPE", "1");

        assertThatThrownBy(() -> pod.start().close())
                .hasMessageContainingAll("setting parley.nope;", "variable PARLEY_HISTORY_NOPE;")
                .hasMessageNotContaining("parley.history.nope");
    }

    private static void assertRefused(ParleyProcess.Builder pod, String sentence) {
        assertThatThrownBy(() -> pod.start().close())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("ended before it listened, exit code 1")
                .hasMessageContaining(sentence)
                .hasMessageNotContaining("\tat ");
    }
}
