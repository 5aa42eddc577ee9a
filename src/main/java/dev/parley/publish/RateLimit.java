package dev.parley.publish;

import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Limits how often each client address publishes, with a token bucket for each. Thread-safe. */
@Singleton
final class RateLimit {

    /** Addresses remembered. One that is forgotten starts with a full bucket again. */
    private static final int MAX_ADDRESSES = 100_000;

    private final Optional<Bandwidth> limit;

    /** In order of last use: the address that has been silent longest is forgotten first. */
    private final Map<String, Bucket> buckets =
            new LinkedHashMap<>(16, 0.75f, true) {

                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Bucket> eldest) {
                    return size() > MAX_ADDRESSES;
                }
            };

    /** Sets the limit of the configuration; a configuration without a rate limits nothing. */
    RateLimit(PublishConfig config) {
        this.limit =
                config.rate().isPresent()
                        ? Optional.of(limit(config.rate().getAsInt(), config.burst()))
                        : Optional.empty();
    }

    /**
     * Takes a token from the bucket of an address.
     *
     * @return the time until there is a token again; empty if this call took one
     */
    Optional<Duration> tryAcquire(String address) {
        return limit.map(bandwidth -> bucket(address, bandwidth)).flatMap(RateLimit::tryTake);
    }

    private Bucket bucket(String address, Bandwidth bandwidth) {
        synchronized (buckets) {
            return buckets.computeIfAbsent(
                    address, known -> Bucket.builder().addLimit(bandwidth).build());
        }
    }

    private static Optional<Duration> tryTake(Bucket bucket) {
        ConsumptionProbe probe = bucket.tryConsumeAndReturnRemaining(1);
        return probe.isConsumed()
                ? Optional.empty()
                : Optional.of(Duration.ofNanos(probe.getNanosToWaitForRefill()));
    }

    private static Bandwidth limit(int rate, int burst) {
        return Bandwidth.builder()
                .capacity(burst)
                .refillGreedy(rate, Duration.ofSeconds(1))
                .build();
    }
}
