package dev.parley.testsupport;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A certificate for {@code localhost} that no program trusts, in a key store of PKCS 12. */
public final class SelfSignedCertificate {

    public static final String PASSWORD = "changeit";

    private final KeyStore store;

    private SelfSignedCertificate(KeyStore store) {
        this.store = store;
    }

    /** Makes a certificate and writes its key store to this file. */
    public static SelfSignedCertificate create(Path file) {
        String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        String options =
                "-genkeypair -keyalg EC -alias test -dname CN=localhost -ext SAN=dns:localhost"
                        + " -storetype PKCS12 -keystore";
        List<String> command = new ArrayList<>(List.of(keytool));
        command.addAll(List.of(options.split(" ")));
        command.addAll(List.of(file.toString(), "-storepass", PASSWORD));
        try (OwnedProcess process = OwnedProcess.start(new ProcessBuilder(command))) {
            assertThat(process.awaitExit()).as(process.log()).isZero();
            return new SelfSignedCertificate(
                    KeyStore.getInstance(file.toFile(), PASSWORD.toCharArray()));
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
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
