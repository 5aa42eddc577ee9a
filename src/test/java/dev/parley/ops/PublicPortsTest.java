package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import org.eclipse.microprofile.health.HealthCheckResponse;
import org.junit.jupiter.api.Test;

/** The management port answers probes before the ports for clients are open. */
class PublicPortsTest {

    private final PublicPorts ports = new PublicPorts();
    private final StartedCheck started = new StartedCheck(ports);

    @Test
    void podHasNotStarted_untilItsPublicPortsAreOpen() {
        HealthCheckResponse before = started.call();

        ports.onOpen();

        assertThat(before.getStatus()).isEqualTo(HealthCheckResponse.Status.DOWN);
        assertThat(before.getData().orElseThrow())
                .containsEntry("reason", "starting: the public port is not open yet");
        assertThat(started.call().getStatus()).isEqualTo(HealthCheckResponse.Status.UP);
    }
}
