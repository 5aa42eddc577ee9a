package dev.parley.broker;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;

/** Counts what a pod receives from its broker. */
public final class BrokerMeters {

    private final Counter received;
    private final Counter dropped;

    /** Registers the metrics of a broker. */
    public BrokerMeters(MeterRegistry registry, Broker broker) {
        received =
                Counter.builder("parley.messages.received")
                        .description(
                                "Messages received from the broker, of rooms that are read on this pod")
                        .register(registry);
        dropped =
                Counter.builder("parley.plain.dropped")
                        .description("Plain texts from Redis that were longer than a text may be")
                        .register(registry);
        Gauge.builder("parley.subscription.up", broker, b -> b.state().isUp() ? 1 : 0)
                .description("1 while messages flow from the broker, else 0")
                .register(registry);
    }

    /** Counts an announcement of a room that is read on this pod. */
    public void received() {
        received.increment();
    }

    /** Counts a plain text that was dropped because it was too long. */
    public void dropped() {
        dropped.increment();
    }
}
