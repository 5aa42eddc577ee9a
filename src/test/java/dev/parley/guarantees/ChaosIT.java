package dev.parley.guarantees;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Ports;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/**
 * Three pods, five publishers that repeat what is not confirmed, and thirty readers whose
 * connections break at random moments: each reader receives each message once, in order.
 */
class ChaosIT {

    private static final int PODS = 3;
    private static final int PUBLISHERS = 5;
    private static final int READERS = 30;
    private static final int TEXTS_EACH = 160;
    private static final String ROOM = "chaos";

    private final Random random = new Random(42);
    private final AtomicInteger confirmed = new AtomicInteger();

    @Test
    void readersThatReconnectAtRandom_missNothing_whileAPodIsKilledAndReplaced() throws Exception {
        ExecutorService publishers = Executors.newFixedThreadPool(PUBLISHERS);
        List<ParleyProcess> pods = new ArrayList<>();
        try (RedisServer redis = RedisServer.start()) {
            startPods(redis, pods);
            List<URI> streams = pods.stream().map(pod -> pod.uri("/events?room=" + ROOM)).toList();
            List<Http> clients = pods.stream().map(pod -> new Http(pod.uri())).toList();
            try (var fleet = new ReaderFleet(READERS, () -> anyOf(streams))) {
                List<Future<List<String>>> publishing = new ArrayList<>();
                for (int i = 1; i <= PUBLISHERS; i++) {
                    String name = Integer.toString(i);
                    publishing.add(publishers.submit(() -> publish(name, clients)));
                }

                breakConnections(fleet, 1);
                pods.get(1).kill();
                breakConnections(fleet, 2);
                pods.set(1, pods.get(1).replacement());
                breakConnections(fleet, 3);
                breakConnectionsUntil(() -> connections(fleet) > READERS * 2, fleet);

                List<String> published = new ArrayList<>();
                for (Future<List<String>> texts : publishing) {
                    published.addAll(texts.get());
                }
                fleet.assertAllReceived(published);
                fleet.assertOrderPerPublisher(published);
                fleet.assertNoneReceived("gap");
            }
        } finally {
            publishers.shutdownNow();
            pods.forEach(ParleyProcess::close);
        }
    }

    private static void startPods(RedisServer redis, List<ParleyProcess> pods) {
        for (int i = 0; i < PODS; i++) {
            pods.add(
                    Pods.withQuickReconnect()
                            .redis(redis.uri())
                            .config("parley.log.messages", "64")
                            .port(Ports.free())
                            .start());
            Pods.awaitPublishing(pods.get(i));
        }
    }

    private List<String> publish(String name, List<Http> pods) {
        List<String> texts = new ArrayList<>();
        for (int i = 1; i <= TEXTS_EACH; i++) {
            String text = name + "-" + i;
            publishAnywhere(text, pods);
            texts.add(text);
            confirmed.incrementAndGet();
        }
        return texts;
    }

    /** Each attempt goes to a random pod, so a repeat may go to another one. */
    private static void publishAnywhere(String text, List<Http> pods) {
        Timeouts.await(text)
                .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                .until(() -> Pods.tryPublish(anyOf(pods), ROOM, text));
    }

    /** Resets random connections until this many thirds of all texts are confirmed. */
    private void breakConnections(ReaderFleet fleet, int thirds) {
        int enough = PUBLISHERS * TEXTS_EACH * thirds / 3;
        breakConnectionsUntil(() -> confirmed.get() >= enough, fleet);
    }

    private void breakConnectionsUntil(BooleanSupplier enough, ReaderFleet fleet) {
        List<SseReader> readers = fleet.readers();
        Timeouts.await("end of the chaos")
                .pollInterval(Duration.ofMillis(10))
                .until(
                        () -> {
                            readers.get(random.nextInt(readers.size())).dropConnection();
                            return enough.getAsBoolean();
                        });
    }

    private static int connections(ReaderFleet fleet) {
        return fleet.readers().stream().mapToInt(SseReader::connections).sum();
    }

    private static <T> T anyOf(List<T> all) {
        return all.get(ThreadLocalRandom.current().nextInt(all.size()));
    }
}
