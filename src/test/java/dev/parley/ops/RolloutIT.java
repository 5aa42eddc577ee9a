package dev.parley.ops;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import io.github.bucket4j.Bucket;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three pods behind a proxy are replaced one after the other while readers read and publishers
 * publish. No message is lost or received twice, no publisher gets an error, and the readers of a
 * pod do not all reconnect at once.
 */
final class RolloutIT {

    private static final int READERS = 500;
    private static final int PUBLISHERS = 3;

    /** Of each publisher: as much as two cores can do that also run all readers. */
    private static final int MESSAGES_A_SECOND = 5;

    private static final String CONNECTED = "parley_connected_clients";
    private static final Duration SECOND = Duration.ofSeconds(1);

    @TempDir Path directory;

    private final List<ParleyProcess> pods = new ArrayList<>();
    private final List<SseReader> readers = new ArrayList<>();

    @AfterEach
    void stop() {
        readers.forEach(SseReader::close);
        pods.forEach(ParleyProcess::close);
    }

    @Test
    void rollout_losesAndRepeatsNoMessage() {
        List<Haproxy.Pod> places =
                List.of(Haproxy.Pod.free(), Haproxy.Pod.free(), Haproxy.Pod.free());
        try (var redis = RedisServer.start();
                var proxy = Haproxy.start(directory, places)) {
            for (Haproxy.Pod place : places) {
                pods.add(pod(redis, place));
            }
            proxy.awaitAllPods();
            connectReaders(proxy.uri("/events"));
            var publishing = new AtomicBoolean(true);
            List<Publisher> publishers =
                    IntStream.range(0, PUBLISHERS)
                            .mapToObj(i -> Publisher.start(i, proxy.uri(""), publishing))
                            .toList();

            for (int i = 0; i < pods.size(); i++) {
                int positions = goodbyePositions().size();
                replace(i);
                proxy.awaitAllPods();
                awaitAllReaders();
                assertThat(goodbyePositions()).hasSizeGreaterThan(positions + 3);
            }
            publishing.set(false);
            List<String> sent = publishers.stream().flatMap(p -> p.sent().stream()).toList();

            assertThat(sent).hasSizeGreaterThan(PUBLISHERS);
            readers.forEach(reader -> reader.awaitMessages(sent.size()));
            readers.forEach(reader -> assertComplete(reader, sent));
        }
    }

    private static ParleyProcess pod(RedisServer redis, Haproxy.Pod place) {
        return ParleyProcess.builder()
                .redis(redis.uri())
                .ports(place.port(), place.managementPort())
                .config("parley.drain.delay", "4S")
                .config("parley.drain.window", "3S")
                .quickReconnect()
                .start();
    }

    private void connectReaders(URI stream) {
        for (int i = 0; i < READERS; i++) {
            readers.add(SseReader.to(stream).reconnecting().open());
        }
        readers.forEach(SseReader::awaitLastEventId);
    }

    private void replace(int number) {
        ParleyProcess old = pods.get(number);
        old.terminate();
        assertThat(old.awaitExit()).isZero();
        pods.set(number, old.replacement().awaitReady());
    }

    /** Waits until every reader is connected to one of the present pods. */
    private void awaitAllReaders() {
        List<Metrics> metrics = pods.stream().map(Metrics::new).toList();
        Timeouts.await("all readers on some pod")
                .until(
                        () ->
                                metrics.stream().mapToDouble(pod -> pod.value(CONNECTED)).sum()
                                        == READERS);
    }

    /**
     * The different positions at which readers got their goodbye. Messages come all the time, so
     * there are many positions when the readers get it one after the other, and one or two when
     * they all get it at once.
     */
    private Set<String> goodbyePositions() {
        return readers.stream()
                .flatMap(reader -> reader.events("goodbye").stream())
                .map(SseReader.Event::id)
                .collect(toSet());
    }

    private static void assertComplete(SseReader reader, List<String> sent) {
        assertThat(reader.data()).containsExactlyInAnyOrderElementsOf(sent);
        for (int i = 0; i < PUBLISHERS; i++) {
            String mine = i + "-";
            assertThat(reader.data().stream().filter(text -> text.startsWith(mine)))
                    .containsExactlyElementsOf(
                            sent.stream().filter(text -> text.startsWith(mine)).toList());
        }
        assertThat(reader.events("gap")).isEmpty();
    }

    /**
     * Sends numbered messages one after the other, and repeats one whose connection failed once.
     */
    private static final class Publisher {

        private final Queue<String> sent = new ConcurrentLinkedQueue<>();
        private final Bucket pace =
                Bucket.builder()
                        .addLimit(
                                limit -> limit.capacity(1).refillGreedy(MESSAGES_A_SECOND, SECOND))
                        .build();
        private final Thread thread;
        private volatile Throwable failure;

        private Publisher(int number, URI uri, AtomicBoolean publishing) {
            thread =
                    new Thread(() -> run(number, new Http(uri), publishing), "publisher-" + number);
        }

        static Publisher start(int number, URI uri, AtomicBoolean publishing) {
            var publisher = new Publisher(number, uri, publishing);
            publisher.thread.setUncaughtExceptionHandler((t, e) -> publisher.failure = e);
            publisher.thread.start();
            return publisher;
        }

        List<String> sent() {
            try {
                thread.join(Timeouts.millis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
            assertThat(thread.isAlive()).as("publisher goes on").isFalse();
            assertThat(failure).as("publisher").isNull();
            return List.copyOf(sent);
        }

        private void run(int number, Http http, AtomicBoolean publishing) {
            for (int i = 0; publishing.get(); i++) {
                String text = number + "-" + i;
                Http keyed = http.with("Idempotency-Key", text);
                assertThat(send(keyed, text).status()).isEqualTo(200);
                sent.add(text);
                pace.asBlocking().consumeUninterruptibly(1);
            }
        }

        private static Http.Answer send(Http http, String text) {
            try {
                return http.sendForm(text);
            } catch (UncheckedIOException e) {
                return http.sendForm(text);
            }
        }
    }
}
