package dev.parley.publish;

import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** A token bucket for each client address. Thread-safe. */
public final class RateLimit {

    /** Addresses remembered; one that is forgotten begins with a full bucket again. */
    private static final int MAX_ADDRESSES = 100_000;

    private final Optional<Bandwidth> limit;

    /** In order of last use, so that the one forgotten is the one that has been silent longest. */
    private final Map<String, Bucket> buckets =
            new LinkedHashMap<>(16, 0.75f, true) {

                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Bucket> eldest) {
                    return size() > MAX_ADDRESSES;
                }
            };

    /** Without a configured rate there is no limit. */
    public RateLimit(PublishConfig config) {
        this.limit =
                config.rate().isPresent()
                        ? Optional.of(limit(config.rate().getAsInt(), config.burst()))
                        : Optional.empty();
    }

    /**
     * Takes a token.
     *
     * @throws TooManyRequests if there is none
     */
    void check(String address) {
        limit.map(bandwidth -> bucket(address, bandwidth)).ifPresent(RateLimit::take);
    }

    private Bucket bucket(String address, Bandwidth bandwidth) {
        synchronized (buckets) {
            return buckets.computeIfAbsent(
                    address, known -> Bucket.builder().addLimit(bandwidth).build());
        }
    }

    private static void take(Bucket bucket) {
        ConsumptionProbe probe = bucket.tryConsumeAndReturnRemaining(1);
        if (!probe.isConsumed()) {
            throw new TooManyRequests(Duration.ofNanos(probe.getNanosToWaitForRefill()));
        }
    }

    private static Bandwidth limit(int rate, int burst) {
        return Bandwidth.builder()
                .capacity(burst)
                .refillGreedy(rate, Duration.ofSeconds(1))
                .build();
    }
}
