package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.access.AccessPods;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A pod without Redis forgets its messages when it ends, and says so to each reader. */
class MemoryRestartIT {

    @Test
    void readersThatComeBack_getAGap_alsoInARoomThatHadNoMessage() {
        try (ParleyProcess pod = Pods.withQuickReconnect().fixedPort().start();
                SseReader inUse = Pods.open(pod, "used");
                SseReader waiting = Pods.open(pod, "empty")) {
            String id =
                    new Http(pod.uri()).sendForm("forgotten", "room", "used").header("Event-Id");
            inUse.awaitMessages(1);

            pod.kill();
            try (ParleyProcess replacement = pod.replacement()) {
                for (SseReader reader : List.of(inUse, waiting)) {
                    reader.awaitEvent("gap");
                }
                String next = Pods.publishUntilConfirmed(replacement, "used", "after");
                Pods.publishUntilConfirmed(replacement, "empty", "first");

                assertThat(inUse.awaitMessages(2).data()).containsExactly("forgotten", "after");
                assertThat(waiting.awaitMessages(1).data()).containsExactly("first");
                assertThat(next).isNotEqualTo(id);
                assertThat(inUse.events("gap")).hasSize(1);
                assertThat(waiting.events("gap")).hasSize(1);
            }
        }
    }

    /** An EventSource stops for good after a 401: the page has to get a new ticket. */
    @Test
    void ticket_endsWithThePod_andTheTokenOpensTheRoomWithANewOne() {
        String token = AccessPods.tokenFor("tickets").signed();
        try (ParleyProcess pod = AccessPods.builder().fixedPort().start()) {
            String ticket = AccessPods.ticket(pod, token);
            assertThat(statusOfStream(pod, ticket)).isEqualTo(200);

            pod.kill();
            try (ParleyProcess replacement = pod.replacement()) {
                assertThat(statusOfStream(replacement, ticket)).isEqualTo(401);

                String next = AccessPods.ticket(replacement, token);
                assertThat(statusOfStream(replacement, next)).isEqualTo(200);
            }
        }
    }

    /** Asks for a stream with this ticket, and reads only the head of the answer. */
    private static int statusOfStream(ParleyProcess pod, String ticket) {
        return new Http(pod.uri()).call("HEAD", "/events?room=tickets&ticket=" + ticket).status();
    }
}
