package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Redis lost acknowledged messages, and every pod that had received them has ended. More messages
 * than were lost follow, so that every offset is given again. A reader that received the lost
 * messages gets a gap, another one misses nothing, and no id has two messages.
 */
class RedisWentBackIT {

    private static final String ROOM = "room";

    private final List<Event> before = new ArrayList<>();

    @Test
    void restartFromASnapshot_isAGap_forReadersOfTheLostMessages() {
        try (RedisServer redis = RedisServer.start()) {
            publish(redis, 1, 5);
            RedisServer.Snapshot snapshot = redis.snapshot();
            publish(redis, 6, 8);
            redis.kill();

            redis.restartFrom(snapshot);

            publish(redis, 101, 105);
            assertGapForLostMessages(redis, numbers(101, 105));
        }
    }

    @Test
    void promotionOfAReplicaThatLagged_isAGap_forReadersOfTheLostMessages() {
        try (RedisServer redis = RedisServer.start()) {
            publish(redis, 1, 5);
            try (RedisServer replica = RedisServer.builder().replicaOf(redis).start()) {
                replica.promote();
                publish(redis, 6, 8);

                publish(replica, 101, 105);

                assertGapForLostMessages(replica, numbers(101, 105));
            }
        }
    }

    @Test
    void formerPrimary_thatBecomesPrimaryAgain_withoutItsLastMessages_isAGap() {
        try (RedisServer redis = RedisServer.start()) {
            publish(redis, 1, 5);
            try (RedisServer replica = RedisServer.builder().replicaOf(redis).start()) {
                replica.promote();
                publish(redis, 6, 8);
                redis.follow(replica);
                redis.promote();
            }

            publish(redis, 101, 105);

            assertGapForLostMessages(redis, numbers(101, 105));
        }
    }

    @Test
    void flushall_isAGap() {
        try (RedisServer redis = RedisServer.start()) {
            publish(redis, 1, 8);

            redis.command("FLUSHALL");

            publish(redis, 101, 110);
            try (ParleyProcess pod = readyPod(redis);
                    SseReader reader = resume(pod, before.get(7))) {
                reader.awaitData("110");
                assertThat(reader.events("resumed")).isEmpty();
                assertThat(reader.events("gap")).hasSize(1);
                assertThat(reader.data()).isEqualTo(numbers(101, 110));
                assertNoIdHasTwoMessages(reader);
            }
        }
    }

    @Test
    void restartWithoutALoss_isNotAGap() {
        try (RedisServer redis = RedisServer.startWithPersistence()) {
            publish(redis, 1, 8);
            redis.kill();
            redis.restart();

            publish(redis, 101, 105);

            try (ParleyProcess pod = readyPod(redis);
                    SseReader reader = resume(pod, before.get(5))) {
                reader.awaitData("105");
                assertThat(reader.events("gap")).isEmpty();
                assertThat(reader.data())
                        .containsExactly("7", "8", "101", "102", "103", "104", "105");
                assertNoIdHasTwoMessages(reader);
            }
        }
    }

    private void assertGapForLostMessages(RedisServer redis, List<String> since) {
        List<String> retained = new ArrayList<>(numbers(1, 5));
        retained.addAll(since);
        try (ParleyProcess pod = readyPod(redis)) {
            for (Event lost : before.subList(5, 8)) {
                try (SseReader reader = resume(pod, lost)) {
                    reader.awaitData(since.get(since.size() - 1));
                    assertThat(reader.events("resumed")).isEmpty();
                    assertThat(reader.events("gap")).hasSize(1);
                    assertThat(reader.data()).isEqualTo(retained);
                    assertNoIdHasTwoMessages(reader);
                }
            }
            try (SseReader reader = resume(pod, before.get(2))) {
                reader.awaitData(since.get(since.size() - 1));
                assertThat(reader.events("gap")).isEmpty();
                assertThat(reader.events("resumed")).hasSize(1);
                assertThat(reader.data()).isEqualTo(retained.subList(3, retained.size()));
            }
        }
    }

    /** Publishes through a pod that ends afterwards, and keeps what a reader received from it. */
    private void publish(RedisServer redis, int first, int last) {
        try (ParleyProcess pod = readyPod(redis);
                SseReader reader = SseReader.open(pod.uri("/events?room=" + ROOM))) {
            reader.awaitLastEventId();
            Pods.publishNumbers(pod, ROOM, first, last);
            reader.awaitMessages(last - first + 1);
            before.addAll(reader.messages());
        }
    }

    private static ParleyProcess readyPod(RedisServer redis) {
        return ParleyProcess.start(redis).awaitReady();
    }

    private static SseReader resume(ParleyProcess pod, Event last) {
        return SseReader.to(pod.uri("/events?room=" + ROOM)).lastEventId(last.id()).open();
    }

    private void assertNoIdHasTwoMessages(SseReader reader) {
        Map<String, String> texts = new HashMap<>();
        List<Event> all = new ArrayList<>(before);
        all.addAll(reader.messages());
        for (Event one : all) {
            assertThat(texts.merge(one.id(), one.data(), (first, other) -> first))
                    .as("text of %s", one.id())
                    .isEqualTo(one.data());
        }
    }
}
