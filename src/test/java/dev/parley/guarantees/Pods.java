package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Pods for tests of faults, and the steps that these tests share. */
final class Pods {

    private static final String FAKE_TIME = "faketime/libfaketimeMT.so.1";

    private Pods() {}

    /** For tests in which Redis fails: the pod detects failures within seconds. */
    static ParleyProcess.Builder quickToDetectFaults() {
        return withQuickReconnect().config("parley.redis.timeout", "2S").quickToDetectFaults();
    }

    /** For tests in which only readers fail: they reconnect within milliseconds. */
    static ParleyProcess.Builder withQuickReconnect() {
        return ParleyProcess.builder().quickReconnect();
    }

    /**
     * Makes the clock of a pod 25 hours fast, by the library of Debian's package {@code faketime}.
     * Where it is not installed the clock stays right, except in CI, where the test fails.
     */
    static ParleyProcess.Builder withWrongClock(ParleyProcess.Builder pod) {
        Path libraries = Path.of("/usr/lib");
        try (var found = Files.newDirectoryStream(libraries, directory -> hasFakeTime(directory))) {
            for (Path directory : found) {
                return pod.environment("LD_PRELOAD", directory.resolve(FAKE_TIME).toString())
                        .environment("FAKETIME", "+25h");
            }
        } catch (IOException e) {
            // There is no such directory on other systems.
        }
        assertThat(System.getenv("CI")).as("faketime is installed").isNotEqualTo("true");
        return pod;
    }

    private static boolean hasFakeTime(Path directory) {
        return Files.exists(directory.resolve(FAKE_TIME));
    }

    /** Starts such a pod on this Redis. */
    static ParleyProcess quickToDetectFaults(String redisUri) {
        return quickToDetectFaults().redis(redisUri).start();
    }

    /** Starts building a reader that reconnects, as a browser does. */
    static SseReader.Builder reconnectingReader(ParleyProcess pod, String room) {
        return SseReader.to(pod.uri("/events?room=" + room)).reconnecting();
    }

    /** Opens such a reader and waits until it knows its position in the room. */
    static SseReader open(ParleyProcess pod, String room) {
        return reconnectingReader(pod, room).open().awaitConnected().awaitLastEventId();
    }

    /** Publishes under one idempotency key until the pod confirms it; returns the id. */
    static String publishUntilConfirmed(ParleyProcess pod, String room, String text) {
        return publishUntilConfirmed(new Http(pod.uri()), room, text);
    }

    static String publishUntilConfirmed(Http pod, String room, String text) {
        Http http = pod.with("Idempotency-Key", key(room, text));
        return Timeouts.await("publish " + key(room, text))
                .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                .until(() -> http.sendForm(text, "room", room), answer -> answer.status() == 200)
                .header("Event-Id");
    }

    /** Publishes once under the same key; returns whether the pod confirmed it. */
    static boolean tryPublish(Http pod, String room, String text) {
        return send(pod, room, text).status() == 200;
    }

    /** Publishes once under the same key. */
    static Http.Answer send(Http pod, String room, String text) {
        return pod.with("Idempotency-Key", key(room, text)).sendForm(text, "room", room);
    }

    static String key(String room, String text) {
        return room + "-" + text.substring(0, Math.min(text.length(), 40));
    }

    /** Publishes the texts first … last, each after the one before is confirmed. */
    static void publishNumbers(ParleyProcess pod, String room, int first, int last) {
        Http http = new Http(pod.uri());
        for (int i = first; i <= last; i++) {
            publishUntilConfirmed(http, room, Integer.toString(i));
        }
    }

    /** Waits until the pod confirms a publish. */
    static void awaitPublishing(ParleyProcess pod) {
        publishUntilConfirmed(pod, "warmup", "ready");
    }

    /**
     * Waits until the pod's subscription in Redis delivers. A message would not show this, because
     * the pod also finds messages when it compares its log with Redis; plain text arrives only by
     * the subscription.
     */
    static void awaitDelivery(ParleyProcess pod, RedisServer redis) {
        try (SseReader lobby = SseReader.to(pod.uri("/events")).reconnecting().open()) {
            Timeouts.await("live delivery")
                    .until(
                            () -> {
                                redis.command("PUBLISH", "chat", "delivered");
                                return !lobby.messages().isEmpty();
                            });
        }
    }

    /** Waits until the pod answers a publish with this status. */
    static void awaitStatus(ParleyProcess pod, int status) {
        Http http = new Http(pod.uri());
        Timeouts.await("publish answered " + status)
                .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                .until(() -> http.sendForm("probe", "room", "warmup").status() == status);
    }
}
