package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.HttpAnswer;
import dev.parley.testsupport.RawConnection;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A program that is built without the management port serves everything on the public one, where a
 * proxy's rule for the prefix {@code /q} keeps strangers out. The test builds that program in this
 * JVM: the setting is one of the build.
 */
@QuarkusTest
@TestProfile(OnePortTest.WithoutManagementPort.class)
class OnePortTest {

    private final URI server =
            URI.create(ConfigProvider.getConfig().getValue("test.url", String.class));
    private final Http http = new Http(server);

    /** What {@code ./mvnw package -Dquarkus.management.enabled=false} builds. */
    public static final class WithoutManagementPort implements QuarkusTestProfile {

        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("quarkus.management.enabled", "false", "quarkus.http.test-port", "0");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/q/health",
                "/q/health/live",
                "/q/health/ready",
                "/q/health/started",
                "/q/metrics",
                "/q/metrics/",
                "/q/openapi",
            })
    void whatTheManagementPortHad_isOnThePublicPort(String path) {
        Http.Answer answer = http.get(path);

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.header("Cache-Control")).isEqualToIgnoringCase("no-store");
        assertThat(answer.header("X-Content-Type-Options")).isEqualTo("nosniff");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "//q/metrics",
                "/%71/metrics",
                "/./q/metrics",
                "/rooms/../q/metrics",
                "/rooms/%2e%2e/q/metrics",
                "/rooms/..%2fq/metrics",
                "/q;x/metrics",
                "/%2fq/metrics",
                "/x/%2e%2e/q/health",
                "\\q\\metrics",
                "http://other.example/q/metrics",
            })
    void targetThatPassesARuleForThePrefix_isRefused(String target) {
        String get =
                "GET " + target + " HTTP/1.1\r\nHost: parley.example\r\nConnection: close\r\n\r\n";

        try (var connection =
                RawConnection.open(server.getPort(), get.getBytes(StandardCharsets.UTF_8))) {
            connection.readToEnd();

            HttpAnswer answer = connection.answer();
            assertThat(answer.status()).isIn(400, 404);
            assertThat(connection.text()).doesNotContain("jvm_", "UP");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/Q/metrics", "/q", "/q/dev"})
    void otherPaths_areNotFound(String path) {
        assertThat(http.get(path).status()).isEqualTo(404);
    }
}
