package dev.parley.redis;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** Settings with short pauses, for fast tests, and long deadlines, for slow machines. */
public record RedisSettings(
        String prefix,
        Optional<String> plainChannel,
        Duration timeout,
        int maxPending,
        Duration probeInterval,
        Duration probeTimeout,
        Duration minBackoff,
        Duration maxBackoff)
        implements RedisConfig {

    public static final RedisSettings QUICK =
            new RedisSettings(
                    "parley",
                    Optional.of("chat"),
                    Duration.ofMinutes(1),
                    1024,
                    Duration.ofMillis(100),
                    Duration.ofMinutes(1),
                    Duration.ofMillis(10),
                    Duration.ofMillis(100));

    @Override
    public Map<String, String> servers() {
        return Map.of();
    }

    public RedisSettings withTimeout(Duration longest) {
        return new RedisSettings(
                prefix,
                plainChannel,
                longest,
                maxPending,
                probeInterval,
                probeTimeout,
                minBackoff,
                maxBackoff);
    }

    public RedisSettings withProbeTimeout(Duration longest) {
        return new RedisSettings(
                prefix,
                plainChannel,
                timeout,
                maxPending,
                probeInterval,
                longest,
                minBackoff,
                maxBackoff);
    }

    public RedisSettings withProbeInterval(Duration pause) {
        return new RedisSettings(
                prefix,
                plainChannel,
                timeout,
                maxPending,
                pause,
                probeTimeout,
                minBackoff,
                maxBackoff);
    }

    public RedisSettings withMaxPending(int most) {
        return new RedisSettings(
                prefix,
                plainChannel,
                timeout,
                most,
                probeInterval,
                probeTimeout,
                minBackoff,
                maxBackoff);
    }

    public RedisSettings withPrefix(String other) {
        return new RedisSettings(
                other,
                plainChannel,
                timeout,
                maxPending,
                probeInterval,
                probeTimeout,
                minBackoff,
                maxBackoff);
    }
}
