package dev.parley.access;

import static dev.parley.access.TestTokens.jwk;
import static dev.parley.access.TestTokens.jwks;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A client that goes while its token is verified leaves nothing behind. */
class GoneClientIT {

    private static final KeyPair KEY = TestTokens.pair("RSA");
    private static final KeyPair NEXT = TestTokens.pair("RSA");

    @Test
    void callsOfClientsThatAreGone_countNoLonger() {
        try (var keys = new JwksServer(jwks(jwk(KEY, "kid", "k1")));
                ParleyProcess pod =
                        AccessPods.builder()
                                .fixedPort()
                                .config("parley.access.issuers.login.issuer", "slow")
                                .config("parley.access.issuers.login.audience", "parley")
                                .config("parley.access.issuers.login.jwks", keys.uri())
                                .config("parley.limits.connections-per-address", "1")
                                .start()
                                .awaitReady()) {
            Metrics metrics = new Metrics(pod);
            // The calls below must ask for the keys themselves.
            pod.awaitLog("its keys were fetched");
            String log = pod.log();
            String token =
                    AccessPods.tokenFor("kitchen")
                            .header("kid", "k2")
                            .claim("iss", "slow")
                            .signed("RS256", NEXT);
            keys.hold();
            List<RawConnection> clients =
                    Stream.of("/clock", "/rooms/kitchen/messages", "/events?room=kitchen")
                            .map(path -> RawConnection.open(pod.port(), request(path, token)))
                            .toList();
            Timeouts.await("the calls wait").until(() -> metrics.activeRequests() == 3);

            clients.forEach(RawConnection::reset);
            metrics.awaitValue("parley_sockets", 0);
            keys.answer(200, jwks(jwk(KEY, "kid", "k1"), jwk(NEXT, "kid", "k2")));
            keys.release();

            Http http = AccessPods.with(pod, token);
            assertThat(http.get("/rooms/kitchen/messages").status()).isEqualTo(200);
            metrics.awaitValue("parley_held_bytes{kind=\"answers\"}", 0);
            metrics.awaitValue("parley_connected_clients", 0);
            try (SseReader clock = SseReader.to(pod.uri("/clock")).open()) {
                clock.await("an event", reader -> !reader.events().isEmpty());
                assertThat(clock.events("goodbye")).isEmpty();
            }
            assertThat(pod.log().substring(log.length()))
                    .doesNotContain(" ERROR ")
                    .doesNotContain(" WARN ");
        }
    }

    private static byte[] request(String path, String token) {
        return ("GET "
                        + path
                        + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                        + token
                        + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
    }
}
