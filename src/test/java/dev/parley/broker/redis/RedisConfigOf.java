package dev.parley.broker.redis;

import java.time.Duration;
import java.util.Optional;

/** A configuration whose pauses are short, so that tests are, and whose deadlines are long. */
record RedisConfigOf(
        String prefix,
        Optional<String> plainChannel,
        Duration timeout,
        int maxPending,
        Duration probeInterval,
        Duration probeTimeout,
        Duration minBackoff,
        Duration maxBackoff)
        implements RedisConfig {

    static final RedisConfigOf QUICK =
            new RedisConfigOf(
                    "parley",
                    Optional.of("chat"),
                    Duration.ofMinutes(1),
                    1024,
                    Duration.ofMillis(100),
                    Duration.ofMinutes(1),
                    Duration.ofMillis(10),
                    Duration.ofMillis(100));

    RedisConfigOf withTimeout(Duration longest) {
        return new RedisConfigOf(
                prefix,
                plainChannel,
                longest,
                maxPending,
                probeInterval,
                probeTimeout,
                minBackoff,
                maxBackoff);
    }

    RedisConfigOf withProbeTimeout(Duration longest) {
        return new RedisConfigOf(
                prefix,
                plainChannel,
                timeout,
                maxPending,
                probeInterval,
                longest,
                minBackoff,
                maxBackoff);
    }

    RedisConfigOf withMaxPending(int most) {
        return new RedisConfigOf(
                prefix,
                plainChannel,
                timeout,
                most,
                probeInterval,
                probeTimeout,
                minBackoff,
                maxBackoff);
    }

    RedisConfigOf withPrefix(String other) {
        return new RedisConfigOf(
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
