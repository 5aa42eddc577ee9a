package dev.parley.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Json;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TestRoom;
import dev.parley.testsupport.Timeouts;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A busy room and a quiet one on one stream. A message of the quiet room waits for two batches of
 * the busy one at most: one that is being written, and the busy room's turn.
 *
 * <p>Asserted is an order, not a time: how many messages of the busy room arrive before it that
 * were published after its publish was answered. Redis announces messages in the order in which
 * they were published, and the pod has one subscription, so when the pod knows one of those, it
 * knows the quiet room's message too. What is between them on the stream was decided by the pod.
 */
class FairStreamIT {

    private static final int TEXT = 2_000;
    private static final int BATCH_BYTES = 64 * 1024;
    private static final int TWO_BATCHES = 2 * (BATCH_BYTES / TEXT + 1);
    private static final String PADDING = "x".repeat(TEXT);

    @AutoClose private static RedisServer redis;
    @AutoClose private static ParleyProcess pod;
    private static Http http;

    private final TestRoom busy = TestRoom.newAt(pod, http, "busy-");
    private final TestRoom quiet = TestRoom.newAt(pod, http, "quiet-");

    /** Counts publishes and answers; each gets the next number. */
    private final AtomicLong clock = new AtomicLong();

    /** When the publish of a busy room's message began. */
    private final Map<String, Long> began = new ConcurrentHashMap<>();

    /** When the publish of a quiet room's message was answered. */
    private final Map<String, Long> answered = new ConcurrentHashMap<>();

    @BeforeAll
    static void start() {
        redis = RedisServer.start();
        // The log has all that is published while a client does not read.
        pod =
                ParleyProcess.builder()
                        .redis(redis.uri())
                        .config("parley.log.messages", "65536")
                        .config("parley.log.bytes", "64M")
                        .config("parley.events.heartbeat", "200ms")
                        .start()
                        .awaitReady();
        http = new Http(pod.uri());
    }

    /** The client does not read for a while, and everything is waiting for it. */
    @Test
    void messageOfTheQuietRoom_isNotBehindTheBacklogOfTheBusyOne() {
        Metrics metrics = new Metrics(pod);
        try (SseReader reader = open(SseReader.to(uri()).receiveBuffer(4 * 1024))) {
            reader.stopReading();
            Timeouts.await("a full connection")
                    .until(
                            () -> {
                                publish("fill-" + clock.get(), "x".repeat(60 * 1024));
                                return metrics.value("parley_slow_readers") == 1;
                            });

            publishQuietly("quiet");
            for (int i = 1; i <= 10 * TWO_BATCHES; i++) {
                publish("later-" + i, PADDING);
            }
            reader.continueReading();

            awaitText(reader, "later-" + 10 * TWO_BATCHES);
            assertAtMostTwoBatchesBeforeEachQuietOne(reader);
        }
    }

    private void assertAtMostTwoBatchesBeforeEachQuietOne(SseReader reader) {
        List<String> received = texts(reader);
        answered.forEach(
                (quietOne, when) -> {
                    int place = received.indexOf(quietOne);
                    assertThat(place).as("place of " + quietOne).isNotNegative();
                    assertThat(
                                    received.subList(0, place).stream()
                                            .filter(text -> began.getOrDefault(text, 0L) > when)
                                            .count())
                            .as("messages of the busy room that are newer than " + quietOne)
                            .isLessThanOrEqualTo(TWO_BATCHES);
                });
    }

    private void publish(String name, String padding) {
        began.put(name, clock.incrementAndGet());
        busy.publish(name + " " + padding);
    }

    private void publishQuietly(String name) {
        quiet.publish(name + " x");
        answered.put(name, clock.incrementAndGet());
    }

    private static void awaitText(SseReader reader, String name) {
        reader.await(name, one -> texts(one).contains(name));
    }

    /** The texts that were received, without their padding. */
    private static List<String> texts(SseReader reader) {
        return reader.data().stream()
                .map(data -> Json.parse(data).path("text").textValue())
                .map(text -> text.substring(0, text.indexOf(' ')))
                .toList();
    }

    private SseReader open(SseReader.Builder reader) {
        return reader.open()
                .await("position in both rooms", one -> one.lastEventId().contains(","));
    }

    private URI uri() {
        return pod.uri("/events?format=json&room=" + busy.name() + "&room=" + quiet.name());
    }
}
