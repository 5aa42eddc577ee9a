package dev.parley.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.access.TestTokens;
import dev.parley.testsupport.Timeouts;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands of the packaged program, with the settings that its server would have. */
class CommandLineIT {

    @TempDir Path directory;

    /** What a call came to. */
    private record Outcome(int status, String out, String err) {}

    private Outcome run(Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        List<String> words = new ArrayList<>();
        String executable = System.getProperty("parley.native", "");
        if (executable.isBlank()) {
            words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            words.add("-jar");
            words.add(
                    new File(System.getProperty("parley.app", "target/quarkus-app/quarkus-run.jar"))
                            .getAbsolutePath());
        } else {
            words.add(new File(executable).getAbsolutePath());
        }
        words.addAll(List.of(arguments));
        Path out = directory.resolve("out");
        Path err = directory.resolve("err");
        var builder =
                new ProcessBuilder(words)
                        .directory(directory.toFile())
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("PARLEY_"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            assertThat(process.waitFor(Timeouts.millis(), TimeUnit.MILLISECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        return new Outcome(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    private static final Map<String, String> ISSUER =
            Map.of(
                    "PARLEY_ACCESS_ISSUERS_DEV_ISSUER", "dev",
                    "PARLEY_ACCESS_ISSUERS_DEV_AUDIENCE", "parley",
                    "PARLEY_ACCESS_ISSUERS_DEV_SECRET", TestTokens.SECRET);

    @Test
    void token_isPrintedAlone_withSettingsOfTheEnvironment() throws Exception {
        Outcome outcome = run(ISSUER, "token", "--room", "kitchen", "--read");

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.status()).isZero();
        assertThat(outcome.out()).matches("[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\R");
    }

    @Test
    void token_isPrinted_withSettingsOfTheFileBesideTheProgram() throws Exception {
        Files.createDirectory(directory.resolve("config"));
        Files.writeString(
                directory.resolve("config/application.properties"),
                """
                parley.access.issuers.dev.issuer=dev
                parley.access.issuers.dev.audience=parley
                parley.access.issuers.dev.secret=%s
                """
                        .formatted(TestTokens.SECRET));

        Outcome outcome = run(Map.of(), "token", "--room", "kitchen", "--read");

        assertThat(outcome.err()).isEmpty();
        assertThat(outcome.status()).isZero();
    }

    @Test
    void wrongCall_endsWithStatus2() throws Exception {
        Outcome outcome = run(Map.of(), "token", "--room", "kitchen", "--read");

        assertThat(outcome.status()).isEqualTo(2);
        assertThat(outcome.out()).isEmpty();
        assertThat(outcome.err()).contains("token: no issuer has a secret to sign with");
    }
}
