package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.EventId;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SharedResource;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.TcpProxy;
import java.io.Closeable;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The base of tests in which Redis fails: two pods on a Redis server that writes each command to
 * disk. The first pod connects through a proxy that can fail, and gives up on a silent connection
 * after two seconds. The other one connects directly and has long deadlines, so its subscription
 * lasts until Redis itself ends it. Each test has a new room.
 */
@ExtendWith(RedisFaultBase.Extension.class)
abstract class RedisFaultBase {

    private static final AtomicInteger ROOMS = new AtomicInteger();

    final RedisServer redis;
    final TcpProxy network;
    final ParleyProcess pod;
    final ParleyProcess otherPod;
    final String room = "room" + ROOMS.incrementAndGet();

    RedisFaultBase(Servers servers) {
        redis = servers.redis;
        network = servers.network;
        pod = servers.pod;
        otherPod = servers.otherPod;
    }

    /** Waits until both pods can publish and their subscriptions deliver. */
    @BeforeEach
    void awaitHealth() {
        for (ParleyProcess each : List.of(pod, otherPod)) {
            Pods.awaitPublishing(each);
            Pods.awaitDelivery(each, redis);
        }
    }

    /**
     * Asserts that the reader received the numbers 1 … last and nothing else, on one connection.
     */
    static void assertOnlyNumbers(SseReader reader, int last) {
        reader.awaitMessages(last);
        assertThat(reader.data()).isEqualTo(numbers(1, last));
        assertThat(reader.events()).hasSize(last);
        assertThat(reader.connections()).isOne();
    }

    /**
     * Asserts that no id has two texts, and that between two gaps offsets ascend by one: a gap
     * starts over, and messages that are still there have the ids that they had.
     */
    static void assertIdsAscend(SseReader reader) {
        assertIdsAscend(reader.events());
    }

    /** As for a reader, of the events of one room. */
    static void assertIdsAscend(List<Event> events) {
        RoomEvents.assertOneTextEach(
                events.stream().filter(event -> event.type().equals("message")).toList());
        long former = -1;
        for (Event event : events) {
            if (event.type().equals("gap")) {
                former = -1;
            } else if (event.type().equals("message")) {
                long offset = offset(event.id());
                assertThat(former)
                        .as("offset before %s, among %s", event, around(event, events))
                        .isIn(-1L, offset - 1);
                former = offset;
            }
        }
    }

    /** The epoch of an id: in {@code k3f9-42} it is {@code k3f9}. */
    static String epoch(String id) {
        return EventId.parse(id).orElseThrow().epoch();
    }

    private static List<Event> around(Event event, List<Event> all) {
        int index = all.indexOf(event);
        return all.subList(Math.max(0, index - 10), Math.min(all.size(), index + 5));
    }

    private static long offset(String id) {
        return EventId.parse(id).orElseThrow().offset();
    }

    /** The servers that all these tests share. */
    static final class Servers implements Closeable {

        private final RedisServer redis = RedisServer.startWithPersistence();
        private final TcpProxy network = TcpProxy.to(redis.port());
        private final ParleyProcess pod =
                Pods.quickToDetectFaults()
                        .config("parley.log.messages", "16")
                        .redis(network.uri("redis"))
                        .start();
        private final ParleyProcess otherPod =
                Pods.withQuickReconnect()
                        .config("parley.redis.max-backoff", "200ms")
                        .redis(redis.uri())
                        .start();

        @Override
        public void close() {
            pod.close();
            otherPod.close();
            network.close();
            redis.close();
        }
    }

    /** Passes the servers to the constructors of test classes. */
    static final class Extension extends SharedResource<Servers> {
        Extension() {
            super(Servers.class, Servers::new);
        }
    }
}
