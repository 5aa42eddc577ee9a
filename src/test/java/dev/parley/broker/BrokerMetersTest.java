package dev.parley.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.memory.MemoryBroker;
import dev.parley.log.ScriptedBroker;
import dev.parley.message.Room;
import dev.parley.testsupport.SettableClock;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;

class BrokerMetersTest {

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    @Test
    void messages_areCountedAsReceived_inRoomsWithListeners() {
        SettableClock clock = SettableClock.stoppedNow();
        var memory =
                new MemoryBroker(
                        HistorySettings.DEFAULT.ofAllRooms(), Long.MAX_VALUE, clock, registry);
        BlockingBroker broker = BlockingBroker.open(memory, clock);

        broker.publishText("with a listener");
        broker.publishText(new Room("empty"), "without a listener");

        assertThat(registry.get("parley.messages.received").counter().count()).isOne();
    }

    @Test
    void subscription_isUp_whileTheBrokerIs() {
        var broker = new ScriptedBroker();
        new BrokerMeters(registry, broker);

        assertThat(registry.get("parley.subscription.up").gauge().value()).isOne();
        broker.goDown();
        assertThat(registry.get("parley.subscription.up").gauge().value()).isZero();
    }
}
