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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A Redis that delivers but takes no writes: publishing fails and says why, also to a pod that does
 * not publish; the pod stays up.
 */
class RedisRefusesWritesIT {

    @AutoClose private RedisServer redis;

    private final RedisBrokers brokers = new RedisBrokers();
    private RedisBroker broker;
    private BlockingBroker room;

    @BeforeEach
    void open() {
        redis = RedisServer.start();
        broker =
                brokers.create(
                        new RedisOptions().setConnectionString(redis.uri()),
                        RedisSettings.QUICK,
                        HistorySettings.DEFAULT);
        room = BlockingBroker.open(broker, SettableClock.stoppedNow());
    }

    @AfterEach
    void closeBrokers() {
        brokers.close();
    }

    @Test
    void fullMemory() {
        redis.command("CONFIG", "SET", "maxmemory", "1");

        assertRefused("OOM");

        redis.command("CONFIG", "SET", "maxmemory", "0");
        assertAccepted();
    }

    @Test
    void tooFewReplicas() {
        redis.command("CONFIG", "SET", "min-replicas-to-write", "1");

        assertRefused("NOREPLICAS");

        redis.command("CONFIG", "SET", "min-replicas-to-write", "0");
        assertAccepted();
    }

    @Test
    void snapshotsThatFail() throws IOException {
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
        // The probe notices it: nothing was published yet.
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
        return broker.state() instanceof BrokerState.Up up ? up.publishing() : Optional.empty();
    }
}
