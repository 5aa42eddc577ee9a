package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.log.LogSettings;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What the metrics of delivery count. */
class DeliveryMetersTest {

    private final HubHarness harness = new HubHarness();

    @Test
    void deliveries_areCountedPerReader_withTheirBytes() {
        TestReader one = harness.connectAtTail();
        harness.connectAtTail();
        int before = bytes(one);

        harness.publish(3);

        assertThat(harness.count("parley.deliveries")).isEqualTo(6);
        assertThat(harness.count("parley.delivered.bytes")).isEqualTo(2.0 * (bytes(one) - before));
    }

    @Test
    void deliveriesFromTheHistory_areCountedToo() {
        harness.broker.storeUndelivered(30);
        harness.resume(harness.broker.id(10));

        assertThat(harness.count("parley.deliveries")).isEqualTo(20);
    }

    @Test
    void fanOut_isTimedOncePerMessage_forAllReaders() {
        harness.broker.storeUndelivered(5);
        harness.connectAtTail();
        harness.connectAtTail();

        harness.publish(1);
        harness.publish(3);

        Timer fanOut = harness.meters.get("parley.fanout").timer();
        assertThat(fanOut.count()).as("messages since the first reader came").isEqualTo(4);
        assertThat(fanOut.totalTime(TimeUnit.SECONDS)).isPositive();
    }

    @Test
    void fanOut_ofMessagesWithoutReaders_isNotTimed() {
        TestReader reader = harness.connectAndPublish(1);
        reader.disconnect();

        harness.publish(3);

        assertThat(fanOuts()).isOne();
    }

    @Test
    void fanOut_inARoomThatWasOpenAlready_isTimedFromTheReadersFirstMessage() {
        harness.connectAtTail().disconnect();
        harness.publish(3);

        harness.connectAndPublish(1);

        assertThat(fanOuts()).isOne();
    }

    @Test
    void fanOut_ofABurstLongerThanTheLog_isTimedForTheMessagesInTheLog() {
        harness.connectAtTail();

        harness.publish(LogSettings.RING + 5);

        assertThat(fanOuts()).isEqualTo(LogSettings.RING);
    }

    @Test
    void fanOut_ofAMessageFromTheFuture_isTimedAsZero() {
        var registry = new SimpleMeterRegistry();

        new DeliveryMeters(registry).fannedOut(Duration.ofSeconds(-1));

        Timer fanOut = registry.get("parley.fanout").timer();
        assertThat(fanOut.count()).isOne();
        assertThat(fanOut.totalTime(TimeUnit.SECONDS)).isZero();
    }

    private long fanOuts() {
        return harness.meters.get("parley.fanout").timer().count();
    }

    private static int bytes(TestReader reader) {
        return reader.lines().stream().mapToInt(line -> line.length() + 1).sum();
    }
}
