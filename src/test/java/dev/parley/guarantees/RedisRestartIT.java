package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Patience;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.TcpProxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Redis dies, hangs, forgets, and is replaced: connected readers stay connected and miss nothing,
 * or are told what is gone.
 */
class RedisRestartIT {

    private static final int BURST = 40;

    private static RedisServer redis;
    private static TcpProxy network;
    private static ParleyProcess pod;
    private static ParleyProcess otherPod;
    private static int tests;

    private final String room = "room" + ++tests;

    /**
     * The first pod reaches Redis by a network that can fail, and is quick to give up. The other
     * one is beside Redis and patient: what it has once heard live, it goes on hearing.
     */
    @BeforeAll
    static void start() {
        redis = RedisServer.startWithPersistence();
        network = TcpProxy.to(redis.port());
        pod = Pods.quick().config("parley.log.messages", "16").redis(network.uri("redis")).start();
        otherPod =
                Pods.steady()
                        .config("parley.redis.max-backoff", "200ms")
                        .redis(redis.uri())
                        .start();
    }

    @AfterAll
    static void stop() {
        pod.close();
        otherPod.close();
        network.close();
        redis.close();
    }

    @BeforeEach
    void awaitHealth() {
        for (ParleyProcess each : List.of(pod, otherPod)) {
            Pods.awaitPublishing(each);
            Pods.awaitDelivery(each, redis);
        }
    }

    @Test
    void killedAndRestarted_withItsData_nothingIsLost() {
        try (SseReader reader = Pods.open(pod, room)) {
            Pods.sayNumbers(pod, room, 1, 5);
            reader.awaitMessages(5);

            redis.kill();
            Pods.awaitStatus(pod, 503);
            redis.restart();

            Pods.sayNumbers(otherPod, room, 6, 30);
            assertGotExactly(reader, 30);
            assertThat(reader.connections()).isOne();
        }
    }

    @Test
    void killedAndRestarted_whilePublishersGoOn_nothingIsLost_forReconnectingReaders() {
        try (var audience = new Audience(5, () -> pod.uri("/events?room=" + room));
                var others = new Audience(5, () -> otherPod.uri("/events?room=" + room))) {
            var publisher =
                    CompletableFuture.runAsync(() -> Pods.sayNumbers(otherPod, room, 1, 200));
            for (int texts : List.of(40, 80, 120)) {
                audience.readers().get(0).awaitMessages(texts);
                redis.kill();
                audience.readers().get(1).dropConnection();
                redis.restart();
            }

            publisher.join();
            audience.assertGotAll(numbers(1, 200));
            others.assertGotAll(numbers(1, 200));
            audience.assertNobodyWasToldOf("gap");
            others.assertNobodyWasToldOf("gap");
            assertThat(audience.readers().get(0).connections()).isOne();
        }
    }

    @Test
    void restartedWithoutItsData_isAGap_andNothingGoesBackwards() {
        try (SseReader reader = Pods.open(pod, room);
                SseReader otherReader = Pods.open(otherPod, room)) {
            Pods.sayNumbers(pod, room, 1, 5);
            reader.awaitMessages(5);
            otherReader.awaitMessages(5);

            redis.restartEmpty();

            for (SseReader each : List.of(reader, otherReader)) {
                each.awaitEvent("gap");
            }
            Pods.sayNumbers(otherPod, room, 6, 8);
            for (SseReader each : List.of(reader, otherReader)) {
                assertThat(each.awaitMessages(8).data()).isEqualTo(numbers(1, 8));
                assertOffsetsGrowWithinTheirEpochs(each);
                assertThat(each.connections()).isOne();
                assertThat(each.events("gap")).hasSize(1);
            }
        }
    }

    @Test
    void flushed_isAGap_withTheNextMessage() {
        try (SseReader reader = Pods.open(otherPod, room)) {
            Pods.sayNumbers(otherPod, room, 1, 5);
            String last = reader.awaitMessages(5).lastEventId();

            redis.command("FLUSHALL");
            String next = Pods.sayAtLast(otherPod, room, "6");

            assertThat(reader.awaitMessages(6).data()).isEqualTo(numbers(1, 6));
            assertThat(reader.events("gap"))
                    .extracting(Event::data)
                    .containsExactly(
                            "{\"requested\":\"%s\",\"oldest\":\"%s\",\"newest\":\"%s\"}"
                                    .formatted(last, next, next));
            assertOffsetsGrowWithinTheirEpochs(reader);
        }
    }

