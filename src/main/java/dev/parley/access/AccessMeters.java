package dev.parley.access;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.inject.Singleton;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/**
 * Counts streams by how they were admitted, and tickets. {@link Denials} counts what was denied.
 */
@Singleton
final class AccessMeters {

    private final Map<Caller.Carrier, Counter> streams = new EnumMap<>(Caller.Carrier.class);
    private final Counter tickets;

    AccessMeters(MeterRegistry registry) {
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

    void admitted(Caller.Carrier carrier) {
        Objects.requireNonNull(streams.get(carrier)).increment();
    }

    void ticketGiven() {
        tickets.increment();
    }
}
