package dev.parley.access;

import static dev.parley.access.TestTokens.jwk;
import static dev.parley.access.TestTokens.jwks;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SilentDns;
import java.net.URI;
import java.nio.file.Path;
import java.security.KeyPair;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** DNS does not answer while a pod fetches the keys of an issuer. */
@EnabledOnOs(OS.LINUX) // A pipe can be opened there without a program that reads it.
final class JwksNameIT {

    private static final String NAME = "login.parley.test";
    private static final KeyPair KEY = TestTokens.pair("RSA");

    @TempDir private Path directory;

    @Test
    void issuerThatCannotBeLookedUp_costsItsOwnTokensTheTime_andTheOthersNothing() {
        try (var dns = SilentDns.in(directory);
                var issuer = new JwksServer(jwks(jwk(KEY, "kid", "k1")));
                var pod =
                        dns.in(AccessPods.builder())
                                .config("parley.access.issuers.login.issuer", "login")
                                .config("parley.access.issuers.login.audience", TestTokens.AUDIENCE)
                                .config(
                                        "parley.access.issuers.login.jwks",
                                        "http://" + NAME + ":" + portOf(issuer) + "/keys")
                                .start()) {
            pod.awaitLog("the look-up of " + NAME);

            assertThat(pod.management().get("/q/health/live").status()).isEqualTo(200);
            assertThat(status(pod, AccessPods.tokenFor("kitchen").signed())).isEqualTo(200);
            assertThat(status(pod, tokenOfTheIssuer())).isEqualTo(503);

            dns.answer(NAME);

            pod.awaitLog("its keys were fetched");
            assertThat(status(pod, tokenOfTheIssuer())).isEqualTo(200);
        }
    }

    private static int portOf(JwksServer issuer) {
        return URI.create(issuer.uri()).getPort();
    }

    private static String tokenOfTheIssuer() {
        return AccessPods.tokenFor("kitchen")
                .header("kid", "k1")
                .claim("iss", "login")
                .signed("RS256", KEY);
    }

    private static int status(ParleyProcess pod, String token) {
        return AccessPods.with(pod, token).get("/rooms/kitchen/messages").status();
    }
}
