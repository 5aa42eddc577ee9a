package dev.parley.broker.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.broker.BlockingBroker;
import dev.parley.broker.BrokerState;
import dev.parley.broker.BrokerUnavailable;
import dev.parley.broker.HistorySettings;
import dev.parley.redis.RedisSettings;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SettableClock;
import dev.parley.testsupport.Timeouts;
import io.vertx.redis.client.RedisOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Redis delivers messages but refuses writes. Publishing fails with the reason of Redis, which also
 * a pod that does not publish reports; the broker stays up.
 */
class RedisRefusesWritesIT {

    @AutoClose private final RedisServer redis = RedisServer.start();
    @AutoClose private final RedisBrokers brokers = new RedisBrokers();

    private final RedisBroker broker =
            brokers.create(
                    new RedisOptions().setConnectionString(redis.uri()),
                    RedisSettings.QUICK,
                    HistorySettings.DEFAULT.ofAllRooms());
    private final BlockingBroker room = BlockingBroker.open(broker, SettableClock.stoppedNow());

    @ParameterizedTest
    @CsvSource({"maxmemory, 1, OOM", "min-replicas-to-write, 1, NOREPLICAS"})
    void fullMemoryOrTooFewReplicas_refuseWrites(String setting, String value, String error) {
        redis.command("CONFIG", "SET", setting, value);
        assertRefused(error);

        redis.command("CONFIG", "SET", setting, "0");
        assertAccepted();
    }

    @Test
    void repeat_isAnswered_thoughWritesAreRefused_andDoesNotCountAsOne() {
        room.publish("once", "key");
        redis.command("CONFIG", "SET", "maxmemory", "1");
        Timeouts.await("OOM").until(() -> publishingProblem().orElse("").contains("OOM"));

        assertThat(room.publish("once", "key").duplicate()).isTrue();

        assertThat(publishingProblem()).hasValueSatisfying(one -> assertThat(one).contains("OOM"));
    }

    @Test
    void snapshotsThatFail_refuseWrites() throws IOException {
        Path data = Path.of(redis.command("CONFIG", "GET", "dir").items().get(1).text());
        redis.command("CONFIG", "SET", "save", "3600 1");
        Files.delete(data);
        awaitSnapshot("err");

        assertRefused("MISCONF");

        Files.createDirectory(data);
        redis.command("CONFIG", "SET", "stop-writes-on-bgsave-error", "no");
        assertAccepted();
    }

    private void awaitSnapshot(String result) {
        redis.command("BGSAVE");
        Timeouts.await("snapshot: " + result)
                .until(
                        () ->
                                redis.command("INFO", "persistence")
                                        .text()
                                        .contains("rdb_last_bgsave_status:" + result));
    }

    private void assertRefused(String word) {
        // The probe has detected it, since nothing was published yet.
        Timeouts.await(word).until(() -> publishingProblem().orElse("").contains(word));
        assertThatThrownBy(() -> room.publishText("refused"))
                .isInstanceOf(BrokerUnavailable.class)
                .hasMessageStartingWith("Redis refused: " + word);
        assertThat(
                        brokers.meters()
                                .counter(
                                        "parley.redis.refusals",
                                        "reason",
                                        word.toLowerCase(Locale.ROOT))
                                .count())
                .isPositive();

        redis.command("PUBLISH", "chat", "still delivered");
        room.receivedInLobby().awaitPlainText("still delivered");
        assertThat(broker.state().isUp()).isTrue();
    }

    private void assertAccepted() {
        Timeouts.await("no problem").until(() -> publishingProblem().isEmpty());
        room.publishText("accepted");
        room.received().await(1);
    }

    /** What the health data say about publishing. */
    private Optional<String> publishingProblem() {
        return broker.state() instanceof BrokerState.Up up
                ? up.publishingProblem()
                : Optional.empty();
    }
}
