package dev.parley.http;

import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.TimeMeter;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Token buckets by client or room, a bounded number of them. Thread-safe. */
public final class TokenBuckets<K> {

    /** Most buckets. The key of one that is dropped starts with a full bucket again. */
    private static final int MAX = 100_000;

    /** In order of last use: the bucket that was not used for longest is dropped first. */
    private final Map<K, Bucket> buckets =
            new LinkedHashMap<>(16, 0.75f, true) {

                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<K, Bucket> eldest) {
                    return size() > MAX;
                }
            };

    private final TimeMeter time;

    /**
     * Makes buckets that are filled as time passes, whatever becomes of the pod's clock. By the
     * clock, none would be filled after it was set back by an hour, until an hour later.
     */
    public TokenBuckets() {
        this(TimeMeter.SYSTEM_NANOTIME);
    }

    /**
     * @param time by which the buckets are filled
     */
    public TokenBuckets(TimeMeter time) {
        this.time = time;
    }

    /**
     * Takes a token from the bucket of a key.
     *
     * @param bandwidth of the bucket, if the key has none yet
     * @return the time until there is a token again; empty if this call took one
     */
    public Optional<Duration> tryTake(K key, Bandwidth bandwidth) {
        ConsumptionProbe probe = bucket(key, bandwidth).tryConsumeAndReturnRemaining(1);
        return probe.isConsumed()
                ? Optional.empty()
                : Optional.of(Duration.ofNanos(probe.getNanosToWaitForRefill()));
    }

    /** Gives a token back to the bucket of a key, which takes no more than it can hold. */
    public void giveBack(K key) {
        Bucket known;
        synchronized (buckets) {
            known = buckets.get(key);
        }
        if (known != null) {
            known.addTokens(1);
        }
    }

    /**
     * Returns the time until the bucket of a key has a token; empty if it has one now. Takes none.
     */
    public Optional<Duration> pause(K key) {
        Bucket known;
        synchronized (buckets) {
            known = buckets.get(key);
        }
        if (known == null) {
            return Optional.empty();
        }
        long nanos = known.estimateAbilityToConsume(1).getNanosToWaitForRefill();
        return nanos == 0 ? Optional.empty() : Optional.of(Duration.ofNanos(nanos));
    }

    private Bucket bucket(K key, Bandwidth bandwidth) {
        synchronized (buckets) {
            return buckets.computeIfAbsent(
                    key,
                    known ->
                            Bucket.builder()
                                    .addLimit(bandwidth)
                                    .withCustomTimePrecision(time)
                                    .build());
        }
    }

    /**
     * Makes the limit of a bucket.
     *
     * @param rate tokens a second, at most one a nanosecond
     * @param burst tokens of a full bucket
     */
    public static Bandwidth limit(int rate, int burst) {
        return Bandwidth.builder()
                .capacity(burst)
                .refillGreedy(rate, Duration.ofSeconds(1))
                .build();
    }
}