    @Test
    void paused_untilItIsGivenUp_nothingIsLost_andPublishersAreAnswered() {
        try (SseReader reader = Pods.open(pod, room)) {
            Pods.sayNumbers(pod, room, 1, 5);
            reader.awaitMessages(5);
            int connections = network.accepted();

            redis.pause();
            Http.Answer refused = new Http(pod.uri()).sendForm("lost", "room", room + "-other");
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.header("Retry-After")).matches("[1-9][0-9]*");
            Patience.await("both connections given up and tried anew, several times")
                    .until(() -> network.accepted() >= connections + 6);
            redis.resume();

            Pods.sayNumbers(otherPod, room, 6, 30);
            assertGotExactly(reader, 30);
            assertThat(reader.connections()).isOne();
        }
    }

    @Test
    void subscriptionsCut_whilePublishing_nothingIsLost() {
        try (var audience = new Audience(5, () -> pod.uri("/events?room=" + room))) {
            for (int i = 1; i <= 200; i++) {
                Pods.sayAtLast(otherPod, room, Integer.toString(i));
                if (i % 20 == 0) {
                    redis.command("CLIENT", "KILL", "TYPE", "pubsub");
                }
            }

            audience.assertGotAll(numbers(1, 200));
            audience.assertNobodyWasToldOf("gap");
            assertThat(audience.readers()).allSatisfy(r -> assertThat(r.connections()).isOne());
        }
    }

    @Test
    void subscriptionThatRedisCuts_forItsFullBuffer_missesNothing() {
        String setting = "client-output-buffer-limit";
        String limit = redis.command("CONFIG", "GET", setting).items().get(1).text();
        try (SseReader reader = Pods.open(pod, room)) {
            Pods.sayAtLast(pod, room, "first");
            reader.awaitMessages(1);
            long cut = cutForTheirBuffers();

            redis.command("CONFIG", "SET", setting, "pubsub 32kb 16kb 1");
            List<String> texts = new ArrayList<>(List.of("first"));
            for (int i = 1; i <= 10; i++) {
                texts.add(i + "x".repeat(60_000));
                Pods.sayAtLast(otherPod, room, texts.get(i));
            }
            Patience.await("Redis's word that it has cut the subscription")
                    .until(() -> cutForTheirBuffers() > cut);
            redis.command("CONFIG", "SET", setting, limit);

            reader.awaitMessages(texts.size());
            assertThat(outline(reader.data())).isEqualTo(outline(texts));
            assertThat(reader.events("gap")).isEmpty();
            assertThat(reader.connections()).isOne();
        } finally {
            redis.command("CONFIG", "SET", setting, limit);
        }
    }

    @Test
    void silentNetwork_isNoticed_andConnectionsAreRebuilt() {
        try (SseReader reader = Pods.open(pod, room)) {
            Pods.sayNumbers(pod, room, 1, 5);
            reader.awaitMessages(5);

            network.blackHole();
            Pods.sayNumbers(otherPod, room, 6, 40);
            Pods.awaitStatus(pod, 503);
            network.cut();
            network.heal();

            assertGotExactly(reader, 40);
            assertThat(reader.connections()).isOne();
        }
    }

    @Test
    void silentSubscription_isNoticedByTheProbe_andRebuilt() {
        try (SseReader reader = Pods.open(pod, room)) {
            Pods.sayNumbers(pod, room, 1, 5);
            reader.awaitMessages(5);
            int connections = network.accepted();

            network.blackHole(TcpProxy.Direction.TO_CLIENT);
            Pods.sayNumbers(otherPod, room, 6, 40);
            Patience.await("connections tried anew")
                    .until(() -> network.accepted() >= connections + 2);
            network.heal();

            assertGotExactly(reader, 40);
            assertThat(reader.connections()).isOne();
        }
    }

    @Test
    void newReaders_whileRedisIsAway_areTakenWhereThePositionIsKnown_elseSentOffToComeBack() {
        try (SseReader reader = Pods.open(pod, room)) {
            Pods.sayNumbers(pod, room, 1, 30);
            List<Event> messages = reader.awaitMessages(30).messages();
            network.refuse();
            network.cut();
            Pods.awaitStatus(pod, 503);

            try (SseReader known = resume(messages.get(24).id());
                    SseReader atTail = Pods.open(pod, room);
                    SseReader older = resume(messages.get(2).id());
                    SseReader otherRoom =
                            SseReader.to(pod.uri("/events?room=" + room + "-new"))
                                    .reconnecting()
                                    .open()) {
                assertThat(known.awaitMessages(5).data()).isEqualTo(numbers(26, 30));
                for (SseReader each : List.of(older, otherRoom)) {
                    each.await("goodbyes", r -> r.events("goodbye").size() >= 2);
                    assertThat(each.events("goodbye").get(0).data())
                            .isEqualTo("{\"reason\":\"unavailable\"}");
                    assertThat(each.status()).isEqualTo(200);
                    assertThat(each.cleanEnds()).isPositive();
                }
                assertThat(known.connections()).isOne();

                network.heal();

                older.awaitMessages(27);
                otherRoom.await(
                        "place in the room", r -> r.connected() && !r.lastEventId().isEmpty());
                Pods.sayAtLast(pod, room, "31");
                Pods.sayAtLast(pod, room + "-new", "first");
                assertThat(older.awaitMessages(28).data()).isEqualTo(numbers(4, 31));
                assertThat(known.awaitMessages(6).data()).isEqualTo(numbers(26, 31));
                assertThat(atTail.awaitMessages(1).data()).containsExactly("31");
                assertThat(otherRoom.awaitMessages(1).data()).containsExactly("first");
                assertGotExactly(reader, 31);
            }
        } finally {
            network.heal();
        }
    }

    @Test
    void failoverToALaggingReplica_isANewEpochAndAGap() {
        try (RedisServer replica = RedisServer.start();
                SseReader reader = Pods.open(pod, room)) {
            Pods.sayNumbers(pod, room, 1, 10);
            reader.awaitMessages(10);
            copyInto(replica);
            Pods.sayNumbers(pod, room, 11, 20);
            reader.awaitMessages(20);

            network.leadTo(replica.port());
            network.cut();

            Event gap = reader.awaitEvent("gap");
            String next = Pods.sayAtLast(pod, room, "after");
            reader.awaitData("after");
            assertThat(reader.data())
                    .isEqualTo(concat(List.of(numbers(1, 20), numbers(1, 10), List.of("after"))));
            assertThat(gap.data()).contains(epoch(next) + "-1\"", epoch(next) + "-10\"");
            assertThat(next).endsWith("-11");
            assertThat(epoch(next)).isNotEqualTo(epoch(reader.messages().get(0).id()));
            assertOffsetsGrowWithinTheirEpochs(reader);
            assertThat(reader.connections()).isOne();
        } finally {
            network.leadTo(redis.port());
            network.cut();
        }
    }

    @Test
    void failoverToALaggingReplica_thatOthersPublishedToAlready_isANewEpochAndAGap() {
        try (RedisServer replica = RedisServer.start();
                SseReader reader = Pods.open(pod, room)) {
            Pods.sayNumbers(pod, room, 1, 10);
            reader.awaitMessages(10);
            copyInto(replica);
            Pods.sayNumbers(pod, room, 11, 20);
            reader.awaitMessages(20);

            try (ParleyProcess ahead = Pods.quick(replica.uri())) {
                for (int i = 1; i <= BURST; i++) {
                    Pods.sayAtLast(ahead, room, "other" + i);
                }
            }
            network.leadTo(replica.port());
            network.cut();

            reader.awaitEvent("gap");
            Pods.sayAtLast(pod, room, "after");
            reader.awaitData("after");
            assertThat(reader.data())
                    .isEqualTo(
                            concat(
                                    List.of(
                                            numbers(1, 20),
                                            numbers(1, 10),
                                            others(),
                                            List.of("after"))));
            assertOffsetsGrowWithinTheirEpochs(reader);
            assertThat(reader.events("gap")).hasSize(1);
        } finally {
            network.leadTo(redis.port());
            network.cut();
        }
    }

    private void assertGotExactly(SseReader reader, int count) {
        reader.awaitMessages(count);
        assertThat(reader.data()).isEqualTo(numbers(1, count));
        assertThat(reader.events()).hasSize(count);
    }

    private static void assertOffsetsGrowWithinTheirEpochs(SseReader reader) {
        List<Event> messages = reader.messages();
        for (int i = 1; i < messages.size(); i++) {
            String former = messages.get(i - 1).id();
            String latter = messages.get(i).id();
            if (epoch(former).equals(epoch(latter))) {
                assertThat(offset(latter)).isEqualTo(offset(former) + 1);
            }
        }
        assertThat(messages.stream().map(Event::id)).doesNotHaveDuplicates();
    }

    private SseReader resume(String id) {
        return Pods.browser(pod, room).lastEventId(id).open();
    }

    /** Makes a server a copy of Redis as it is now. */
    private static void copyInto(RedisServer copy) {
        copy.command("REPLICAOF", "127.0.0.1", Integer.toString(redis.port()));
        Patience.await("replica")
                .until(
                        () ->
                                copy.command("INFO", "replication")
                                        .text()
                                        .contains("master_link_status:up"));
        copy.command("REPLICAOF", "NO", "ONE");
    }

    /** Long texts, in few words. */
    private static List<String> outline(List<String> texts) {
        return texts.stream().map(t -> t.replaceAll("x+", "x*") + t.length()).toList();
    }

    /** Clients that Redis says it has cut. */
    private static long cutForTheirBuffers() {
        return redis.log()
                .lines()
                .filter(line -> line.contains("overcoming of output buffer"))
                .count();
    }

    private static List<String> others() {
        return IntStream.rangeClosed(1, BURST).mapToObj(i -> "other" + i).toList();
    }

    private static List<String> numbers(int first, int last) {
        return IntStream.rangeClosed(first, last).mapToObj(Integer::toString).toList();
    }

    private static List<String> concat(List<List<String>> lists) {
        return lists.stream().flatMap(List::stream).toList();
    }

    private static String epoch(String id) {
        return id.substring(0, id.indexOf('-'));
    }

    private static long offset(String id) {
        return Long.parseLong(id.substring(id.indexOf('-') + 1));
    }
}
