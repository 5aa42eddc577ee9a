package dev.parley.access;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import java.util.List;

/** Pods that ask for tokens, and what tests do with them. */
public final class AccessPods {

    private AccessPods() {}

    /**
     * A pod in mode token that accepts {@link TestTokens#signed}; rooms of {@code public.} may be
     * read by everybody, and those of {@code public.write.} and {@code inbox.} written.
     */
    public static ParleyProcess.Builder builder() {
        return ParleyProcess.builder()
                .quickReconnect()
                .config("parley.access.mode", "token")
                .config("parley.access.issuers.test.issuer", TestTokens.ISSUER)
                .config("parley.access.issuers.test.audience", "second, " + TestTokens.AUDIENCE)
                .config("parley.access.issuers.test.secret", TestTokens.SECRET)
                .config("parley.access.public.read", "public.*")
                .config("parley.access.public.write", "public.write.* , inbox.*");
    }

    /** A token to read and write the rooms of these patterns. */
    public static TestTokens tokenFor(String... patterns) {
        return TestTokens.token().rights(List.of(patterns), List.of(patterns));
    }

    public static Http with(ParleyProcess pod, String token) {
        return new Http(pod.uri())
                .with("Authorization", "Bearer " + token)
                .with("Accept", "application/json, text/event-stream");
    }

    public static SseReader.Builder reader(ParleyProcess pod, String query, String token) {
        return SseReader.to(pod.uri("/events?" + query)).header("Authorization", "Bearer " + token);
    }

    /** Gets a ticket for all that a token allows reading. */
    public static String ticket(ParleyProcess pod, String token) {
        Http.Answer answer = ticketAnswer(pod, token, "");
        if (answer.status() != 200) {
            throw new IllegalStateException(answer.status() + " " + answer.body());
        }
        return answer.json().get("ticket").asText();
    }

    public static Http.Answer ticketAnswer(ParleyProcess pod, String token, String form) {
        return with(pod, token).post("/tickets", "application/x-www-form-urlencoded", form);
    }

    public static Http.Answer revoke(ParleyProcess pod, String token, String form) {
        return with(pod, token).post("/revocations", "application/x-www-form-urlencoded", form);
    }
}
