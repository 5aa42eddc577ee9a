package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.EventsConfig;
import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServerOptionsTest {

    /** The hub is five seconds earlier, so that the metrics have a reason. */
    @ParameterizedTest
    @CsvSource({"8S, 10S, 15", "8S, 500MS, 8", "20S, 10S, 20", "1S, 1M, 65"})
    void unacknowledgedBytes_endTheirConnection_afterTheHeartbeat_andAfterTheHubWouldCutIt(
            String heartbeat, String slowTimeout, int seconds) {
        EventsConfig config =
                new SmallRyeConfigBuilder()
                        .withConverter(Duration.class, 200, new DurationConverter())
                        .withMapping(EventsConfig.class)
                        .withDefaultValues(
                                Map.of(
                                        "parley.events.heartbeat", heartbeat,
                                        "parley.events.slow-timeout", slowTimeout))
                        .build()
                        .getConfigMapping(EventsConfig.class);

        assertThat(ServerOptions.userTimeout(config)).isEqualTo(Duration.ofSeconds(seconds));
    }
}
