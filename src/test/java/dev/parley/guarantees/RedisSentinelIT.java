package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.concat;
import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisSentinels;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.Timeouts;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A pod that asks three Sentinels for the primary, which dies and is replaced by its replica. */
class RedisSentinelIT {

    private static final String ROOM = "room";

    private RedisServer primary;
    private RedisServer replica;
    private RedisSentinels sentinels;
    private ParleyProcess pod;

    @BeforeEach
    void start() {
        primary = RedisServer.start("repl-diskless-sync-delay 0");
        replica = RedisServer.builder().replicaOf(primary).start();
        sentinels = RedisSentinels.watching(primary, 1);
        pod = podOfSentinels().start().awaitReady();
    }

    private ParleyProcess.Builder podOfSentinels() {
        return Pods.withQuickReconnect()
                .redis(sentinels.hosts())
                .config("quarkus.redis.client-type", "sentinel")
                .config("quarkus.redis.master-name", RedisSentinels.PRIMARY)
                .config("parley.redis.max-backoff", "200ms")
                // An attempt to connect takes up to twice as long.
                .config("parley.redis.timeout", "2S");
    }

    @AfterEach
    void close() {
        pod.close();
        sentinels.close();
        replica.close();
        primary.close();
    }

    @Test
    void failoverToAReplicaThatHasEverything_losesNothing() {
        try (SseReader reader = openWithTenReplicated()) {
            failOver();

            Pods.publishNumbers(pod, ROOM, 11, 15);
            reader.awaitMessages(15);
            assertThat(reader.data()).isEqualTo(numbers(1, 15));
            assertThat(reader.events("gap")).isEmpty();
            RedisFaultBase.assertIdsAscend(reader);
            assertThat(reader.connections()).isOne();
            assertServes();
        }
    }

    @Test
    void failoverToAReplicaThatLagged_isAGap() {
        try (SseReader reader = openWithTenReplicated()) {
            endReplication();
            Pods.publishNumbers(pod, ROOM, 11, 13);
            reader.awaitMessages(13);
            Event lost = reader.messages().get(12);

            failOver();

            Pods.publishNumbers(pod, ROOM, 21, 25);
            reader.awaitData("25");
            List<String> kept = concat(numbers(1, 10), numbers(21, 25));
            assertThat(reader.events("gap")).hasSize(1);
            assertThat(reader.data()).isEqualTo(concat(numbers(1, 13), kept));
            RedisFaultBase.assertIdsAscend(reader);
            try (SseReader late =
                    SseReader.to(pod.uri("/events?room=" + ROOM)).lastEventId(lost.id()).open()) {
                late.awaitData("25");
                assertThat(late.events("gap")).hasSize(1);
                assertThat(late.data()).isEqualTo(kept);
            }
            assertServes();
        }
    }

    /**
     * The former primary is well, and is made a replica some ten seconds after another one was
     * promoted. Without the setting it would accept messages until then, and lose them.
     */
    @Test
    void primaryThatIsReplacedByHand_andNeedsAReplica_losesNothing() {
        primary.command("CONFIG", "SET", "min-replicas-to-write", "1");
        try (SseReader reader = openWithTenReplicated()) {
            sentinels.failOver();
            sentinels.awaitPrimary(replica);

            Pods.publishNumbers(pod, ROOM, 11, 15);
            reader.awaitMessages(15);
            assertThat(reader.data()).isEqualTo(numbers(1, 15));
            assertThat(reader.events("gap")).isEmpty();
            RedisFaultBase.assertIdsAscend(reader);
            assertServes();
        }
    }

    /**
     * Only the Sentinels lose the primary, here because it refuses their PING. They promote its
     * replica, and cannot make it a replica. It goes on serving the pod, but a pod that starts is
     * at the new primary.
     */
    @Test
    void primaryThatOnlyTheSentinelsLose_isLeft_forTheOneThatTheyName() {
        try (SseReader reader = openWithTenReplicated()) {
            primary.command(
                    "ACL", "SETUSER", "default", "-ping", "-replicaof", "-slaveof", "-config");
            sentinels.awaitPrimary(replica);
            var numbers = new AtomicInteger(10);

            Timeouts.await("a message at the new primary")
                    .until(
                            () -> {
                                int next = numbers.incrementAndGet();
                                Pods.publishNumbers(pod, ROOM, next, next);
                                return entriesAt(replica) > 10;
                            });

            try (ParleyProcess late = podOfSentinels().start().awaitReady();
                    SseReader there = Pods.open(late, ROOM)) {
                Pods.publishUntilConfirmed(pod, ROOM, "last");
                there.awaitData("last");
                reader.awaitData("last");
            }
            RedisFaultBase.assertIdsAscend(reader);
            assertThat(reader.connections()).isOne();
            assertThat(primary.command("INFO", "replication").text()).contains("role:master");
            assertServes();
        }
    }

    /** Each attempt to connect asks the Sentinels in turn, and waits for one that says nothing. */
    @Test
    void firstSentinelHangs_theOthersLeadToThePrimary() {
        try (SseReader reader = openWithTenReplicated()) {
            sentinels.pauseFirst();
            primary.command("CLIENT", "KILL", "TYPE", "normal");
            primary.command("CLIENT", "KILL", "TYPE", "pubsub");

            Pods.publishNumbers(pod, ROOM, 11, 15);

            reader.awaitMessages(15);
            assertThat(reader.data()).isEqualTo(numbers(1, 15));
            assertThat(reader.events("gap")).isEmpty();
            assertThat(reader.connections()).isOne();
            pod.awaitReady();
        }
    }

    /** Opens a reader that has the messages 1 … 10, as the replica does. */
    private SseReader openWithTenReplicated() {
        SseReader reader = Pods.open(pod, ROOM);
        Pods.publishNumbers(pod, ROOM, 1, 10);
        reader.awaitMessages(10);
        awaitReplicated();
        return reader;
    }

    private void failOver() {
        primary.kill();
        sentinels.awaitPrimary(replica);
    }

    private void assertServes() {
        pod.awaitReady();
        assertThat(replica.command("PUBSUB", "NUMSUB", "chat").items().get(1).number()).isOne();
    }

    private void awaitReplicated() {
        Timeouts.await("replica to have everything")
                .until(() -> entriesAt(primary) == entriesAt(replica));
    }

    private static long entriesAt(RedisServer server) {
        return server.command("XLEN", "parley:{" + ROOM + "}:log").number();
    }

    /** Takes the right to replicate from the replica, so that it stays as it is. */
    private void endReplication() {
        primary.command("ACL", "SETUSER", "default", "-psync", "-sync");
        primary.command("CLIENT", "KILL", "TYPE", "replica");
        Timeouts.await("replica without its primary")
                .until(
                        () ->
                                replica.command("INFO", "replication")
                                        .text()
                                        .contains("master_link_status:down"));
    }
}
