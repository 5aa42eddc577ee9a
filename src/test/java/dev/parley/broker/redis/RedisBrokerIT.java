package dev.parley.broker.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.broker.Broker;
import dev.parley.broker.BrokerContract;
import dev.parley.broker.BrokerUnavailable;
import dev.parley.broker.HeardMessages;
import dev.parley.broker.IdempotencyKey;
import dev.parley.broker.Page;
import dev.parley.broker.Publication;
import dev.parley.broker.Range;
import dev.parley.broker.Receipt;
import dev.parley.broker.Retention;
import dev.parley.broker.RetentionOf;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.testsupport.Patience;
import dev.parley.testsupport.RedisConnection;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.TcpProxy;
import io.smallrye.mutiny.Uni;
import io.vertx.redis.client.RedisClientType;
import io.vertx.redis.client.RedisOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RedisBrokerIT extends BrokerContract {

    private static final String LOG = "parley:{room}:log";
    private static final Optional<IdempotencyKey> KEY = Optional.of(new IdempotencyKey("key"));

    private static RedisServer redis;

    private final Brokers brokers = new Brokers();

    @BeforeAll
    static void startRedis() {
        redis = RedisServer.start();
    }

    @AfterAll
    static void stopRedis() {
        redis.close();
    }

    @BeforeEach
    void forgetAll() {
        redis.command("FLUSHALL");
    }

    @AfterEach
    void closeBrokers() {
        brokers.close();
    }

    @Override
    protected Broker create(Retention retention) {
        return brokers.create(redis.uri(), RedisConfigOf.QUICK, retention);
    }

    @Test
    void twoPods_hearTheSame_andKnowEachOthersKeys() {
        Broker one = open(RetentionOf.DEFAULT);
        var heardByTwo = new HeardMessages();
        Broker two = second(RedisConfigOf.QUICK, heardByTwo);

        Receipt first = publish(one, text("a"), KEY);
        Receipt repeat = publish(two, text("a"), KEY);
        say(two, ROOM, "b");

        assertThat(repeat).isEqualTo(new Receipt(first.id(), true));
        assertThat(heardByTwo.await(ROOM, 2)).isEqualTo(heard.await(ROOM, 2));
    }

    @Test
    void receipt_isForgotten_afterItsTime() {
        Broker broker = open(RetentionOf.DEFAULT.withReceipts(Duration.ofSeconds(1)));

        publish(broker, text("a"), KEY);

        Patience.await("receipt to be forgotten")
                .until(() -> !publish(broker, text("a"), KEY).duplicate());
    }

    @Test
    void publish_isOneRoundTripOfOneScript() {
        Broker broker = open(RetentionOf.DEFAULT);
        redis.command("CONFIG", "RESETSTAT");

        for (int i = 0; i < 10; i++) {
            say(broker, ROOM, "text " + i);
        }

        assertThat(calls("evalsha")).isEqualTo(10);
        assertThat(calls("eval")).isZero();
        assertThat(calls("script")).isZero();
    }

    @Test
    void scriptsThatRedisForgot_areSentAgain() {
        Broker broker = open(RetentionOf.DEFAULT);
        EventId first = say(broker, ROOM, "a");

        redis.command("SCRIPT", "FLUSH");

        assertThat(say(broker, ROOM, "b").offset()).isEqualTo(2);
        redis.command("SCRIPT", "FLUSH");
        assertThat(offsets(readAfter(broker, 0, 10))).containsExactly(1L, 2L);
        redis.command("SCRIPT", "FLUSH");
        broker.endEpoch(ROOM, first.epoch()).await().atMost(Patience.LIMIT);
        assertThat(readAfter(broker, 0, 10).epoch()).isNotEqualTo(first.epoch());
    }

    @Test
    void allKeysGone_isANewEpoch_thatCountsFromOne() {
        Broker broker = open(RetentionOf.DEFAULT);
        EventId last = sayNumbers(broker, 5);

        redis.command("FLUSHALL");

        EventId next = say(broker, ROOM, "after");
        assertThat(next.offset()).isOne();
        assertThat(next.epoch()).isNotEqualTo(last.epoch());
        assertThat(readAfter(broker, 0, 10).continues(last)).isFalse();
    }

    @Test
    void headEvictedAlone_isANewEpoch_withoutTheOldMessages() {
        Broker broker = open(RetentionOf.DEFAULT);
        EventId last = sayNumbers(broker, 5);

        redis.command("DEL", "parley:{room}:head");

        EventId next = say(broker, ROOM, "after");
        assertThat(next.offset()).isOne();
        assertThat(next.epoch()).isNotEqualTo(last.epoch());
        assertThat(offsets(readAfter(broker, 0, 10))).containsExactly(1L);
    }

    @Test
    void headEvictedAlone_emptyForAReader_whoDoesNotSeeOldMessagesUnderNewIds() {
        Broker broker = open(RetentionOf.DEFAULT);
        EventId last = sayNumbers(broker, 5);

        redis.command("DEL", "parley:{room}:head");

        Page page = readAfter(broker, 0, 10);
        assertThat(page.epoch()).isNotEqualTo(last.epoch());
        assertThat(page.messages()).isEmpty();
        assertThat(page.newest()).isZero();
        assertThat(say(broker, ROOM, "after")).isEqualTo(new EventId(page.epoch(), 1));
    }

    @Test
    void logEvictedAlone_keepsTheCount_andRetainsNothingFromBefore() {
        Broker broker = open(RetentionOf.DEFAULT);
        EventId last = sayNumbers(broker, 5);

        redis.command("DEL", "parley:{room}:log");

        Page page = readAfter(broker, 0, 10);
        assertThat(page.tail()).isEqualTo(last);
        assertThat(page.oldest()).isEqualTo(6);
        assertThat(say(broker, ROOM, "after")).isEqualTo(new EventId(last.epoch(), 6));
    }

    @Test
    void keys_haveALifetime() {
        Broker broker = open(RetentionOf.DEFAULT.withAge(Duration.ofHours(1)));

        publish(broker, text("a"), KEY);

        assertThat(redis.command("DBSIZE").number()).isEqualTo(3);
        for (String key : List.of("head", "log", "once:key")) {
            assertThat(redis.command("PTTL", "parley:{room}:" + key).number()).isPositive();
        }
    }

    @Test
    void deploymentsWithPrefixesOfTheirOwn_shareARedis() {
        Broker broker = open(RetentionOf.DEFAULT);
        var heardByOther = new HeardMessages();
        Broker other = second(RedisConfigOf.QUICK.withPrefix("other"), heardByOther);

        say(broker, ROOM, "ours");
        say(other, ROOM, "theirs");

        assertThat(heardByOther.await(ROOM, 1).get(0).message().text()).isEqualTo("theirs");
        assertThat(heard.await(ROOM, 1).get(0).message().text()).isEqualTo("ours");
        assertThat(readAfter(broker, 0, 10).newest()).isOne();
    }

    @Test
    void plainText_ofAnyProgram_isHeardLive() {
        open(RetentionOf.DEFAULT);

        redis.command("PUBLISH", "chat", "hello, é");

        heard.awaitPlain("hello, é");
    }

    @Test
    void nonsenseOnTheLiveChannel_isPassedOver() {
        Broker broker = open(RetentionOf.DEFAULT);

        for (String nonsense :
                List.of(
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
                        "{} e-1 1 {\"text\":\"a\"}")) {
            redis.command("PUBLISH", "parley:live", nonsense);
        }
        say(broker, ROOM, "sense");

        assertThat(heard.await(ROOM, 1))
                .extracting(m -> m.message().text())
                .containsExactly("sense");
    }

    @Test
    void entriesOfAnotherProgram_arePassedOver() {
        Broker broker = open(RetentionOf.DEFAULT);
        sayNumbers(broker, 2);
        foreign("3-0", "at", "1", "body", "no JSON");
        foreign("4-0", "at", "x", "body", "{\"text\":\"a\"}");
        foreign("5-0", "body", "{\"text\":\"a\"}");
        foreign("6-0", "at", "1");
        foreign("7-0", "at", "1", "body", "{}");
        foreign("8-0", "at", "1", "body", "{\"text\":\"a\",\"event\":\"gap\"}");
        say(broker, ROOM, "9");
        redis.command("XADD", LOG, "9-1", "at", "1", "body", "{\"text\":\"a\"}");
        say(broker, ROOM, "10");
        redis.command("XADD", LOG, "99-0", "at", "1", "body", "{\"text\":\"a\"}");

        assertThat(offsets(readAfter(broker, 0, 100))).containsExactly(1L, 2L, 9L, 10L);
        assertThat(offsets(readAfter(broker, 2, 3))).containsExactly(9L, 10L);
        assertThat(offsets(readAfter(broker, 1, 1))).containsExactly(2L);
        assertThat(offsets(readAfter(broker, 2, 1))).containsExactly(9L);
        assertThat(offsets(read(broker, new Range.Before(9, 5)))).containsExactly(1L, 2L);
        assertThat(offsets(read(broker, Range.newest(2)))).containsExactly(9L, 10L);
        assertThat(offsets(read(broker, new Range.Before(9, 1)))).containsExactly(2L);
        assertThat(offsets(read(broker, new Range.Before(10, 2)))).containsExactly(2L, 9L);
        assertThat(readAfter(broker, 0, 1).newest()).isEqualTo(10);
    }

    @Test
    void manyEntriesOfAnotherProgram_arePassedOver() {
        Broker broker = open(RetentionOf.DEFAULT);
        sayNumbers(broker, 2);
        for (int i = 3; i <= 302; i++) {
            foreign(i + "-0", "at", "1", "body", "x".repeat(2_000));
        }
        say(broker, ROOM, "303");

        assertThat(offsets(readAfter(broker, 2, 10))).containsExactly(303L);
        assertThat(offsets(readAfter(broker, 1, 10))).containsExactly(2L, 303L);
        assertThat(offsets(read(broker, new Range.Before(303, 1)))).containsExactly(2L);
        assertThat(offsets(readAfter(broker, 303, 10))).isEmpty();
    }

    @Test
    void entryOfAnotherProgram_doesNotKeepOldMessagesFromBeingDropped() {
        Broker broker = open(RetentionOf.DEFAULT.withAge(Duration.ofHours(1)));
        foreign("1-0", "something", "else");
        sayNumbers(broker, 14);
        clock.advance(Duration.ofHours(2));

        sayNumbers(broker, 2);

        assertThat(offsets(readAfter(broker, 0, 100))).containsExactly(16L, 17L);
    }

    /** Another program counts a message, and writes something else than Parley would. */
    private static void foreign(String id, String... fields) {
        if (redis.command("HINCRBY", "parley:{room}:head", "offset", "1").number() == 1) {
            redis.command("HSET", "parley:{room}:head", "epoch", "e");
        }
        List<String> command = new ArrayList<>(List.of("XADD", LOG, id));
        command.addAll(List.of(fields));
        redis.command(command.toArray(String[]::new));
    }

    @Test
    void cutConnections_areMadeAgain_andTheListenerIsTold() {
        Broker broker = open(RetentionOf.DEFAULT);
        say(broker, ROOM, "a");

        redis.command("CLIENT", "KILL", "TYPE", "pubsub");
        redis.command("CLIENT", "KILL", "TYPE", "normal");

        heard.awaitRejoins(2);
        assertThat(sayAtLast(broker).offset()).isEqualTo(2);
        heard.await(ROOM, 2);
    }

    @Test
    void calls_endInTime_andAreRefusedAboveALimit_whileRedisHangs() {
        try (RedisServer hanging = RedisServer.start()) {
            var config =
                    RedisConfigOf.QUICK
                            .withTimeout(Duration.ofMillis(200))
                            .withProbeTimeout(Duration.ofSeconds(2))
                            .withMaxPending(20);
            Broker broker = brokers.create(hanging.uri(), config, RetentionOf.DEFAULT);
            broker.listen(heard);
            Brokers.awaitUp(broker);

            hanging.pause();

            List<CompletableFuture<Receipt>> calls =
                    IntStream.range(0, 50).mapToObj(i -> started(publishing(broker, i))).toList();
            assertThat(calls)
                    .allSatisfy(
                            call ->
                                    assertThatThrownBy(call::get)
                                            .hasCauseInstanceOf(BrokerUnavailable.class));
            assertThat(calls.stream().map(RedisBrokerIT::failure))
                    .filteredOn(failure -> failure.equals("Redis is too far behind"))
                    .hasSizeGreaterThanOrEqualTo(30);
            Brokers.awaitDown(broker);

            hanging.resume();

            Brokers.awaitUp(broker);
            sayAtLast(broker);
        }
    }

    @Test
    void serverThatBecameAReplica_isLeftForTheNewOne() {
        try (RedisServer former = RedisServer.start();
                RedisServer promoted = RedisServer.start();
                TcpProxy proxy = TcpProxy.to(former.port())) {
            Broker broker =
                    brokers.create(proxy.uri("redis"), RedisConfigOf.QUICK, RetentionOf.DEFAULT);
            broker.listen(heard);
            Brokers.awaitUp(broker);
            EventId last = sayNumbers(broker, 5);
            copyInto(promoted, former);

            proxy.leadTo(promoted.port());
            follow(former, promoted);

            EventId next = sayAtLast(broker);
            assertThat(next).isEqualTo(new EventId(last.epoch(), 6));
            sayUntilHeard(broker);
        }
    }

    @Test
    void serverThatHangsForGood_isLeftForTheNewOne() {
        try (RedisServer hanging = RedisServer.start();
                RedisServer next = RedisServer.start();
                TcpProxy proxy = TcpProxy.to(hanging.port())) {
            var options = new RedisOptions().setConnectionString(proxy.uri("redis"));
            options.getNetClientOptions().setReadIdleTimeout(1);
            var config =
                    RedisConfigOf.QUICK
                            .withTimeout(Duration.ofSeconds(5))
                            .withProbeTimeout(Duration.ofSeconds(2));
            Broker broker = brokers.create(options, config, RetentionOf.DEFAULT);
            broker.listen(heard);
            Brokers.awaitUp(broker);

            hanging.pause();
            Brokers.awaitDown(broker);
            proxy.leadTo(next.port());

            sayUntilHeard(broker);
            Brokers.awaitUp(broker);
        }
    }

    @Test
    void clusterNode_runsTheScripts_sinceARoomsKeysAreInOneSlot() {
        try (RedisServer cluster = clusterOfOne()) {
            for (RedisClientType type :
                    List.of(RedisClientType.STANDALONE, RedisClientType.CLUSTER)) {
                var options = new RedisOptions().setType(type).setConnectionString(cluster.uri());
                Broker broker = brokers.create(options, RedisConfigOf.QUICK, RetentionOf.DEFAULT);
                var heardHere = new HeardMessages();
                broker.listen(heardHere);
                Brokers.awaitUp(broker);
                long before = readAfter(broker, 0, 10).newest();

                Receipt receipt =
                        publish(
                                broker,
                                text(type.name()),
                                Optional.of(new IdempotencyKey(type.name())));

                assertThat(receipt.id().offset()).isEqualTo(before + 1);
                assertThat(heardHere.await(ROOM, 1)).hasSize(1);
                broker.endEpoch(ROOM, receipt.id().epoch()).await().atMost(Patience.LIMIT);
            }
        }
    }

    private Broker second(RedisConfig config, HeardMessages listener) {
        Broker broker = brokers.create(redis.uri(), config, RetentionOf.DEFAULT);
        broker.listen(listener);
        Brokers.awaitUp(broker);
        return broker;
    }

    private Uni<Receipt> publishing(Broker broker, int number) {
        return broker.publish(
                new Publication(Message.of(ROOM, "" + number, clock.instant()), Optional.empty()));
    }

    /** Says something as soon as the broker takes it. */
    private EventId sayAtLast(Broker broker) {
        List<EventId> said = new ArrayList<>();
        Patience.await("publish")
                .ignoreExceptionsInstanceOf(BrokerUnavailable.class)
                .until(() -> said.add(say(broker, ROOM, "at last")));
        return said.get(0);
    }

    /**
     * Says something again and again until the broker hears itself: publishing may be back before
     * the subscription is, and what is said in between is not heard live.
     */
    private void sayUntilHeard(Broker broker) {
        List<EventId> said = new ArrayList<>();
        Patience.await("own words")
                .until(
                        () -> {
                            said.add(sayAtLast(broker));
                            return heard.in(ROOM).stream().anyMatch(m -> said.contains(m.id()));
                        });
    }

    private static CompletableFuture<Receipt> started(Uni<Receipt> call) {
        return call.subscribeAsCompletionStage();
    }

    private static String failure(CompletableFuture<Receipt> call) {
        return call.handle((receipt, failure) -> failure.getMessage()).join();
    }

    /** Makes a server a copy of another, and then independent of it. */
    private static void copyInto(RedisServer copy, RedisServer original) {
        follow(copy, original);
        copy.command("REPLICAOF", "NO", "ONE");
    }

    private static void follow(RedisServer replica, RedisServer primary) {
        replica.command("REPLICAOF", "127.0.0.1", Integer.toString(primary.port()));
        Patience.await("replica")
                .until(() -> info(replica, "replication").contains("master_link_status:up"));
    }

    private static RedisServer clusterOfOne() {
        RedisServer server = RedisServer.start("cluster-enabled yes");
        try (RedisConnection connection = server.connect()) {
            List<String> addSlots = new ArrayList<>(List.of("CLUSTER", "ADDSLOTS"));
            IntStream.range(0, 16_384).forEach(slot -> addSlots.add(Integer.toString(slot)));
            connection.command(addSlots.toArray(String[]::new));
            Patience.await("cluster")
                    .until(
                            () ->
                                    connection
                                            .command("CLUSTER", "INFO")
                                            .text()
                                            .contains("cluster_state:ok"));
        }
        return server;
    }

    private static long calls(String command) {
        return info(redis, "commandstats")
                .lines()
                .filter(line -> line.startsWith("cmdstat_" + command + ":"))
                .mapToLong(line -> Long.parseLong(line.replaceAll(".*:calls=(\\d+),.*", "$1")))
                .sum();
    }

    private static String info(RedisServer server, String section) {
        return server.command("INFO", section).text();
    }
}
