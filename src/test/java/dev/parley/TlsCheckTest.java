package dev.parley;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.testsupport.SelfSignedCertificate;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import org.eclipse.microprofile.config.Config;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which certificates and keys of the HTTPS server are refused; real ones are made by the JDK. */
class TlsCheckTest {

    private static final String FILES = "quarkus.http.ssl.certificate.files";
    private static final String KEY_FILES = "quarkus.http.ssl.certificate.key-files";

    private static final Vertx vertx = Vertx.vertx();

    @TempDir private Path directory;

    @AfterAll
    static void closeVertx() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @ParameterizedTest
    @ValueSource(strings = {"EC", "RSA"})
    void certificateAndItsKey_areAccepted(String algorithm) throws Exception {
        SelfSignedCertificate certificate = certificate("one", algorithm);
        Config config =
                config(
                        write("tls.crt", certificate.certificatePem()),
                        write("tls.key", certificate.keyPem()));

        assertThatCode(() -> check(config)).doesNotThrowAnyException();
        assertThat(TlsCheck.isConfigured(config)).isTrue();
    }

    @Test
    void keyInTheOldForm_isAccepted() throws Exception {
        SelfSignedCertificate certificate = certificate("one", "RSA");
        byte[] key = Base64.getMimeDecoder().decode(certificate.keyPem().replaceAll("-.*", ""));
        // PKCS 8 is PKCS 1 (RFC 8017 A.1.2) behind 26 bytes that say that it is an RSA key.
        String content =
                Base64.getEncoder().encodeToString(Arrays.copyOfRange(key, 26, key.length));
        Config config =
                config(
                        write("tls.crt", certificate.certificatePem()),
                        write("tls.key", pem("RSA PRIVATE KEY", content)));

        assertThatCode(() -> check(config)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(strings = {"EC", "RSA"})
    void keyOfAnotherCertificate_isRefused(String algorithm) throws Exception {
        String file = write("tls.crt", certificate("one", algorithm).certificatePem());
        String key = write("tls.key", certificate("two", algorithm).keyPem());
        Config config = config(file, key);

        assertThatThrownBy(() -> check(config))
                .hasMessageStartingWith(
                        "%s, %s: the key in %s is not that of the certificate in %s; name the key"
                                .formatted(FILES, KEY_FILES, key, file))
                .hasNoCause();
    }

    @Test
    void keyOfAnotherKind_isRefused() throws Exception {
        String file = write("tls.crt", certificate("one", "EC").certificatePem());
        String key = write("tls.key", certificate("two", "RSA").keyPem());
        Config config = config(file, key);

        assertThatThrownBy(() -> check(config))
                .hasMessageStartingWith(
                        "%s, %s: the files %s and %s cannot be used ("
                                .formatted(FILES, KEY_FILES, file, key))
                .hasMessageEndingWith("; write an RSA or EC key and its certificate, as PEM")
                .hasNoCause();
    }

    @Test
    void blocksThatAreNeitherCertificateNorKey_areRefused() throws IOException {
        Config config = config(file("tls.crt", "CERTIFICATE"), file("tls.key", "PRIVATE KEY"));

        assertThatThrownBy(() -> check(config))
                .hasMessageContainingAll(FILES, KEY_FILES, "tls.crt", "tls.key", "cannot be used (")
                .hasNoCause();
    }

    @Test
    void secondKeyOfAnotherCertificate_isRefused() throws Exception {
        SelfSignedCertificate one = certificate("one", "EC");
        SelfSignedCertificate two = certificate("two", "EC");
        String file = write("one.crt", one.certificatePem());
        String key = write("one.key", one.keyPem());
        String second = write("two.crt", two.certificatePem());
        Config config = config(file + "," + second, key + "," + key);

        assertThatThrownBy(() -> check(config))
                .hasMessageContaining(
                        "the key in " + key + " is not that of the certificate in " + second);
    }

    @Test
    void noFiles_areAccepted() {
        Config config = new SmallRyeConfigBuilder().build();

        assertThatCode(() -> check(config)).doesNotThrowAnyException();
        assertThat(TlsCheck.isConfigured(config)).isFalse();
    }

    @Test
    void fileThatDoesNotExist_isRefused() throws IOException {
        String missing = directory.resolve("missing.key").toString();
        Config config = config(file("tls.crt", "CERTIFICATE"), missing);

        assertThatThrownBy(() -> check(config))
                .hasMessageStartingWith(
                        KEY_FILES + ": the file " + missing + " cannot be read (NoSuchFile")
                .hasNoCause();
    }

    @Test
    void directory_isRefused() throws IOException {
        Config config = config(directory.toString(), file("tls.key", "PRIVATE KEY"));

        assertThatThrownBy(() -> check(config))
                .hasMessageStartingWith(FILES + ": the file " + directory + " cannot be read");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PRIVATE KEY", "CERTIFICATE REQUEST", "NOTHING"})
    void fileWithoutACertificate_isRefused(String kind) throws IOException {
        Config config = config(file("tls.crt", kind), file("tls.key", "PRIVATE KEY"));

        assertThatThrownBy(() -> check(config))
                .hasMessageContainingAll(FILES, "tls.crt", "does not contain a certificate");
    }

    @ParameterizedTest
    @ValueSource(strings = {"CERTIFICATE", "ENCRYPTED PRIVATE KEY", "PUBLIC KEY"})
    void fileWithoutAKeyThatCanBeUsed_isRefused(String kind) throws IOException {
        Config config = config(file("tls.crt", "CERTIFICATE"), file("tls.key", kind));

        assertThatThrownBy(() -> check(config))
                .hasMessageContainingAll(
                        KEY_FILES, "tls.key", "does not contain a private key without a password");
    }

    @Test
    void certificateWithoutItsKey_isRefused() throws IOException {
        String certificate = file("tls.crt", "CERTIFICATE");
        Config config = config(certificate + "," + certificate, file("tls.key", "PRIVATE KEY"));

        assertThatThrownBy(() -> check(config))
                .hasMessage(
                        FILES
                                + " names 2 files, and "
                                + KEY_FILES
                                + " 1: each certificate needs its key, in the same order");
    }

    private void check(Config config) {
        TlsCheck.check(config, vertx);
    }

    private SelfSignedCertificate certificate(String name, String algorithm) {
        return SelfSignedCertificate.create(directory.resolve(name + ".p12"), algorithm);
    }

    private String file(String name, String kind) throws IOException {
        return write(name, pem(kind, "MA=="));
    }

    private static String pem(String kind, String content) {
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(kind, content, kind);
    }

    private String write(String name, String content) throws IOException {
        return Files.writeString(directory.resolve(name), content).toString();
    }

    private static Config config(String files, String keyFiles) {
        return new SmallRyeConfigBuilder()
                .withDefaultValue(FILES, files)
                .withDefaultValue(KEY_FILES, keyFiles)
                .build();
    }
}
