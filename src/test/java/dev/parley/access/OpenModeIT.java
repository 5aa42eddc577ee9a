package dev.parley.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TestRoom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * In mode {@code open} a request with credentials is served as without them, whatever they are, and
 * though issuers are configured: a proxy in front of Parley may add some.
 */
class OpenModeIT {

    private static ParleyProcess pod;

    @BeforeAll
    static void start() {
        pod =
                ParleyProcess.builder()
                        .environment("PARLEY_ACCESS_ISSUERS_DEV_ISSUER", TestTokens.ISSUER)
                        .environment("PARLEY_ACCESS_ISSUERS_DEV_AUDIENCE", TestTokens.AUDIENCE)
                        .environment("PARLEY_ACCESS_ISSUERS_DEV_SECRET", TestTokens.SECRET)
                        .start()
                        .awaitReady();
    }

    @AfterAll
    static void stop() {
        pod.close();
    }

    /** An operator who configures issuers may think that they are asked for. */
    @Test
    void settingsThatHaveNoEffect_areLoggedAtTheStart() {
        pod.awaitLog("parley.access.issuers is set, but parley.access.mode is open: every client");
        try (ParleyProcess other =
                ParleyProcess.builder().config("parley.access.public.read", "news.*").start()) {
            other.awaitLog("parley.access.public.read is set, but parley.access.mode is open");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Bearer garbage",
                "Bearer a.b.c",
                "Bearer eyJhbGciOiJub25lIn0.e30.",
                "Bearer ",
                "Basic YWRhOnNlY3JldA==",
                "Digest username=\"ada\"",
                "garbage"
            })
    void credentials_areIgnored(String credentials) {
        Http http = new Http(pod.uri()).with("Authorization", credentials);
        TestRoom room = TestRoom.newAt(pod, http);

        try (SseReader reader = room.reader().header("Authorization", credentials).open()) {
            reader.awaitConnected().awaitLastEventId();
            room.publish("hello");

            reader.awaitData("hello");
        }
        assertThat(room.history("").status()).isEqualTo(200);
        assertThat(http.get("/").status()).isEqualTo(200);
        assertThat(http.get("/nothing").status()).isEqualTo(404);
    }
}
