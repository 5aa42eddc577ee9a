package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * No answer asks a client to come again later if that can never help: a body that has no room even
 * while there is no other is refused for good, with the longest length, and an answer is given.
 */
class SmallBudgetsIT {

    /** A quarter of the budget of publishes, less what each counts beside its body. */
    private static final int LONGEST_PUBLISH = 8 * 1024;

    /** A quarter of the budget of bodies. */
    private static final int LONGEST_BODY = 16 * 1024;

    @RegisterExtension
    static final AttackedPod pod =
            new AttackedPod(
                    ParleyProcess.builder()
                            .config("parley.limits.pending-bytes", "64K")
                            .config("parley.limits.body-bytes", "64K")
                            .config("parley.limits.answer-bytes", "64K"));

    @Test
    void publishOfTheLongestBody_isAccepted() {
        RawConnection publish = pod.connect(post("/send", LONGEST_PUBLISH, LONGEST_PUBLISH));

        publish.readAnswer();

        assertThat(publish.answer().status()).isEqualTo(200);
    }

    @Test
    void longerPublish_isRefusedForGood_beforeItIsRead() {
        assertRefused(post("/send", LONGEST_PUBLISH + 1, 0), LONGEST_PUBLISH);
    }

    /** Its length is known when it is there. */
    @Test
    void longerPublishInChunks_isRefusedForGood() {
        String body = "x".repeat(LONGEST_PUBLISH + 1);
        String head = post("/send", -1, 0).replaceAll("\r\n\r\n$", "\r\n");

        assertRefused(
                "%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
                        .formatted(head, body.length(), body),
                LONGEST_PUBLISH);
    }

    /** The body is short enough, and its text is not: each control character takes seven bytes. */
    @Test
    void textWithTooManyEscapes_isRefusedWithWhatItCounts() {
        int letters = LONGEST_PUBLISH / 7 + 1;

        Http.Answer answer = pod.http().sendForm("\u0001".repeat(letters));

        assertThat(answer.status()).isEqualTo(413);
        assertThat(answer.body())
                .contains("the text has " + 7 * letters + " bytes", "at most " + LONGEST_PUBLISH);
    }

    @Test
    void longerForm_isRefusedForGood() {
        assertRefused(post("/events", LONGEST_BODY + 1, 0), LONGEST_BODY);
    }

    @Test
    void answerThatMayBeLonger_isGiven() {
        for (int i = 0; i < 10; i++) {
            assertThat(pod.http().sendForm("a".repeat(8_000), "room", "long").status())
                    .isEqualTo(200);
        }

        Http.Answer answer = pod.http().get("/rooms/long/messages");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).hasSizeGreaterThan(64 * 1024);
    }

    private static void assertRefused(String request, int longest) {
        RawConnection connection = pod.connect(request);

        connection.readAnswer();

        assertThat(connection.answer().status()).isEqualTo(413);
        assertThat(connection.text())
                .endsWith("\r\n\r\nrequest too large: at most " + longest + " bytes are accepted\n")
                .doesNotContain("Retry-After");
    }

    /**
     * A request.
     *
     * @param announced its Content-Length; none if negative
     * @param sent how many bytes of the body follow
     */
    private static String post(String path, int announced, int sent) {
        return "POST "
                + path
                + " HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
                + (announced < 0 ? "" : "Content-Length: " + announced + "\r\n")
                + "\r\n"
                + "x".repeat(sent);
    }
}
