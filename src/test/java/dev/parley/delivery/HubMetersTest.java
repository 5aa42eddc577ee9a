package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What operators see of what happens. */
class HubMetersTest {

    private final Scene scene = new Scene();

    @Test
    void messages_areCountedAsReceived_withAndWithoutReaders() {
        scene.say(2);
        scene.connectAtTail();
        scene.say(3);

        assertThat(scene.count("parley.messages.received")).isEqualTo(5);
    }

    @Test
    void deliveries_areCountedPerReader_withTheirBytes() {
        TestReader one = scene.connectAtTail();
        scene.connectAtTail();
        int before = bytes(one);

        scene.say(3);

        assertThat(scene.count("parley.deliveries")).isEqualTo(6);
        assertThat(scene.count("parley.delivered.bytes")).isEqualTo(2.0 * (bytes(one) - before));
    }

    @Test
    void deliveriesFromTheHistory_areCountedToo() {
        scene.broker.drop(30);
        scene.resume(scene.broker.id(10));

        assertThat(scene.count("parley.deliveries")).isEqualTo(20);
    }

    @Test
    void fanOut_isTimedOnceAMessage_howeverManyReadersItHas() {
        scene.broker.drop(5);
        scene.connectAtTail();
        scene.connectAtTail();

        scene.say(1);
        scene.say(3);

        Timer fanOut = scene.meters.get("parley.fanout").timer();
        assertThat(fanOut.count()).as("not those from before the readers came").isEqualTo(4);
        assertThat(fanOut.totalTime(TimeUnit.SECONDS)).isPositive();
    }

    @Test
    void fanOut_ofWhatNobodyReads_isNotTimed() {
        TestReader reader = scene.connectAtTail();
        scene.say(1);
        reader.leave();

        scene.say(3);

        assertThat(fanOuts()).isOne();
    }

    @Test
    void fanOut_toReadersOfARoomThatWasOpenBeforeThem_isTimedFromTheirFirstMessage() {
        scene.connectAtTail().leave();
        scene.say(3);

        scene.connectAtTail();
        scene.say(1);

        assertThat(fanOuts()).isOne();
    }

    @Test
    void fanOut_ofABurstLongerThanTheLog_isTimedForWhatTheLogHas() {
        scene.connectAtTail();

        scene.say(LogSettings.RING + 5);

        assertThat(fanOuts()).isEqualTo(LogSettings.RING);
    }

    @Test
    void fanOut_ofAMessageFromTheFuture_tookNoTime() {
        var registry = new SimpleMeterRegistry();

        new HubMeters(registry).fannedOut(Duration.ofSeconds(-1));

        Timer fanOut = registry.get("parley.fanout").timer();
        assertThat(fanOut.count()).isOne();
        assertThat(fanOut.totalTime(TimeUnit.SECONDS)).isZero();
    }

    @Test
    void subscription_isUp_whileTheBrokerIs() {
        assertThat(scene.gauge("parley.subscription.up")).isOne();

        scene.broker.away();

        assertThat(scene.gauge("parley.subscription.up")).isZero();
    }

    private long fanOuts() {
        return scene.meters.get("parley.fanout").timer().count();
    }

    private static int bytes(TestReader reader) {
        return reader.lines().stream().mapToInt(line -> line.length() + 1).sum();
    }
}
