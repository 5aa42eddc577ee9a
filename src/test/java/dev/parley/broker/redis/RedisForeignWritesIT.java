package dev.parley.broker.redis;

import static dev.parley.broker.BlockingBroker.offsets;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.BlockingBroker;
import dev.parley.broker.HistorySettings;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.message.EventId;
import dev.parley.redis.RedisSettings;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SettableClock;
import io.vertx.redis.client.RedisOptions;
import jakarta.ws.rs.HEAD;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Other programs publish on Parley's channels and write into its streams. */
class RedisForeignWritesIT {

    private static final String HEAD = "parley:{room}:head";
    private static final String LOG = "parley:{room}:log";

    @AutoClose private static RedisServer redis;

    @AutoClose private final RedisBrokers brokers = new RedisBrokers();

    @BeforeAll
    static void startRedis() {
        redis = RedisServer.start();
    }

    @BeforeEach
    void removeAllKeys() {
        redis.command("FLUSHALL");
    }

    @Test
    void plainText_isDeliveredInTheLobby() {
        BlockingBroker broker = brokers.open(redis.uri());

        redis.command("PUBLISH", "chat", "hello, é");

        broker.receivedInLobby().awaitPlainText("hello, é");
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
                "room 0-1 1 {\"text\":\"a\"}",
                "room e-99999999999999999999 1 {\"text\":\"a\"}",
                "{} e-1 1 {\"text\":\"a\"}"
            })
    void invalidAnnouncement_isIgnored(String announcement) {
        BlockingBroker broker = brokers.open(redis.uri());

        redis.command("PUBLISH", "parley:live", announcement);
        broker.publishText("valid");

        assertThat(broker.received().await(1))
                .extracting(m -> m.message().text())
                .containsExactly("valid");
    }

    @Test
    void announcementThatIsTooLong_isNotDelivered_andItsRoomIsCompared() {
        BlockingBroker broker = brokers.open(redis.uri());
        int before = broker.received().interruptions();

        redis.command(
                "PUBLISH", "parley:live", "room e-1 1 {\"text\":\"" + "x".repeat(400_000) + "\"}");

        broker.received().awaitInterruptions(before + 1);
        broker.publishText("valid");
        assertThat(broker.received().await(1))
                .extracting(m -> m.message().text())
                .containsExactly("valid");
    }

    @Test
    void anyAnnouncement_isDelivered_ifTextsMayBeAsLongAsCanBeSet() {
        BlockingBroker broker = brokers.open(redis.uri(), Long.MAX_VALUE);
        int before = broker.received().interruptions();

        broker.publishText("short");

        assertThat(broker.received().await(1))
                .extracting(m -> m.message().text())
                .containsExactly("short");
        assertThat(broker.received().interruptions()).isEqualTo(before);
    }

    /** Each character takes six bytes in JSON. */
    @Test
    void longestText_isDelivered() {
        BlockingBroker broker = brokers.open(redis.uri());
        String text = "\u0001".repeat(65_536);

        broker.publishText(text);

        assertThat(broker.received().await(1))
                .extracting(m -> m.message().text())
                .containsExactly(text);
    }

    @Test
    void foreignEntries_areSkipped() {
        BlockingBroker broker = brokers.open(redis.uri());
        broker.publishNumbers(2);
        countAndWrite("3-0", "at", "1", "body", "no JSON");
        countAndWrite("4-0", "at", "x", "body", "{\"text\":\"a\"}");
        countAndWrite("5-0", "body", "{\"text\":\"a\"}");
        countAndWrite("6-0", "at", "1");
        countAndWrite("7-0", "at", "1", "body", "{}");
        countAndWrite("8-0", "at", "1", "body", "{\"text\":\"a\",\"event\":\"gap\"}");
        broker.publishText("9");
        write("9-1", "at", "1", "body", "{\"text\":\"a\"}");
        broker.publishText("10");
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
    void moreForeignEntriesThanAPageHolds_areSkipped() {
        BlockingBroker broker = brokers.open(redis.uri());
        broker.publishNumbers(2);
        for (int i = 3; i <= 302; i++) {
            countAndWrite(i + "-0", "at", "1", "body", "x".repeat(2_000));
        }
        broker.publishText("303");

        assertThat(offsets(broker.readAfter(2, 10))).containsExactly(303L);
        assertThat(offsets(broker.readAfter(1, 10))).containsExactly(2L, 303L);
        assertThat(offsets(broker.read(new Range.Before(303, 1)))).containsExactly(2L);
        assertThat(offsets(broker.readAfter(303, 10))).isEmpty();
    }

    @Test
    void pageThatIsReadOnBeyondForeignEntries_hasTheFormerEpochsToo() {
        BlockingBroker broker = brokers.open(redis.uri());
        broker.publishNumbers(2);
        redis.command("HSET", HEAD, "past", "former:1");
        countAndWrite("3-0", "something", "else");
        broker.publishText("4");

        Page page = broker.readAfter(2, 10);

        assertThat(offsets(page)).containsExactly(4L);
        assertThat(page.continues(new EventId("former", 1))).isTrue();
    }

    @Test
    void foreignEntryWithoutATime_doesNotKeepOldMessagesFromBeingDropped() {
        var options = new RedisOptions().setConnectionString(redis.uri());
        var oneHour = HistorySettings.DEFAULT.withAge(Duration.ofHours(1));
        BlockingBroker broker =
                BlockingBroker.open(
                        brokers.create(options, RedisSettings.QUICK, oneHour.ofAllRooms()),
                        SettableClock.stoppedNow());
        countAndWrite("1-0", "at", "1", "body", "{\"text\":\"a\"}");
        countAndWrite("2-0", "something", "else");
        countAndWrite("3-0", "at", "1", "body", "{\"text\":\"a\"}");

        broker.publishNumbers(2);

        assertThat(offsets(broker.readAfter(0, 100))).containsExactly(4L, 5L);
        assertThat(redis.command("XLEN", LOG).number()).isEqualTo(2);
    }

    /** The oldest entry is noted in the head, from where the next publish reads it. */
    @ParameterizedTest
    @ValueSource(strings = {"9999999999999", "1e400", "nan", "0x7fffffffffffffffff"})
    void foreignEntryWithAnyNumberForATime_doesNotKeepMessagesFromBeingPublished(String at) {
        BlockingBroker broker = brokers.open(redis.uri());
        countAndWrite("1-0", "at", at, "a", "b", "before", "no number");

        broker.publishNumbers(3);

        assertThat(offsets(broker.readAfter(1, 100))).containsExactly(2L, 3L, 4L);
    }

    @Test
    void entriesAtTheNextOffsets_areRemoved_andOursStay() {
        BlockingBroker broker = brokers.open(redis.uri());
        broker.publishNumbers(3);
        EventId last = broker.publishText("4");
        write("4-7", "foreign", "between");
        write("*", "foreign", "ahead");

        EventId next = broker.publishText("5");
        write("*", "foreign", "ahead again");
        broker.publishText("6");

        assertThat(next).isEqualTo(new EventId(last.epoch(), 5));
        assertThat(offsets(broker.readAfter(0, 100))).containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
        assertThat(redis.command("XLEN", LOG).number()).isEqualTo(6);
        assertThat(broker.readAfter(0, 100).continues(last)).isTrue();
    }

    @Test
    void logThatIsWrittenAnew_hasALifetime() {
        BlockingBroker broker = brokers.open(redis.uri());
        broker.publishNumbers(3);
        write("7-0", "foreign", "ahead");
        redis.command("XDEL", LOG, "7-0");

        broker.publishText("4");

        assertThat(offsets(broker.readAfter(0, 100))).containsExactly(1L, 2L, 3L, 4L);
        assertThat(redis.command("PTTL", LOG).number()).isPositive();
    }

    /** The first messages are two hours old, in a room that keeps an hour. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 37, 99, 100})
    void oldMessages_areNotRead_howeverManyThereAre_andForeignEntriesChangeNothing(int tooOld) {
        BlockingBroker broker =
                BlockingBroker.open(
                        brokers.create(
                                new RedisOptions().setConnectionString(redis.uri()),
                                RedisSettings.QUICK,
                                HistorySettings.DEFAULT.withAge(Duration.ofHours(1)).ofAllRooms()),
                        SettableClock.stoppedNow());
        long now = broker.readAfter(0, 1).readAt().toEpochMilli();
        for (int i = 1; i <= 100; i++) {
            long at = i <= tooOld ? now - Duration.ofHours(2).toMillis() : now;
            countAndWrite(i + "-0", "at", Long.toString(at), "body", "{\"text\":\"x\"}");
            if (i % 10 == 0) {
                write(i + "-7", "something", "else");
            }
        }

        Page page = broker.readAfter(0, 200);

        assertThat(page.oldest()).isEqualTo(tooOld + 1);
        assertThat(offsets(page)).isEqualTo(offsets(tooOld + 1, 100));
        assertThat(offsets(broker.read(new Range.Before(200, 200))))
                .isEqualTo(offsets(tooOld + 1, 100));
        assertThat(broker.readAfter(0, 200).oldest()).isEqualTo(tooOld + 1);
    }

    @Test
    void reading_freesTheMemoryOfOldMessages() {
        BlockingBroker broker = brokers.open(redis.uri());
        for (int i = 1; i <= 1_000; i++) {
            countAndWrite(i + "-0", "at", "1", "body", "{\"text\":\"x\"}");
        }
        broker.publishText("new");

        assertThat(offsets(broker.readAfter(0, 10))).containsExactly(1_001L);

        assertThat(redis.command("XLEN", LOG).number()).isLessThan(200);
    }

    /** Gives out the next offset as Parley does, and writes a foreign entry there. */
    private static void countAndWrite(String id, String... fields) {
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
