package dev.parley.broker.memory;

import static dev.parley.broker.BlockingBroker.offsets;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.BlockingBroker;
import dev.parley.broker.Broker;
import dev.parley.broker.BrokerContract;
import dev.parley.broker.HistoryConfig;
import dev.parley.broker.HistorySettings;
import dev.parley.broker.Page;
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
    void receipt_isForgotten_whenItHasExpired() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withReceipts(Duration.ofMinutes(5)));
        broker.publish("a", "key");

        broker.clock().advance(Duration.ofMinutes(5).minusMillis(1));
        assertThat(broker.publish("a", "key").duplicate()).isTrue();

        broker.clock().advance(Duration.ofMillis(1));
        assertThat(broker.publish("a", "key").duplicate()).isFalse();
    }

    @Test
    void retention_byAge_dropsOldMessages_whenOthersArePublished() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withAge(Duration.ofHours(1)));
        broker.publishNumbers(20);
        broker.clock().advance(Duration.ofMinutes(50));
        broker.publishNumbers(4);

        broker.clock().advance(Duration.ofMinutes(20));
        broker.publishNumbers(16);

        Page page = broker.readAfter(0, 100);
        assertThat(page.oldest()).isEqualTo(21);
        assertThat(offsets(page)).containsExactlyElementsOf(offsets(21, 40));
    }
}
