package dev.parley.delivery;

import java.time.Duration;
import java.util.Optional;

/** Settings of streams; a test changes those that it is about. */
record StreamSettings(
        Duration heartbeat,
        Duration slowTimeout,
        Optional<Duration> maxConnectionAge,
        Duration maxPace)
        implements EventsConfig {

    static final StreamSettings DEFAULT =
            new StreamSettings(
                    HubHarness.NEVER, HubHarness.NEVER, Optional.empty(), Duration.ofMillis(5));

    StreamSettings withHeartbeat(Duration heartbeat) {
        return new StreamSettings(heartbeat, slowTimeout, maxConnectionAge, maxPace);
    }

    StreamSettings withSlowTimeout(Duration slowTimeout) {
        return new StreamSettings(heartbeat, slowTimeout, maxConnectionAge, maxPace);
    }

    StreamSettings withMaxConnectionAge(Duration maxConnectionAge) {
        return new StreamSettings(heartbeat, slowTimeout, Optional.of(maxConnectionAge), maxPace);
    }

    StreamSettings withMaxPace(Duration maxPace) {
        return new StreamSettings(heartbeat, slowTimeout, maxConnectionAge, maxPace);
    }

    @Override
    public Duration minRetry() {
        return Duration.ofSeconds(2);
    }

    @Override
    public Duration maxRetry() {
        return Duration.ofSeconds(4);
    }
}
