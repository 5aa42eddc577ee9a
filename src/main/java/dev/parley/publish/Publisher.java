package dev.parley.publish;

import dev.parley.broker.Broker;
import dev.parley.broker.PublishRequest;
import dev.parley.broker.Receipt;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;

/** Hands messages to the broker, and counts what became of them. */
public final class Publisher {

    private final Broker broker;
    private final Counter accepted;
    private final Counter repeated;
    private final Counter failed;
    private final Counter rejected;
    private final Counter limited;

    public Publisher(Broker broker, MeterRegistry registry) {
        this.broker = broker;
        this.accepted = counter(registry, "ok");
        this.repeated = counter(registry, "duplicate");
        this.failed = counter(registry, "failed");
        this.rejected = counter(registry, "rejected");
        this.limited = counter(registry, "limited");
    }

    /** Fails with {@link dev.parley.broker.BrokerUnavailable} if the broker does not confirm. */
    Uni<Receipt> publish(PublishRequest publication) {
        return broker.publish(publication)
                .onItem()
                .invoke(receipt -> (receipt.duplicate() ? repeated : accepted).increment())
                .onFailure()
                .invoke(failure -> failed.increment());
    }

    /** A request came too early. */
    void limited() {
        limited.increment();
    }

    /** A request was refused before it became a publication. */
    void rejected() {
        rejected.increment();
    }

    private static Counter counter(MeterRegistry registry, String result) {
        return Counter.builder("parley.messages.published")
                .description("Publish requests by what became of them")
                .tag("result", result)
                .register(registry);
    }
}
