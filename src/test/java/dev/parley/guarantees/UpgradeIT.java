package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.guarantees.MemoryAndRedisPods.Kind;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TestRoom;
import dev.parley.testsupport.Version01;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Pods of this version and of version 0.1 on one Redis, as during a rolling upgrade. */
@ExtendWith(MemoryAndRedisPods.Extension.class)
class UpgradeIT {

    private final RedisServer redis;
    private final TestRoom room;

    UpgradeIT(MemoryAndRedisPods pods) {
        redis = pods.redis();
        room = pods.newRoom(Kind.REDIS);
    }

    @Test
    void readerOfARoomWithoutMessages_hasNoGap_whenAPodOf01ReadsItAndPublishes() {
        try (SseReader reader = room.subscribe().awaitLastEventId()) {
            String before = reader.lastEventId();

            redis.command(Version01.read(room.name()));
            redis.command(Version01.publish(room.name(), "first"));
            reader.awaitData("first");
            room.publish("second");
            reader.awaitData("second");

            assertThat(reader.data()).containsExactly("first", "second");
            assertThat(reader.events("gap")).isEmpty();
            assertThat(reader.connections()).isOne();
            try (SseReader back = room.resume(before)) {
                back.awaitData("second");
                assertThat(back.data()).containsExactly("first", "second");
                assertThat(back.events("gap")).isEmpty();
            }
        }
    }
}
