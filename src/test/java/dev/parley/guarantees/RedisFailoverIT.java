package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.concat;
import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A replica that lags behind becomes the new Redis master. Readers receive {@code gap} and the
 * replica's messages in a new epoch; no id is reused.
 */
class RedisFailoverIT extends RedisFaultBase {

    RedisFailoverIT(Servers servers) {
        super(servers);
    }

    @AfterEach
    void retargetToTheMaster() {
        network.retarget(redis.port());
        network.cut();
    }

    @Test
    void failoverToALaggingReplica_isAGap_inANewEpoch() {
        try (SseReader reader = Pods.open(pod, room);
                RedisServer replica = replicaWithTheFirstTenOfTwenty(reader)) {

            network.retarget(replica.port());
            network.cut();

            Event gap = reader.awaitEvent("gap");
            String next = Pods.publishUntilConfirmed(pod, room, "after");
            reader.awaitData("after");
            assertThat(reader.data())
                    .isEqualTo(concat(numbers(1, 20), numbers(1, 10), List.of("after")));
            assertThat(gap.data()).contains("-1\"", "-10\"");
            assertThat(next).endsWith("-11");
            assertThat(epoch(next)).isNotEqualTo(epoch(reader.messages().get(0).id()));
            assertIdsAscend(reader);
            assertThat(reader.connections()).isOne();
        }
    }

    @Test
    void failoverToALaggingReplica_thatHasMessagesOfOtherPods_isAGap_inANewEpoch() {
        List<String> others = IntStream.rangeClosed(1, 40).mapToObj(i -> "other" + i).toList();
        try (SseReader reader = Pods.open(pod, room);
                RedisServer replica = replicaWithTheFirstTenOfTwenty(reader)) {

            try (ParleyProcess ahead = Pods.quickToDetectFaults(replica.uri())) {
                others.forEach(text -> Pods.publishUntilConfirmed(ahead, room, text));
            }
            network.retarget(replica.port());
            network.cut();

            reader.awaitEvent("gap");
            Pods.publishUntilConfirmed(pod, room, "after");
            reader.awaitData("after");
            assertThat(reader.data())
                    .isEqualTo(concat(numbers(1, 20), numbers(1, 10), others, List.of("after")));
            assertIdsAscend(reader);
            assertThat(reader.events("gap")).hasSize(1);
        }
    }

    /** Publishes 1 … 20, and returns a former replica that stopped replicating after 10. */
    private RedisServer replicaWithTheFirstTenOfTwenty(SseReader reader) {
        Pods.publishNumbers(pod, room, 1, 10);
        reader.awaitMessages(10);
        RedisServer replica = RedisServer.builder().replicaOf(redis).start();
        replica.promote();
        Pods.publishNumbers(pod, room, 11, 20);
        reader.awaitMessages(20);
        return replica;
    }
}
