package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.guarantees.MemoryAndRedisPods.Kind;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TestRoom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Any program that can publish to Redis can send plain text to the lobby. */
@ExtendWith(MemoryAndRedisPods.Extension.class)
class PlainTextIT {

    private final MemoryAndRedisPods pods;

    PlainTextIT(MemoryAndRedisPods pods) {
        this.pods = pods;
    }

    @Test
    void plainText_reachesOnlyTheLobby_andHasNoId() {
        var pod = pods.pod(Kind.REDIS);
        TestRoom room = pods.newRoom(Kind.REDIS);
        Pods.awaitDelivery(pod, pods.redis());
        try (SseReader lobby = SseReader.open(pod.uri("/events")).awaitLastEventId();
                SseReader other = room.subscribe()) {
            String position = lobby.lastEventId();

            pods.redis().command("PUBLISH", "chat", "plain\r\ntext");

            lobby.awaitData("plain\ntext");
            assertThat(lobby.lastEventId()).isEqualTo(position);
            room.publish("1");
            assertThat(other.awaitMessages(1).data()).containsExactly("1");
        }
    }

    @Test
    void plainTextAsJson_hasATimeInMilliseconds() {
        var pod = pods.pod(Kind.REDIS);
        Pods.awaitDelivery(pod, pods.redis());
        try (SseReader lobby = SseReader.open(pod.uri("/events?format=json")).awaitLastEventId()) {
            pods.redis().command("PUBLISH", "chat", "in milliseconds");

            assertThat(lobby.awaitMessages(1).data())
                    .singleElement()
                    .asString()
                    .contains("in milliseconds")
                    .containsPattern("\"at\":\"[^\".]+\\.[0-9]{3}Z\"");
        }
    }

    @Test
    void plainTextThatIsTooLong_isDropped_andTheNextOneArrives() {
        var pod = pods.pod(Kind.REDIS);
        Pods.awaitDelivery(pod, pods.redis());
        try (SseReader lobby = SseReader.open(pod.uri("/events")).awaitLastEventId()) {
            pods.redis().command("PUBLISH", "chat", "x".repeat(64 * 1024 + 1));
            pods.redis().command("PUBLISH", "chat", "short enough");

            lobby.awaitData("short enough");
            assertThat(lobby.data()).doesNotContain("x".repeat(64 * 1024 + 1));
            pod.awaitLog("channel chat: dropped a text of 65537 bytes");
        }
    }
}
