package dev.parley.broker.redis;

import static dev.parley.broker.BlockingBroker.ROOM;
import static dev.parley.broker.BlockingBroker.offsets;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.parley.broker.BlockingBroker;
import dev.parley.broker.Broker;
import dev.parley.broker.Broker.Receipt;
import dev.parley.broker.BrokerContract;
import dev.parley.broker.HistorySettings;
import dev.parley.broker.IdempotencyKeyReused;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.broker.RoomHistories;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import dev.parley.redis.RedisSettings;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SettableClock;
import dev.parley.testsupport.Timeouts;
import dev.parley.testsupport.Version01;
import io.vertx.redis.client.RedisClientType;
import io.vertx.redis.client.RedisOptions;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract on Redis; and scripts, keys, lost keys, several pods, a Cluster. */
class RedisBrokerIT implements BrokerContract {

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

    @Override
    public Broker create(RoomHistories histories, SettableClock clock) {
        var options = new RedisOptions().setConnectionString(redis.uri());
        return brokers.create(options, RedisSettings.QUICK, histories);
    }

    @Test
    void twoPods_receiveTheSame_andShareIdempotencyKeys() {
        BlockingBroker one = open();
        BlockingBroker two = brokers.open(redis.uri());

        Receipt first = one.publish("a", "key");
        Receipt repeat = two.publish("a", "key");
        two.publishText("b");

        assertThat(repeat).isEqualTo(new Receipt(first.id(), true));
        assertThat(two.received().await(2)).isEqualTo(one.received().await(2));
    }

    @Test
    void deploymentsWithDifferentPrefixes_shareARedis() {
        BlockingBroker broker = open();
        BlockingBroker other = brokers.open(redis.uri(), RedisSettings.QUICK.withPrefix("other"));

        broker.publishText("ours");
        other.publishText("theirs");

        assertThat(other.received().await(1).get(0).message().text()).isEqualTo("theirs");
        assertThat(broker.received().await(1).get(0).message().text()).isEqualTo("ours");
        assertThat(broker.readAfter(0, 10).newest()).isOne();
    }

