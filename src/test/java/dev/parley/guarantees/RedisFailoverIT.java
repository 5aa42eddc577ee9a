package dev.parley.guarantees;

import static dev.parley.guarantees.Received.assertIdsGoForwards;
import static dev.parley.guarantees.Received.epoch;
import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.TcpProxy;
import dev.parley.testsupport.Timeouts;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A replica that lagged becomes the new Redis: what it lacks is a gap, in a new epoch, and nothing
 * goes backwards.
 */
@ExtendWith(FaultyRedis.Extension.class)
class RedisFailoverIT {

    private final FaultyRedis scene;
    private final RedisServer redis;
    private final TcpProxy network;
    private final ParleyProcess pod;
    private final String room;

    RedisFailoverIT(FaultyRedis scene) {
        this.scene = scene;
        redis = scene.redis();
        network = scene.network();
        pod = scene.pod();
        room = scene.newRoom();
    }

    @BeforeEach
    void awaitHealth() {
        scene.awaitHealth();
    }

    @AfterEach
    void leadBack() {
        network.leadTo(redis.port());
        network.cut();
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
                    .isEqualTo(concat(numbers(1, 20), numbers(1, 10), List.of("after")));
            assertThat(gap.data()).contains(epoch(next) + "-1\"", epoch(next) + "-10\"");
            assertThat(next).endsWith("-11");
            assertThat(epoch(next)).isNotEqualTo(epoch(reader.messages().get(0).id()));
            assertIdsGoForwards(reader);
            assertThat(reader.connections()).isOne();
        }
    }

    @Test
    void failoverToALaggingReplica_thatOthersPublishedToAlready_isANewEpochAndAGap() {
        List<String> others = IntStream.rangeClosed(1, 40).mapToObj(i -> "other" + i).toList();
        try (RedisServer replica = RedisServer.start();
                SseReader reader = Pods.open(pod, room)) {
            Pods.sayNumbers(pod, room, 1, 10);
            reader.awaitMessages(10);
            copyInto(replica);
            Pods.sayNumbers(pod, room, 11, 20);
            reader.awaitMessages(20);

            try (ParleyProcess ahead = Pods.quick(replica.uri())) {
                others.forEach(text -> Pods.sayAtLast(ahead, room, text));
            }
            network.leadTo(replica.port());
            network.cut();

            reader.awaitEvent("gap");
            Pods.sayAtLast(pod, room, "after");
            reader.awaitData("after");
            assertThat(reader.data())
                    .isEqualTo(concat(numbers(1, 20), numbers(1, 10), others, List.of("after")));
            assertIdsGoForwards(reader);
            assertThat(reader.events("gap")).hasSize(1);
        }
    }

    /** Makes a server a copy of Redis as it is now. */
    private void copyInto(RedisServer copy) {
        copy.command("REPLICAOF", "127.0.0.1", Integer.toString(redis.port()));
        Timeouts.await("replica")
                .until(
                        () ->
                                copy.command("INFO", "replication")
                                        .text()
                                        .contains("master_link_status:up"));
        copy.command("REPLICAOF", "NO", "ONE");
    }

    @SafeVarargs
    private static List<String> concat(List<String>... lists) {
        return Stream.of(lists).flatMap(List::stream).toList();
    }
}
