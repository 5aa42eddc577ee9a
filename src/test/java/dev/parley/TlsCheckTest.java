package dev.parley;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.eclipse.microprofile.config.Config;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TlsCheckTest {

    private static final String FILES = "quarkus.http.ssl.certificate.files";
    private static final String KEY_FILES = "quarkus.http.ssl.certificate.key-files";

    @TempDir private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"})
    void certificateAndKey_areAccepted(String kind) throws IOException {
        Config config = config(file("tls.crt", "CERTIFICATE"), file("tls.key", kind));

        assertThatCode(() -> TlsCheck.check(config)).doesNotThrowAnyException();
        assertThat(TlsCheck.isConfigured(config)).isTrue();
    }

    @Test
    void noFiles_areAccepted() {
        Config config = new SmallRyeConfigBuilder().build();

        assertThatCode(() -> TlsCheck.check(config)).doesNotThrowAnyException();
        assertThat(TlsCheck.isConfigured(config)).isFalse();
    }

    @Test
    void fileThatDoesNotExist_isRefused() throws IOException {
        String missing = directory.resolve("missing.key").toString();
        Config config = config(file("tls.crt", "CERTIFICATE"), missing);

        assertThatThrownBy(() -> TlsCheck.check(config))
                .hasMessageStartingWith(
                        KEY_FILES + ": the file " + missing + " cannot be read (NoSuchFile")
                .hasNoCause();
    }

    @Test
    void directory_isRefused() throws IOException {
        Config config = config(directory.toString(), file("tls.key", "PRIVATE KEY"));

        assertThatThrownBy(() -> TlsCheck.check(config))
                .hasMessageStartingWith(FILES + ": the file " + directory + " cannot be read");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PRIVATE KEY", "CERTIFICATE REQUEST", "NOTHING"})
    void fileWithoutACertificate_isRefused(String kind) throws IOException {
        Config config = config(file("tls.crt", kind), file("tls.key", "PRIVATE KEY"));

        assertThatThrownBy(() -> TlsCheck.check(config))
                .hasMessageContainingAll(FILES, "tls.crt", "does not contain a certificate");
    }

    @ParameterizedTest
    @ValueSource(strings = {"CERTIFICATE", "ENCRYPTED PRIVATE KEY", "PUBLIC KEY"})
    void fileWithoutAKeyThatCanBeUsed_isRefused(String kind) throws IOException {
        Config config = config(file("tls.crt", "CERTIFICATE"), file("tls.key", kind));

        assertThatThrownBy(() -> TlsCheck.check(config))
                .hasMessageContainingAll(
                        KEY_FILES, "tls.key", "does not contain a private key without a password");
    }

    @Test
    void certificateWithoutItsKey_isRefused() throws IOException {
        String certificate = file("tls.crt", "CERTIFICATE");
        Config config = config(certificate + "," + certificate, file("tls.key", "PRIVATE KEY"));

        assertThatThrownBy(() -> TlsCheck.check(config))
                .hasMessage(
                        FILES
                                + " names 2 files, and "
                                + KEY_FILES
                                + " 1: each certificate needs its key, in the same order");
    }

    private String file(String name, String kind) throws IOException {
        Path file = directory.resolve(name);
        Files.writeString(
                file, "-----BEGIN %s-----\nMA==\n-----END %s-----\n".formatted(kind, kind));
        return file.toString();
    }

    private static Config config(String files, String keyFiles) {
        return new SmallRyeConfigBuilder()
                .withDefaultValue(FILES, files)
                .withDefaultValue(KEY_FILES, keyFiles)
                .build();
    }
}
