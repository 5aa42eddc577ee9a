package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.guarantees.MemoryAndRedisPods.Kind;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TestRoom;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Another program adds an entry to a room's Redis stream, under an id that Redis chooses and that
 * is far ahead of Parley's. Redis accepts no lower id after it, and newer servers do not let the
 * last id be set back. Publishing goes on, and readers notice nothing.
 */
@ExtendWith(MemoryAndRedisPods.Extension.class)
class RedisForeignEntryIT {

    /** What the other program does with its entry after it has added it. */
    enum Then {
        NOTHING,
        /** Redis remembers the highest deleted id as well as the last one. */
        DELETE
    }

    private final RedisServer redis;
    private final TestRoom room;
    private final TestRoom atTheOtherPod;
    private final String log;

    RedisForeignEntryIT(MemoryAndRedisPods pods) {
        redis = pods.redis();
        room = pods.newRoom(Kind.REDIS);
        atTheOtherPod = room.at(pods.second());
        log = "parley:{" + room.name() + "}:log";
    }

    @ParameterizedTest
    @EnumSource
    void publishesSucceed_andReadersGetEachMessageOnce(Then then) {
        try (SseReader connected = room.subscribe();
                SseReader elsewhere = atTheOtherPod.subscribe()) {
            List<String> before = room.publishNumbers(1, 5);

            addForeignEntry(then);

            List<String> after = room.publishNumbers(6, 8);
            List<String> others = atTheOtherPod.publishNumbers(9, 10);
            assertThat(Stream.of(before, after, others).flatMap(List::stream))
                    .containsExactlyElementsOf(idsFrom(before.get(0), 10));
            RedisFaultBase.assertOnlyNumbers(connected, 10);
            RedisFaultBase.assertOnlyNumbers(elsewhere, 10);
            assertResumes(before.get(2));
            assertThat(room.history("").body()).contains("\"text\":\"1\"", "\"text\":\"10\"");
            assertThat(redis.command("XLEN", log).number()).isEqualTo(10);
        }
    }

    @Test
    void entriesBetweenAllMessages() {
        try (SseReader connected = room.subscribe()) {
            for (int i = 1; i <= 20; i++) {
                addForeignEntry(Then.NOTHING);
                room.publish(Integer.toString(i));
            }

            RedisFaultBase.assertOnlyNumbers(connected, 20);
        }
    }

    private void addForeignEntry(Then then) {
        String id = redis.command("XADD", log, "*", "f", "v").text();
        switch (then) {
            case NOTHING -> {}
            case DELETE -> redis.command("XDEL", log, id);
        }
    }

    /** Asserts that a reader that comes back with the id of message 3 misses nothing. */
    private void assertResumes(String third) {
        for (TestRoom here : List.of(room, atTheOtherPod)) {
            try (SseReader reader = here.resume(third)) {
                reader.awaitData("10");
                assertThat(reader.data()).isEqualTo(numbers(4, 10));
                assertThat(reader.events("gap")).isEmpty();
                assertThat(reader.events("resumed")).hasSize(1);
            }
        }
    }

    /** The ids of the offsets 1 to last in the epoch of the first id. */
    private static List<String> idsFrom(String first, int last) {
        String epoch = RedisFaultBase.epoch(first);
        return IntStream.rangeClosed(1, last).mapToObj(i -> epoch + "-" + i).toList();
    }
}
