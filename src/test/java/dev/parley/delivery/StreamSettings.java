package dev.parley.delivery;

import java.time.Duration;
import java.util.Optional;

/** Settings of streams; a test changes those that it is about. */
record StreamSettings(Duration heartbeat, Duration slowTimeout, Optional<Duration> maxConnectionAge)
        implements EventsConfig {

    static final StreamSettings DEFAULT =
            new StreamSettings(HubHarness.NEVER, HubHarness.NEVER, Optional.empty());

    StreamSettings withHeartbeat(Duration heartbeat) {
        return new StreamSettings(heartbeat, slowTimeout, maxConnectionAge);
    }

    StreamSettings withSlowTimeout(Duration slowTimeout) {
        return new StreamSettings(heartbeat, slowTimeout, maxConnectionAge);
    }

    StreamSettings withMaxConnectionAge(Duration maxConnectionAge) {
        return new StreamSettings(heartbeat, slowTimeout, Optional.of(maxConnectionAge));
    }

    @Override
    public Duration maxPace() {
        return Duration.ofMillis(5);
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
