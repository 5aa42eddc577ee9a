package dev.parley.publish;

import io.github.bucket4j.Bandwidth;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Optional;

/** Limits how often each client address publishes, with a token bucket for each. Thread-safe. */
@Singleton
final class RateLimit {

    private final Optional<Bandwidth> limit;
    private final TokenBuckets<String> buckets = new TokenBuckets<>();

    /** Sets the limit of the configuration; a configuration without a rate limits nothing. */
    RateLimit(PublishConfig config) {
        this.limit =
                config.rate().isPresent()
                        ? Optional.of(TokenBuckets.limit(config.rate().getAsInt(), config.burst()))
                        : Optional.empty();
    }

    /**
     * Takes a token from the bucket of an address.
     *
     * @return the time until there is a token again; empty if this call took one
     */
    Optional<Duration> tryAcquire(String address) {
        return limit.flatMap(bandwidth -> buckets.tryTake(address, bandwidth));
    }
}
