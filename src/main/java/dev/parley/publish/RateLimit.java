package dev.parley.publish;

import dev.parley.http.TokenBuckets;
import io.github.bucket4j.Bandwidth;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Optional;

/** Limits how often each client publishes, with a token bucket for each. Thread-safe. */
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
     * Takes a token from the bucket of a client.
     *
     * @param client a person, or the address of one who is not known
     * @return the time until there is a token again; empty if this call took one
     */
    Optional<Duration> tryAcquire(String client) {
        return limit.flatMap(bandwidth -> buckets.tryTake(client, bandwidth));
    }
}
