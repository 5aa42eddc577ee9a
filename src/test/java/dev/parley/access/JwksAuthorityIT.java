package dev.parley.access;

import static dev.parley.access.TestTokens.jwk;
import static dev.parley.access.TestTokens.jwks;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SelfSignedCertificate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An issuer whose server has a certificate of an authority that only its users know. */
class JwksAuthorityIT {

    private static final KeyPair KEY = TestTokens.pair("RSA");

    @TempDir private Path directory;

    private Path authority;
    private JwksServer issuer;

    @BeforeEach
    void startIssuer() throws GeneralSecurityException, IOException {
        var certificate = SelfSignedCertificate.create(directory.resolve("issuer.p12"));
        authority = Files.writeString(directory.resolve("ca.pem"), certificate.certificatePem());
        issuer = new JwksServer(jwks(jwk(KEY, "kid", "k1")), certificate.showing());
    }

    @AfterEach
    void stopIssuer() {
        issuer.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "file:", "file://"})
    void authorityInAFile_isTrusted(String prefix) {
        try (ParleyProcess pod = pod(Optional.of(prefix + authority))) {
            pod.awaitLog("its keys were fetched");

            assertThat(statusWithAToken(pod)).isEqualTo(200);
        }
    }

    @Test
    void authorityThatIsNotNamed_isNotTrusted() {
        try (ParleyProcess pod = pod(Optional.empty())) {
            pod.awaitLog("its keys could not be fetched");

            assertThat(statusWithAToken(pod)).isEqualTo(503);
        }
    }

    private ParleyProcess pod(Optional<String> trusted) {
        ParleyProcess.Builder pod =
                AccessPods.builder()
                        .config("parley.access.issuers.login.issuer", TestTokens.ISSUER)
                        .config("parley.access.issuers.login.audience", TestTokens.AUDIENCE)
                        .config("parley.access.issuers.login.jwks", issuer.uri())
                        .config("parley.access.issuers.test.issuer", "other");
        trusted.ifPresent(file -> pod.config("parley.access.issuers.login.jwks-ca", file));
        return pod.start().awaitReady();
    }

    private static int statusWithAToken(ParleyProcess pod) {
        String token = AccessPods.tokenFor("kitchen").header("kid", "k1").signed("RS256", KEY);
        return AccessPods.with(pod, token).get("/rooms/kitchen/messages").status();
    }
}
