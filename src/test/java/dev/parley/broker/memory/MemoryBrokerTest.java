package dev.parley.broker.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.BlockingBroker;
import dev.parley.broker.Broker;
import dev.parley.broker.BrokerContract;
import dev.parley.broker.HistoryConfig;
import dev.parley.broker.HistorySettings;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class MemoryBrokerTest implements BrokerContract {

    @Override
    public Broker create(HistoryConfig history, Clock clock) {
        return new MemoryBroker(history, Long.MAX_VALUE, clock, new SimpleMeterRegistry());
    }

    @Test
    void receipt_isForgotten_afterItsTime() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withReceipts(Duration.ofMinutes(5)));
        broker.publish("a", "key");

        broker.clock().advance(Duration.ofMinutes(5).minusMillis(1));
        assertThat(broker.publish("a", "key").duplicate()).isTrue();

        broker.clock().advance(Duration.ofMillis(1));
        assertThat(broker.publish("a", "key").duplicate()).isFalse();
    }
}