    @Test
    void receipt_isForgotten_whenItHasExpired() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withReceipts(Duration.ofSeconds(1)));

        broker.publish("a", "key");

        Timeouts.await("receipt to be forgotten")
                .until(() -> !broker.publish("a", "key").duplicate());
    }

    @Test
    void publish_isOneCallOfOneScript() {
        // The probe is a script too: one is run when the connections are up, and no other here.
        var rareProbe = RedisSettings.QUICK.withProbeInterval(Duration.ofHours(1));
        BlockingBroker broker = brokers.open(redis.uri(), rareProbe);
        redis.command("CONFIG", "RESETSTAT");

        broker.publishNumbers(10);

        assertThat(calls("evalsha")).isEqualTo(10);
        assertThat(calls("eval")).isZero();
        assertThat(calls("script")).isZero();
    }

    @Test
    void scriptsThatRedisHasLost_areSentAgain() {
        BlockingBroker broker = open();
        EventId first = broker.publishText("a");

        redis.command("SCRIPT", "FLUSH");
        assertThat(broker.publishText("b").offset()).isEqualTo(2);

        redis.command("SCRIPT", "FLUSH");
        assertThat(offsets(broker.readAfter(0, 10))).containsExactly(1L, 2L);

        redis.command("SCRIPT", "FLUSH");
        broker.endEpoch(ROOM, first.epoch());
        assertThat(broker.readAfter(0, 10).epoch()).isNotEqualTo(first.epoch());
    }

    @Test
    void keys_haveALifetime() {
        BlockingBroker broker =
                open(
                        HistorySettings.DEFAULT
                                .withAge(Duration.ofHours(24))
                                .withReceipts(Duration.ofHours(2)));

        broker.publish("a", "key");

        assertThat(redis.command("DBSIZE").number()).isEqualTo(3);
        // 24 hours and a hundredth of them, which are 14.4 minutes.
        assertThat(lifetime(HEAD)).isBetween(Duration.ofHours(24), Duration.ofMinutes(1_455));
        assertThat(lifetime(LOG)).isBetween(Duration.ofHours(24), Duration.ofMinutes(1_455));
        assertThat(lifetime("parley:{room}:receipt:key"))
                .isBetween(Duration.ofHours(1), Duration.ofHours(2));
    }

    @Test
    void allKeysLost_startsANewEpoch_thatCountsFromOne() {
        BlockingBroker broker = open();
        EventId last = broker.publishNumbers(5);

        redis.command("FLUSHALL");

        EventId next = broker.publishText("after");
        assertThat(next.offset()).isOne();
        assertThat(next.epoch()).isNotEqualTo(last.epoch());
        assertThat(broker.readAfter(0, 10).continues(last)).isFalse();
    }

    @Test
    void headLostAlone_thenAPublish_startsANewEpochWithoutTheOldMessages() {
        BlockingBroker broker = open();
        EventId last = broker.publishNumbers(5);

        redis.command("DEL", HEAD);

        EventId next = broker.publishText("after");
        assertThat(next.offset()).isOne();
        assertThat(next.epoch()).isNotEqualTo(last.epoch());
        assertThat(offsets(broker.readAfter(0, 10))).containsExactly(1L);
    }

    @Test
    void headLostAlone_thenARead_startsANewEpochWithoutTheOldMessages() {
        BlockingBroker broker = open();
        EventId last = broker.publishNumbers(5);

        redis.command("DEL", HEAD);

        Page page = broker.readAfter(0, 10);
        assertThat(page.epoch()).isNotEqualTo(last.epoch());
        assertThat(page.messages()).isEmpty();
        assertThat(page.newest()).isZero();
        assertThat(broker.publishText("after").offset()).isOne();
    }

    @Test
    void logLostAlone_keepsTheCount_andIsAGapOnlyForReadersThatMissedAPartOfIt() {
        BlockingBroker broker = open();
        EventId last = broker.publishNumbers(5);

        redis.command("DEL", LOG);

        Page page = broker.readAfter(0, 10);
        assertThat(page.tail()).isEqualTo(last);
        assertThat(page.oldest()).isEqualTo(6);
        assertThat(page.continues(last)).as("continues for a reader that had everything").isTrue();
        assertThat(page.continues(new EventId(last.epoch(), 4)))
                .as("continues for a reader that had not")
                .isFalse();
        assertThat(broker.publishText("after")).isEqualTo(new EventId(last.epoch(), 6));
        assertThat(broker.readAfter(0, 10).continues(new EventId(last.epoch(), 4))).isFalse();
    }

    @Test
    void logLostAlone_isNoticedOnce_byWhatReadsOrPublishesFirst() {
        BlockingBroker broker = open();
        BlockingBroker otherPod = brokers.open(redis.uri());
        broker.publishNumbers(5);
        assertThat(lostHistories()).isZero();

        redis.command("DEL", LOG);
        broker.readAfter(0, 10);
        otherPod.readAfter(0, 10);
        broker.publishText("after");
        assertThat(lostHistories()).isOne();

        redis.command("DEL", LOG);
        otherPod.publishText("after");
        broker.publishText("after");
        broker.readAfter(0, 10);
        assertThat(lostHistories()).isEqualTo(2);
    }

    @Test
    void logThatHasExpired_isNotALoss() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withAge(Duration.ofSeconds(3)));
        broker.publishText("a");

        // Reading keeps the head alive.
        Timeouts.await("log to expire")
                .until(
                        () ->
                                broker.readAfter(0, 10).messages().isEmpty()
                                        && redis.command("EXISTS", LOG).number() == 0);

        assertThat(broker.readAfter(0, 10).newest()).isOne();
        broker.publishText("b");
        assertThat(lostHistories()).isZero();
    }

    private double lostHistories() {
        return brokers.meters().counter("parley.histories.lost").count();
    }

    @ParameterizedTest
    @EnumSource(names = {"STANDALONE", "CLUSTER"})
    void clusterNode_runsTheScripts_becauseARoomsKeysAreInOneSlot(RedisClientType client) {
        try (RedisServer cluster = clusterOfOne()) {
            var options = new RedisOptions().setType(client).setConnectionString(cluster.uri());
            BlockingBroker broker = brokers.open(options, RedisSettings.QUICK);

            Receipt receipt = broker.publish("a", "key");
            Receipt repeat = broker.publish("a", "key");

            assertThat(repeat).isEqualTo(new Receipt(receipt.id(), true));
            assertThat(broker.received().await(1)).hasSize(1);
            broker.endEpoch(ROOM, receipt.id().epoch());
            assertThat(broker.readAfter(0, 10).continues(receipt.id())).isFalse();
        }
    }

    /** Its pod is not told that it uses a Cluster, so that the message to itself goes nowhere. */
    @Test
    void clusterNode_thatGivesTheSlotOfTheProbeAway_isNotReady() {
        try (RedisServer cluster = clusterOfOne();
                RedisServer next = RedisServer.start("cluster-enabled yes")) {
            BlockingBroker broker = brokers.open(cluster.uri(), RedisSettings.QUICK);
            String node = next.command("CLUSTER", "MYID").text();
            cluster.command("CLUSTER", "MEET", "127.0.0.1", Integer.toString(next.port()));
            Timeouts.await("the next node to be known")
                    .until(() -> cluster.command("CLUSTER", "NODES").text().contains(node));
            String channel =
                    cluster.command("PUBSUB", "CHANNELS", "*:probe:*").items().get(0).text();
            String key = "parley:{" + channel.substring("parley".length()) + "}";
            String slot = Long.toString(cluster.command("CLUSTER", "KEYSLOT", key).number());

            cluster.command("CLUSTER", "SETSLOT", slot, "MIGRATING", node);

            broker.awaitDown();
            cluster.command("CLUSTER", "SETSLOT", slot, "STABLE");
            broker.awaitUp();
        }
    }

    @Test
    void message_ofAPodWithAWrongClock_hasTheTimeOfRedis_andTrimsNothing() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withAge(Duration.ofHours(1)));
        broker.publishNumbers(16);

        broker.clock().advance(Duration.ofHours(25));
        broker.publishNumbers(16);

        Page page = broker.readAfter(0, 100);
        assertThat(page.messages()).hasSize(32);
        assertThat(page.messages().get(31).message().at())
                .isBetween(page.messages().get(0).message().at(), Instant.now().plusSeconds(60));
    }

    @Test
    void oldMessages_areDropped_byTheTimeOfRedis() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withAge(Duration.ofSeconds(1)));
        broker.publishNumbers(20);

        Timeouts.await("the first twenty to be dropped")
                .until(
                        () -> {
                            broker.publishText("later");
                            return broker.readAfter(0, 1).oldest() > 20;
                        });
    }

    @Test
    void log_holdsABlockMoreThanItsSizeAtMost_whichIsNotRead() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withSize(150));

        broker.publishNumbers(500);

        assertThat(redis.command("XLEN", LOG).number()).isBetween(150L, 250L);
        assertThat(offsets(broker.readAfter(0, 1000))).containsExactlyElementsOf(offsets(351, 500));
        assertThat(offsets(broker.read(ROOM, new Range.Before(501, 1000))))
                .containsExactlyElementsOf(offsets(351, 500));
    }

    @Test
    void log_holdsNoMoreBytesThanItsBound_whereLongTextsFollowManyShortOnes() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withBytes(160_000));
        for (int i = 0; i < 2_000; i++) {
            broker.publishText("x");
        }

        // {"text":"…"} is eleven bytes longer than the text.
        for (int i = 1; i <= 39; i++) {
            broker.publishText("x".repeat(4_000));

            assertThat(redis.command("XLEN", LOG).number())
                    .as("messages stored after %d long ones", i)
                    .isEqualTo(i + Math.min(2_000, (160_000 - i * 4_011) / 12));
        }
    }

    @Test
    void bytes_whenTheirBoundIsLowered_areNotRead_andAreFreedByThePublishesThatFollow() {
        BlockingBroker broker = open();
        for (int i = 0; i < 600; i++) {
            broker.publishText("x".repeat(4_000));
        }
        BlockingBroker lowered = open(HistorySettings.DEFAULT.withBytes(160_000));

        lowered.publishText("x".repeat(4_000));

        assertThat(redis.command("XLEN", LOG).number())
                .as("after 1 MiB was freed")
                .isBetween(300L, 340L);
        assertThat(lowered.readAfter(0, 1).oldest()).isEqualTo(601 - 39 + 1);
        lowered.publishText("x".repeat(4_000));
        assertThat(redis.command("XLEN", LOG).number()).isEqualTo(39);
    }

    /** As an account has that was made for version 0.1. */
    @Test
    void bytes_withoutTheRightToTrim_areFreedMoreSlowly_andNoPublishFails() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withBytes(160_000));
        for (int i = 0; i < 2_000; i++) {
            broker.publishText("x");
        }
        redis.command("ACL", "SETUSER", "default", "-xtrim");
        try {
            for (int i = 0; i < 60; i++) {
                broker.publishText("x".repeat(4_000));
            }

            assertThat(broker.readAfter(0, 1).oldest()).isEqualTo(2_060 - 39 + 1);
            assertThat(redis.command("XLEN", LOG).number()).isGreaterThan(500);
        } finally {
            redis.command("ACL", "SETUSER", "default", "+xtrim");
        }
    }

    @Test
    void reading_createsNothing() {
        BlockingBroker broker = open();

        broker.readAfter(0, 10);
        broker.read(new Room("made-up"), Range.newest(10));

        assertThat(redis.command("DBSIZE").number()).isZero();
    }

    @Test
    void receipt_doesNotOutliveItsMessage_whicheverKeyIsLost() {
        BlockingBroker broker = open();

        for (List<String> lost : List.of(List.of(HEAD), List.of(LOG), List.of(HEAD, LOG))) {
            redis.command("FLUSHALL");
            broker.publish("a", "key");
            lost.forEach(key -> redis.command("DEL", key));

            Receipt repeat = broker.publish("a", "key");

            assertThat(repeat.duplicate()).as("without %s", lost).isFalse();
            assertThat(broker.readAfter(0, 10).messages()).hasSize(1);
            assertThat(broker.publish("a", "key")).isEqualTo(new Receipt(repeat.id(), true));
        }
    }

    @Test
    void receipt_ofALostMessage_staysWorthless_andLaterOnesCount_whenTheNextLogEndsInTime() {
        BlockingBroker broker = open();
        broker.publish("lost", "lost-key");
        redis.command("DEL", LOG);
        Receipt next = broker.publish("next", "next-key");

        endLogInTime();

        assertThat(broker.publish("next", "next-key")).isEqualTo(new Receipt(next.id(), true));
        assertThat(broker.publish("lost", "lost-key").duplicate()).isFalse();
        assertThat(lostHistories()).isOne();
    }

    @Test
    void receipt_ofALostMessage_isWorthless_whenTheLogBeforeEndedInTime() {
        BlockingBroker broker = open();
        broker.publish("a", "first");
        endLogInTime();
        broker.publish("b", "second");

        redis.command("DEL", LOG);

        assertThat(broker.publish("b", "second").duplicate()).isFalse();
    }

    @Test
    void receipt_ofAnEndedEpoch_outlivesALogThatEndsInTime() {
        BlockingBroker broker = open();
        Receipt first = broker.publish("a", "key");
        broker.endEpoch(ROOM, first.id().epoch());
        endLogInTime();

        assertThat(broker.publish("a", "key")).isEqualTo(new Receipt(first.id(), true));
    }

    /** Removes the log as Redis does when all messages are too old. */
    private static void endLogInTime() {
        redis.command("HSET", HEAD, "expires", "1");
        redis.command("DEL", LOG);
    }

    @Test
    void head_outlivesItsReceipts() {
        BlockingBroker broker =
                open(
                        HistorySettings.DEFAULT
                                .withAge(Duration.ofSeconds(5))
                                .withReceipts(Duration.ofHours(2)));

        broker.publish("a", "key");
        assertThat(lifetime(HEAD)).isGreaterThanOrEqualTo(lifetime("parley:{room}:receipt:key"));

        endLogInTime();
        broker.readAfter(0, 10);
        assertThat(lifetime(HEAD)).isGreaterThanOrEqualTo(lifetime("parley:{room}:receipt:key"));
    }

    @Test
    void head_outlivesALogThatLastsForSeconds() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withAge(Duration.ofSeconds(5)));
        EventId first = broker.publishText("one");
        Timeouts.await("the log to end").until(() -> redis.command("EXISTS", LOG).number() == 0);

        EventId second = broker.publishText("two");

        assertThat(second).isEqualTo(new EventId(first.epoch(), 2));
        assertThat(broker.readAfter(1, 10).continues(first)).isTrue();
        assertThat(lifetime(HEAD)).isBetween(Duration.ofMinutes(59), Duration.ofMinutes(60));
    }

    @Test
    void receipt_outlivesTheTrimmingOfItsMessage() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withSize(5));
        Receipt first = broker.publish("a", "key");
        broker.publishNumbers(10);

        assertThat(broker.publish("a", "key")).isEqualTo(new Receipt(first.id(), true));
    }

    /** It has neither a digest nor a sender. */
    @ParameterizedTest
    @ValueSource(strings = {"", "Ada"})
    void receipt_ofVersion01_isHonoured(String sender) {
        BlockingBroker broker = open();
        EventId id = broker.publishText("a");
        redis.command("SET", "parley:{room}:once:key", id.toString());

        assertThat(broker.publish("a", "key", sender)).isEqualTo(new Receipt(id, true));
        assertThat(broker.readAfter(0, 10).newest()).isOne();
    }

    @Test
    void receipt_ofVersion01_ofAMessageThatWasLost_isIgnored() {
        BlockingBroker broker = open();
        redis.command("SET", "parley:{room}:once:key", "k3f9-1");

        assertThat(broker.publish("a", "key").duplicate()).isFalse();
    }

    /** Its head does not say when the log ends by itself. */
    @Test
    void receipt_ofVersion01_isIgnored_whenTheLogIsGone() {
        BlockingBroker broker = open();
        redis.command("HSET", HEAD, "epoch", "k3f9", "offset", "1");
        redis.command("SET", "parley:{room}:once:key", "k3f9-1");

        assertThat(broker.publish("a", "key").duplicate()).isFalse();
    }

    /** A pod of that version takes the whole text for an id, and has one key for all senders. */
    @ParameterizedTest
    @ValueSource(strings = {"", "Ada"})
    void receipt_canBeReadByVersion01_whileAPodOfItRuns(String sender) throws IOException {
        BlockingBroker broker = open();
        broker.publish("a", "before", sender);
        try (var old = redis.subscribe("parley:live")) {
            Receipt first = broker.publish("b", "key", sender);

            assertThat(redis.command("GET", "parley:{room}:once:key").text())
                    .isEqualTo(first.id().toString());
            assertThat(lifetime("parley:{room}:once:key"))
                    .isBetween(Duration.ofMinutes(4), Duration.ofMinutes(5));
            assertThat(broker.publish("b", "key", sender)).isEqualTo(new Receipt(first.id(), true));
            assertThatExceptionOfType(IdempotencyKeyReused.class)
                    .isThrownBy(() -> broker.publish("c", "key", sender));
        }
        assertThat(redis.command("EXISTS", "parley:{room}:once:before").number()).isZero();
    }

    /** Its entries do not say how many bytes were accepted before them. */
    @Test
    void messagesOfVersion01_doNotKeepARoomFull() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withBytes(12_000));
        redis.command("HSET", HEAD, "epoch", "k3f9", "offset", "40");
        for (int offset = 1; offset <= 40; offset++) {
            redis.command(
                    "XADD", LOG, offset + "-0", "at", farFuture(), "body", "{\"text\":\"a\"}");
        }

        broker.publishText("x".repeat(5_000));
        assertThat(redis.command("XLEN", LOG).number()).isEqualTo(41);

        for (int i = 0; i < 10; i++) {
            broker.publishText("x".repeat(5_000));
        }
        assertThat(redis.command("XLEN", LOG).number()).isEqualTo(2);
    }

    @Test
    void messageOfVersion01_amongOthers_isDroppedWithTheOneBehindIt() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withBytes(20_000));
        EventId last = broker.publishText("x".repeat(5_000));
        redis.command("HINCRBY", HEAD, "offset", "1");
        redis.command("XADD", LOG, "2-0", "at", farFuture(), "body", "{\"text\":\"a\"}");
        broker.publishText("y".repeat(5_000));
        assertThat(broker.readAfter(0, 10).oldest()).isEqualTo(last.offset());

        broker.publishText("z".repeat(5_000));
        broker.publishText("z".repeat(5_000));

        assertThat(broker.readAfter(0, 10).oldest()).isEqualTo(2);
        broker.publishText("z".repeat(5_000));
        assertThat(broker.readAfter(0, 10).oldest()).isEqualTo(4);
    }

    @Test
    void roomOfVersion01_goesOnInItsEpoch() {
        BlockingBroker broker = open();
        redis.command("HSET", HEAD, "epoch", "k3f9", "offset", "2");
        redis.command("XADD", LOG, "1-0", "at", "1767225600000", "body", "{\"text\":\"one\"}");
        redis.command("XADD", LOG, "2-0", "at", farFuture(), "body", "{\"text\":\"two\"}");

        EventId third = broker.publishText("three");

        assertThat(third).isEqualTo(new EventId("k3f9", 3));
        assertThat(broker.readAfter(0, 10).continues(new EventId("k3f9", 2))).isTrue();
    }

    /** A client that read the room before it had a head has the position 0-0. */
    @Test
    void roomThatVersion01Begins_continuesFromBeforeItsFirstMessage() {
        BlockingBroker broker = open();
        EventId before = broker.readAfter(0, 10).tail();

        redis.command(Version01.read(ROOM.name()));
        Page empty = broker.readAfter(0, 10);
        assertThat(empty.continues(before)).as("continues after a read").isTrue();
        assertThat(empty.tail()).isEqualTo(new EventId(Version01.EPOCH, 0));
        redis.command(Version01.publish(ROOM.name(), "one"));
        Page one = broker.readAfter(0, 10);
        assertThat(one.continues(before)).as("continues after a publish").isTrue();
        assertThat(one.continues(empty.tail())).isTrue();
        EventId second = broker.publishText("two");

        assertThat(second).isEqualTo(new EventId(Version01.EPOCH, 2));
        assertThat(broker.readAfter(0, 10).continues(before)).isTrue();
        assertThat(broker.readAfter(0, 10).continues(empty.tail())).isTrue();
        broker.endEpoch(ROOM, Version01.EPOCH);
        assertThat(broker.readAfter(0, 10).continues(before)).isFalse();
    }

    @Test
    void roomOfVersion01_thatLacksItsFirstMessage_isAGapFromBeforeIt() {
        BlockingBroker broker = open();
        EventId before = broker.readAfter(0, 10).tail();
        redis.command(Version01.publish(ROOM.name(), "one"));
        redis.command(Version01.publish(ROOM.name(), "two"));

        redis.command("XDEL", LOG, "1-0");
        assertThat(broker.readAfter(0, 10).continues(before)).isFalse();
        redis.command("DEL", LOG);
        assertThat(broker.readAfter(0, 10).continues(before)).isFalse();
        broker.publishText("three");
        assertThat(broker.readAfter(0, 10).continues(before)).isFalse();
    }

    private static String farFuture() {
        return Long.toString(Instant.now().plusSeconds(3_600).toEpochMilli());
    }

    static RedisServer clusterOfOne() {
        RedisServer server = RedisServer.start("cluster-enabled yes");
        server.takeAllSlots();
        return server;
    }

    /** Returns the time until a key expires; negative if it never does. */
    private static Duration lifetime(String key) {
        return Duration.ofMillis(redis.command("PTTL", key).number());
    }

    /** Returns how often Redis ran a command since its statistics were reset. */
    private static long calls(String command) {
        return redis.command("INFO", "commandstats")
                .text()
                .lines()
                .filter(line -> line.startsWith("cmdstat_" + command + ":"))
                .mapToLong(line -> Long.parseLong(line.replaceAll(".*:calls=(\\d+),.*", "$1")))
                .sum();
    }
}
