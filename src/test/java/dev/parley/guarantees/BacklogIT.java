package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A stranger asks for the history of a room on many streams, and takes none of it: each of them
 * alone makes the pod hold what the kernel does not.
 */
class BacklogIT {

    private static final int MESSAGES = 50;

    /** Longer than what the kernel buffers at both ends, all of them together. */
    private static final String LONG = "x".repeat(60_000);

    /** A quarter of the bound, and a page that each event loop may be writing at that moment. */
    private static final double MOST = 256 * 1024 + 2 * 350 * 1024;

    @RegisterExtension
    static final AttackedPod pod =
            new AttackedPod(
                    ParleyProcess.builder()
                            .config("quarkus.vertx.event-loops-pool-size", "2")
                            .config("parley.limits.backlog-bytes", "1M"));

    @Test
    void historyThatIsNotTaken_isBoundedInSum_andDelaysNoOtherReader() {
        Http publisher = pod.http();
        for (int i = 1; i <= MESSAGES; i++) {
            assertThat(publisher.sendForm(i + LONG, "room", "long").status()).isEqualTo(200);
        }

        for (int i = 0; i < 40; i++) {
            pod.connect(request("/events?room=long&lastEventId=earliest"));
        }
        pod.metrics().awaitValue("parley_connected_clients", 41);
        Timeouts.await("some are held").until(() -> pod.held("backlogs") > 0);

        assertThat(pod.held("backlogs")).isLessThanOrEqualTo(MOST);
        try (SseReader reader =
                SseReader.open(pod.pod().uri("/events?room=long&lastEventId=earliest"))) {
            assertThat(reader.awaitMessages(MESSAGES).messages()).hasSize(MESSAGES);
        }
        // Those that are stuck give way to the others, which are stuck then.
        Timeouts.await("some are cut")
                .until(
                        () ->
                                pod.metrics()
                                                .value(
                                                        "parley_disconnects_total{reason=\"slow-consumer\"}")
                                        >= 4);
        assertThat(pod.held("backlogs")).isLessThanOrEqualTo(MOST);
    }

    private static String request(String target) {
        return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
    }
}
