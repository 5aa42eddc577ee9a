package dev.parley.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.Page;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.StoredMessage;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a room's log is told after its end; the rest is in {@link LiveRoomTest}. */
class LogCopyTest {

    private final LogBudget budget = new LogBudget(1 << 20);
    private final LogCopy copy =
            new LogCopy(
                    ScriptedBroker.ROOM,
                    new LineEncoder(),
                    new Scene.Log(
                            Scene.RING,
                            Scene.bytes(1 << 20),
                            Scene.bytes(1 << 20),
                            Duration.ofHours(1)),
                    budget,
                    new HubMeters(new SimpleMeterRegistry()));

    @Test
    void closedCopy_holdsNothing_andTakesNothing() {
        copy.answered(new Page("e", 1, 1, List.of(message(1))), copy.question());
        assertThat(copy.accept(message(2))).isTrue();
        assertThat(budget.held()).isPositive();
        LogCopy.Question late = copy.question();

        copy.close();

        assertThat(copy.accept(message(3))).as("asks for no comparison").isTrue();
        assertThat(copy.answered(new Page("e", 1, 3, List.of(message(3))), late))
                .isEqualTo(LogCopy.Outcome.DONE);
        assertThat(budget.held()).isZero();
    }

    private static StoredMessage message(long offset) {
        return new StoredMessage(
                new EventId("e", offset),
                Message.of(ScriptedBroker.ROOM, "text" + offset, Instant.EPOCH));
    }
}
