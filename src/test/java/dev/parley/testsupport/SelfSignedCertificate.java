package dev.parley.testsupport;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A certificate for {@code localhost} that no program trusts, in a key store of PKCS 12. */
public final class SelfSignedCertificate {

    public static final String PASSWORD = "changeit";

    private static final String ALIAS = "test";

    private final KeyStore store;

    private SelfSignedCertificate(KeyStore store) {
        this.store = store;
    }

    /** Makes a certificate of an EC key and writes its key store to this file. */
    public static SelfSignedCertificate create(Path file) {
        return create(file, "EC");
    }

    /**
     * Makes a certificate and writes its key store to this file.
     *
     * @param algorithm of the key: EC or RSA
     */
    public static SelfSignedCertificate create(Path file, String algorithm) {
        String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        String options =
                "-genkeypair -dname CN=localhost -ext SAN=dns:localhost"
                        + " -storetype PKCS12 -keystore";
        List<String> command = new ArrayList<>(List.of(keytool));
        command.addAll(List.of(options.split(" ")));
        command.addAll(List.of(file.toString(), "-storepass", PASSWORD));
        command.addAll(List.of("-alias", ALIAS, "-keyalg", algorithm));
        try (OwnedProcess process = OwnedProcess.start(new ProcessBuilder(command))) {
            assertThat(process.awaitExit()).as(process.log()).isZero();
            return new SelfSignedCertificate(
                    KeyStore.getInstance(file.toFile(), PASSWORD.toCharArray()));
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns the certificate as PEM (RFC 7468). */
    public String certificatePem() throws GeneralSecurityException {
        return pem("CERTIFICATE", store.getCertificate(ALIAS).getEncoded());
    }

    /** Returns the private key as PEM, in PKCS 8 (RFC 7468). */
    public String keyPem() throws GeneralSecurityException {
        return pem("PRIVATE KEY", store.getKey(ALIAS, PASSWORD.toCharArray()).getEncoded());
    }

    private static String pem(String kind, byte[] content) {
        String text = Base64.getMimeEncoder().encodeToString(content);
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(kind, text, kind);
    }

    /** For clients that trust the certificate and no other one. */
    public SSLContext trusting() throws GeneralSecurityException {
        var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }

    /** For servers that show the certificate. */
    public SSLContext showing() throws GeneralSecurityException {
        var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(factory.getKeyManagers(), null, null);
        return context;
    }
}
