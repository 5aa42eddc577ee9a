package dev.parley.guarantees;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.io.UncheckedIOException;

/** Pods, and what is done with them in every test of faults. */
final class Pods {

    private Pods() {}

    /** For tests in which Redis fails: what notices it is quick. */
    static ParleyProcess.Builder quick() {
        return steady().config("parley.redis.timeout", "2S")
                .config("parley.redis.probe-interval", "200ms")
                .config("parley.redis.probe-timeout", "2S")
                .config("parley.redis.max-backoff", "200ms");
    }

    /** For tests in which nothing fails but readers: they come back soon. */
    static ParleyProcess.Builder steady() {
        return ParleyProcess.builder()
                .config("parley.events.min-retry", "20ms")
                .config("parley.events.max-retry", "200ms");
    }

    static ParleyProcess quick(String redisUri) {
        return quick().redis(redisUri).start();
    }

    /** A reader as a browser is: it comes back by itself. */
    static SseReader.Builder browser(ParleyProcess pod, String room) {
        return SseReader.to(pod.uri("/events?room=" + room)).reconnecting();
    }

    static SseReader open(ParleyProcess pod, String room) {
        return browser(pod, room).open().awaitConnected().awaitLastEventId();
    }

    /** Publishes under one key until somebody confirms it; the answer is the id. */
    static String sayAtLast(ParleyProcess pod, String room, String text) {
        return sayAtLast(new Http(pod.uri()), room, text);
    }

    static String sayAtLast(Http pod, String room, String text) {
        Http http = pod.with("Idempotency-Key", key(room, text));
        return Timeouts.await("publish " + key(room, text))
                .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                .until(() -> http.sendForm(text, "room", room), answer -> answer.status() == 200)
                .header("Event-Id");
    }

    /** One such attempt; whether it was confirmed. */
    static boolean trySay(Http pod, String room, String text) {
        return pod.with("Idempotency-Key", key(room, text)).sendForm(text, "room", room).status()
                == 200;
    }

    private static String key(String room, String text) {
        return room + "-" + text.substring(0, Math.min(text.length(), 40));
    }

    /** Says first … last, each confirmed before the next. */
    static void sayNumbers(ParleyProcess pod, String room, int first, int last) {
        Http http = new Http(pod.uri());
        for (int i = first; i <= last; i++) {
            sayAtLast(http, room, Integer.toString(i));
        }
    }

    static void awaitPublishing(ParleyProcess pod) {
        sayAtLast(pod, "warmup", "ready");
    }

    /**
     * Waits until the pod hears Redis live. Readers get what was said before, too, by a comparison;
     * only plain text has no other way.
     */
    static void awaitDelivery(ParleyProcess pod, RedisServer redis) {
        try (SseReader lobby = SseReader.to(pod.uri("/events")).reconnecting().open()) {
            Timeouts.await("live delivery")
                    .until(
                            () -> {
                                redis.command("PUBLISH", "chat", "heard");
                                return !lobby.messages().isEmpty();
                            });
        }
    }

    static void awaitStatus(ParleyProcess pod, int status) {
        Http http = new Http(pod.uri());
        Timeouts.await("publish answered " + status)
                .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                .until(() -> http.sendForm("probe", "room", "warmup").status() == status);
    }
}
