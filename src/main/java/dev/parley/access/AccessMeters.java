package dev.parley.access;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.inject.Singleton;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Counts what was denied and why, streams by how they were admitted, and tickets. */
@Singleton
final class AccessMeters {

    private final Map<String, Counter> denied;
    private final Map<Caller.Carrier, Counter> streams = new EnumMap<>(Caller.Carrier.class);
    private final Counter tickets;

    AccessMeters(MeterRegistry registry) {
        this.denied =
                Stream.concat(
                                Arrays.stream(TokenRefused.Reason.values())
                                        .map(TokenRefused.Reason::label),
                                Arrays.stream(Denial.values()).map(Denial::label))
                        .collect(
                                Collectors.toMap(
                                        reason -> reason,
                                        reason ->
                                                Counter.builder("parley.access.denied")
                                                        .description(
                                                                "Requests and rooms that were"
                                                                        + " denied, by reason")
                                                        .tag("reason", reason)
                                                        .register(registry)));
        for (Caller.Carrier carrier : Caller.Carrier.values()) {
            streams.put(
                    carrier,
                    Counter.builder("parley.access.streams")
                            .description("Streams that were admitted, by what the token came in")
                            .tag("carrier", carrier.label())
                            .register(registry));
        }
        this.tickets =
                Counter.builder("parley.access.tickets")
                        .description("Tickets that were given")
                        .register(registry);
    }

    void denied(Denial reason) {
        Objects.requireNonNull(denied.get(reason.label())).increment();
    }

    void denied(TokenRefused.Reason reason) {
        Objects.requireNonNull(denied.get(reason.label())).increment();
    }

    void admitted(Caller.Carrier carrier) {
        Objects.requireNonNull(streams.get(carrier)).increment();
    }

    void ticketGiven() {
        tickets.increment();
    }
}
