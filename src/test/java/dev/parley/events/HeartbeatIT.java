package dev.parley.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.SharedPod;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.TestRoom;
import dev.parley.testsupport.Timeouts;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A client chooses how it is shown that its stream lives. The pod's own pause is 200 ms. */
@ExtendWith(SharedPod.Extension.class)
class HeartbeatIT {

    private final TestRoom room;

    HeartbeatIT(SharedPod pod) {
        room = pod.newRoom();
    }

    @Test
    void heartbeatAsEvent_saysThePauseAndLeavesThePosition() {
        String id = room.publish("before");

        try (SseReader reader = room.subscribe("heartbeat=event")) {
            reader.await("heartbeats", r -> r.events("heartbeat").size() > 2);

            assertThat(reader.events("heartbeat"))
                    .containsOnly(new Event(id, "heartbeat", "{\"seconds\":0.2}"));
            assertThat(reader.comments()).containsExactly("connected");
            assertThat(reader.raw()).contains("\n\nevent: heartbeat\ndata: {\"seconds\":0.2}\n\n");
        }
    }

    @Test
    void heartbeatAsEvent_isSentAlsoBetweenMessages() {
        try (SseReader reader = room.subscribe("heartbeat=event")) {
            Timeouts.await("heartbeats between messages")
                    .until(
                            () -> {
                                room.publish("another");
                                return reader.events("heartbeat").size() > 2;
                            });

            assertThat(reader.messages()).isNotEmpty();
        }
    }

    @Test
    void pauseInSeconds_isTheStreamsOwn() {
        try (SseReader slow = room.subscribe("heartbeat=60");
                SseReader asked = room.subscribe("heartbeat=event&heartbeat=2");
                SseReader other = room.subscribe()) {
            assertThat(asked.awaitEvent("heartbeat").data()).isEqualTo("{\"seconds\":2}");
            other.await("more heartbeats", r -> r.comments().size() > 10);

            assertThat(slow.comments()).containsExactly("connected");
        }
    }
}
