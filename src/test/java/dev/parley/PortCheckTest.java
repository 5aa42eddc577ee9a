package dev.parley;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PortCheckTest {

    private static PortCheck.Server server(String prefix, int port) {
        return new PortCheck.Server(prefix, prefix + ".port", "127.0.0.1", port);
    }

    private static void checkPair(int calls, int management) {
        PortCheck.checkPair(
                server("quarkus.http", calls), server("quarkus.management", management));
    }

    @ParameterizedTest
    @CsvSource({"8080, 9000", "0, 0", "-1, 0"})
    void twoPorts_orTwoRandomOnes_areAccepted(int calls, int management) {
        assertThatCode(() -> checkPair(calls, management)).doesNotThrowAnyException();
    }

    @Test
    void onePortForBothServers_isRefused() {
        assertThatThrownBy(() -> checkPair(8080, 8080))
                .hasMessageStartingWith(
                        "quarkus.http.port and quarkus.management.port are both 8080: choose");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 9000, quarkus.http.port is 0, quarkus.management.port is 9000",
        "-5, 9000, quarkus.http.port is -5, quarkus.management.port is 9000",
        "8080, 0, quarkus.management.port is 0, quarkus.http.port is 8080",
    })
    void randomPortBesideAFixedOne_isRefused(
            int calls, int management, String random, String fixed) {
        assertThatThrownBy(() -> checkPair(calls, management))
                .hasMessageContainingAll(random, fixed, "name all ports, or set all to 0");
    }

    @Test
    void numberThatIsNotAPort_isRefused() {
        assertThatThrownBy(() -> PortCheck.checkNumber(server("quarkus.http", 70_000)))
                .hasMessage("quarkus.http.port is 70000: a port is a number up to 65535");
    }

    @Test
    void portThatAnotherProgramHas_isRefused_andItIsFreeAfterwards() throws IOException {
        int port;
        try (var other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = other.getLocalPort();
            assertThatThrownBy(
                            () -> PortCheck.checkFree(server("quarkus.http", other.getLocalPort())))
                    .hasMessageStartingWith(
                            "quarkus.http.port is %d, and the port cannot be opened on quarkus.http.host (127.0.0.1): "
                                    .formatted(port))
                    .hasNoCause();
        }
        assertThatCode(() -> PortCheck.checkFree(server("quarkus.http", port)))
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @CsvSource({
        "192.0.2.1, quarkus.management.host (192.0.2.1)",
        "no-such-host.invalid, quarkus.management.host: no address is known for"
                + " no-such-host.invalid",
    })
    void addressThatIsNotOfThisMachine_isRefused(String host, String sentence) {
        assertThatThrownBy(
                        () ->
                                PortCheck.checkFree(
                                        new PortCheck.Server(
                                                "quarkus.management",
                                                "quarkus.management.port",
                                                host,
                                                0)))
                .hasMessageContaining(sentence);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''                                  | quarkus.http.port 8080",
                "quarkus.http.ssl-port=9000          | quarkus.http.port 8080",
                "quarkus.http.insecure-requests=disabled | quarkus.http.port 8080",
                "quarkus.management.enabled=true     | quarkus.http.port 8080, quarkus.management.port 9000",
                "quarkus.http.ssl.certificate.files=a | quarkus.http.port 8080, quarkus.http.ssl-port 8443",
                "quarkus.http.tls-configuration-name=a quarkus.http.ssl-port=1 | quarkus.http.port 8080, quarkus.http.ssl-port 1",
                "quarkus.tls.key-store.pem.0.cert=a quarkus.http.insecure-requests=DISABLED | quarkus.http.ssl-port 8443",
            })
    void serversThatAreStarted_areThoseThatAreChecked(String settings, String expected) {
        var config = new SmallRyeConfigBuilder();
        for (String setting : settings.split(" ", -1)) {
            if (!setting.isEmpty()) {
                String[] parts = setting.split("=", 2);
                config.withDefaultValue(parts[0], parts[1]);
            }
        }

        assertThat(PortCheck.servers(config.build()))
                .extracting(server -> server.key() + " " + server.port())
                .containsExactly(expected.split(", ", -1));
    }
}
