package dev.parley.http;

import dev.parley.broker.Broker.Receipt;
import dev.parley.broker.IdempotencyKeyReused;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.inject.Singleton;

/**
 * Counts publish requests by their outcome. Each is counted once: by the call itself, or by {@link
 * RequestGuard} if the pod holds too much to let its body arrive, so that the call never sees it.
 */
@Singleton
public final class PublishOutcomes {

    private final Counter published;
    private final Counter repeated;
    private final Counter failed;
    private final Counter rejected;
    private final Counter limited;

    PublishOutcomes(MeterRegistry meters) {
        this.published = counter(meters, "ok");
        this.repeated = counter(meters, "duplicate");
        this.failed = counter(meters, "failed");
        this.rejected = counter(meters, "rejected");
        this.limited = counter(meters, "limited");
    }

    /** Counts a publish that the broker has accepted. */
    public void countPublished(Receipt receipt) {
        (receipt.duplicate() ? repeated : published).increment();
    }

    /** Counts a publish that the broker has not accepted. */
    public void countFailed(Throwable failure) {
        (failure instanceof IdempotencyKeyReused ? rejected : failed).increment();
    }

    /** Counts a publish that the call refuses. */
    public void countRefused(RuntimeException refusal) {
        boolean tooMany =
                refusal instanceof RefusedRequest refused
                        && refused.code() == ErrorCode.TOO_MANY_REQUESTS;
        (tooMany ? limited : rejected).increment();
    }

    /** Counts a publish that is refused because the pod holds too much, before its call. */
    void countOverloaded() {
        rejected.increment();
    }

    private static Counter counter(MeterRegistry meters, String result) {
        return Counter.builder("parley.messages.published")
                .description("Publish requests by outcome")
                .tag("result", result)
                .register(meters);
    }
}
