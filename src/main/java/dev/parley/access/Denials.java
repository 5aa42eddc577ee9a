package dev.parley.access;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Singleton;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Notes each denial: counts it in the metrics, and writes it to the audit log under the same word.
 * No other class does either, so that a call that denies something cannot do one without the other.
 */
@Singleton
final class Denials {

    private final Map<DenialReason, Counter> counters;
    private final AuditLog audit;

    Denials(MeterRegistry registry, AuditLog audit) {
        this.audit = audit;
        // All of them at once, so that a reason that has not occurred yet counts as zero.
        this.counters =
                Stream.<DenialReason>concat(
                                Arrays.stream(Denial.values()),
                                Arrays.stream(TokenRefused.Reason.values()))
                        .collect(
                                Collectors.toUnmodifiableMap(
                                        reason -> reason, reason -> counter(registry, reason)));
    }

    private static Counter counter(MeterRegistry registry, DenialReason reason) {
        return Counter.builder("parley.access.denied")
                .description("Requests and rooms that were denied, by reason")
                .tag("reason", reason.label())
                .register(registry);
    }

    /**
     * Notes that a call was denied, or some of its rooms.
     *
     * @param caller who made it, as far as that is known
     * @param rooms the names of the rooms, with commas between them; {@link AuditLog#NONE} if the
     *     denial is not about rooms
     */
    void note(RoutingContext exchange, Caller caller, String rooms, DenialReason reason) {
        Objects.requireNonNull(counters.get(reason)).increment();
        audit.denied(exchange, caller, rooms, reason);
    }
}
