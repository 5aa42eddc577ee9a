package dev.parley.broker.redis;

import static dev.parley.broker.BlockingBroker.offsets;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.BlockingBroker;
import dev.parley.broker.HistorySettings;
import dev.parley.broker.Range;
import dev.parley.message.EventId;
import dev.parley.redis.RedisSettings;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SettableClock;
import io.vertx.redis.client.RedisOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What other programs write on Parley's channels and into its logs. */
class RedisForeignWritesIT {

    private static final String HEAD = "parley:{room}:head";
    private static final String LOG = "parley:{room}:log";

    @AutoClose private static RedisServer redis;

    private final Brokers brokers = new Brokers();

    @BeforeAll
    static void startRedis() {
        redis = RedisServer.start();
    }

    @BeforeEach
    void forgetAll() {
        redis.command("FLUSHALL");
    }

    @AfterEach
    void closeBrokers() {
        brokers.close();
    }

    @Test
    void plainText_isHeardLive() {
        BlockingBroker broker = brokers.open(redis.uri());

        redis.command("PUBLISH", "chat", "hello, é");

        broker.heardInLobby().awaitPlainText("hello, é");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "room",
                "room e-1 1 {",
                "room e-1 x {\"text\":\"a\"}",
                "room e-1 1 {}",
                "room e-1 1 null",
                "room e-1 1 {\"text\":\"a\",\"event\":\"gap\"}",
                "room - 1 {\"text\":\"a\"}",
                "room e-99999999999999999999 1 {\"text\":\"a\"}",
                "{} e-1 1 {\"text\":\"a\"}"
            })
    void nonsenseOnTheLiveChannel_isPassedOver(String nonsense) {
        BlockingBroker broker = brokers.open(redis.uri());

        redis.command("PUBLISH", "parley:live", nonsense);
        broker.say("sense");

        assertThat(broker.heard().await(1))
                .extracting(m -> m.message().text())
                .containsExactly("sense");
    }

    @Test
    void entries_arePassedOver() {
        BlockingBroker broker = brokers.open(redis.uri());
        broker.sayNumbers(2);
        count("3-0", "at", "1", "body", "no JSON");
        count("4-0", "at", "x", "body", "{\"text\":\"a\"}");
        count("5-0", "body", "{\"text\":\"a\"}");
        count("6-0", "at", "1");
        count("7-0", "at", "1", "body", "{}");
        count("8-0", "at", "1", "body", "{\"text\":\"a\",\"event\":\"gap\"}");
        broker.say("9");
        write("9-1", "at", "1", "body", "{\"text\":\"a\"}");
        broker.say("10");
        write("99-0", "at", "1", "body", "{\"text\":\"a\"}");

        assertThat(offsets(broker.readAfter(0, 100))).containsExactly(1L, 2L, 9L, 10L);
        assertThat(offsets(broker.readAfter(2, 3))).containsExactly(9L, 10L);
        assertThat(offsets(broker.readAfter(1, 1))).containsExactly(2L);
        assertThat(offsets(broker.readAfter(2, 1))).containsExactly(9L);
        assertThat(offsets(broker.read(new Range.Before(9, 5)))).containsExactly(1L, 2L);
        assertThat(offsets(broker.read(Range.newest(2)))).containsExactly(9L, 10L);
        assertThat(offsets(broker.read(new Range.Before(9, 1)))).containsExactly(2L);
        assertThat(offsets(broker.read(new Range.Before(10, 2)))).containsExactly(2L, 9L);
        assertThat(broker.readAfter(0, 1).newest()).isEqualTo(10);
    }

    @Test
    void moreEntriesThanAPageHolds_arePassedOver() {
        BlockingBroker broker = brokers.open(redis.uri());
        broker.sayNumbers(2);
        for (int i = 3; i <= 302; i++) {
            count(i + "-0", "at", "1", "body", "x".repeat(2_000));
        }
        broker.say("303");

        assertThat(offsets(broker.readAfter(2, 10))).containsExactly(303L);
        assertThat(offsets(broker.readAfter(1, 10))).containsExactly(2L, 303L);
        assertThat(offsets(broker.read(new Range.Before(303, 1)))).containsExactly(2L);
        assertThat(offsets(broker.readAfter(303, 10))).isEmpty();
    }

    @Test
    void entryWithoutATime_doesNotKeepOldMessagesFromBeingDropped() {
        var options = new RedisOptions().setConnectionString(redis.uri());
        var oneHour = HistorySettings.DEFAULT.withAge(Duration.ofHours(1));
        BlockingBroker broker =
                BlockingBroker.open(
                        brokers.create(options, RedisSettings.QUICK, oneHour),
                        SettableClock.stoppedNow());
        count("1-0", "at", "1", "body", "{\"text\":\"a\"}");
        count("2-0", "something", "else");
        count("3-0", "at", "1", "body", "{\"text\":\"a\"}");

        broker.sayNumbers(2);

        assertThat(offsets(broker.readAfter(0, 100))).containsExactly(4L, 5L);
        assertThat(redis.command("XLEN", LOG).number()).isEqualTo(2);
    }

    @Test
    void entriesThatStandInTheWay_areRemoved_andOursStay() {
        BlockingBroker broker = brokers.open(redis.uri());
        broker.sayNumbers(3);
        EventId last = broker.say("4");
        write("4-7", "stands", "between");
        write("*", "stands", "ahead");

        EventId next = broker.say("5");
        write("*", "stands", "ahead again");
        broker.say("6");

        assertThat(next).isEqualTo(new EventId(last.epoch(), 5));
        assertThat(offsets(broker.readAfter(0, 100))).containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
        assertThat(redis.command("XLEN", LOG).number()).isEqualTo(6);
        assertThat(broker.readAfter(0, 100).continues(last)).isTrue();
    }

    /** Counts a message as Parley does, and writes something else than it would. */
    private static void count(String id, String... fields) {
        if (redis.command("HINCRBY", HEAD, "offset", "1").number() == 1) {
            redis.command("HSET", HEAD, "epoch", "e");
        }
        write(id, fields);
    }

    private static void write(String id, String... fields) {
        List<String> command = new ArrayList<>(List.of("XADD", LOG, id));
        command.addAll(List.of(fields));
        redis.command(command.toArray(String[]::new));
    }
}
