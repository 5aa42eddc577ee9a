package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisCluster;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import dev.parley.testsupport.Tool;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * A Redis Cluster that an operator upgrades from Redis 6.2 to 7, node by node, under a pod that
 * stays as it is. Before, publish/subscribe is classic; when the last master is of version 7, it is
 * sharded.
 */
class RedisClusterUpgradeIT {

    private static final String ROOM = "room";
    private static final String CHANNEL = "parley:{room}:live";

    @Test
    void upgradeNodeByNode_whilePeoplePublish_losesNothing_andEndsInShardedPublishSubscribe() {
        String version = Tool.named("redis-server").run("--version");
        if (version.matches("(?s).* v=[0-6]\\..*")) {
            throw Tool.missing("the test ends with servers of version 7, and not of " + version);
        }
        Path redis7 = Tool.find("redis-server").orElseThrow();
        try (RedisCluster cluster = RedisCluster.start()) {
            if (cluster.isSharded()) {
                throw notOlder();
            }
            try (ParleyProcess pod = podOn(cluster);
                    SseReader reader = Pods.open(pod, ROOM)) {
                var stop = new AtomicBoolean();
                var published = new AtomicInteger();
                CompletableFuture<Void> publishing = publish(pod, stop, published);
                try {
                    List<RedisServer> masters = cluster.nodes().subList(0, 3);
                    List<RedisServer> replicas = cluster.nodes().subList(3, 6);
                    for (RedisServer replica : replicas) {
                        replica.upgrade(redis7);
                        cluster.awaitWhole();
                    }
                    assertThat(pod.log()).doesNotContain("SPUBLISH");
                    for (int i = 0; i < masters.size(); i++) {
                        takeOver(replicas.get(i), masters.get(i));
                        masters.get(i).upgrade(redis7);
                        cluster.awaitWhole();
                    }
                    Timeouts.await("sharded publish/subscribe")
                            .until(() -> pod.log().contains("(SPUBLISH)"));
                    int before = published.get();
                    Timeouts.await("messages after the upgrade")
                            .until(() -> published.get() > before + 20);
                } finally {
                    stop.set(true);
                    publishing.join();
                }

                reader.awaitMessages(published.get());
                assertThat(reader.data()).isEqualTo(numbers(1, published.get()));
                assertThat(reader.events("gap")).isEmpty();
                assertThat(reader.connections()).isOne();
                RedisFaultBase.assertIdsAscend(reader);
                Timeouts.await("one subscription at the node of the room, by slot")
                        .until(() -> subscribers(cluster, "SHARDNUMSUB") == 1);
                Timeouts.await("no classic subscription")
                        .until(() -> subscribers(cluster, "NUMSUB") == 0);
            }
        }
    }

    /**
     * Where the Redis of the tests is named, the test cannot run in CI either. Otherwise the
     * library's, which is older, does not start here.
     */
    private static RuntimeException notOlder() {
        String reason = "the test begins with servers older than Redis 7";
        return System.getenv().getOrDefault("PARLEY_TEST_REDIS", "").isBlank()
                ? Tool.missing(reason + ", and the Redis of the library does not start here")
                : Tool.skip(reason + ", and PARLEY_TEST_REDIS names a newer one");
    }

    private static ParleyProcess podOn(RedisCluster cluster) {
        return Pods.withQuickReconnect()
                .redis(cluster.hosts())
                .config("quarkus.redis.client-type", "cluster")
                .config("parley.redis.max-backoff", "200ms")
                .start()
                .awaitReady();
    }

    private static CompletableFuture<Void> publish(
            ParleyProcess pod, AtomicBoolean stop, AtomicInteger published) {
        return CompletableFuture.runAsync(
                () -> {
                    while (!stop.get()) {
                        int next = published.get() + 1;
                        Pods.publishNumbers(pod, ROOM, next, next);
                        published.set(next);
                    }
                });
    }

    private static void takeOver(RedisServer replica, RedisServer master) {
        replica.command("CLUSTER", "FAILOVER");
        Timeouts.await(replica + " to take over from " + master)
                .until(
                        () ->
                                replica.command("INFO", "replication")
                                                .text()
                                                .contains("role:master")
                                        && master.command("INFO", "replication")
                                                .text()
                                                .contains("role:slave"));
    }

    /** Returns the subscriptions to the room's channel at all nodes together. */
    private static long subscribers(RedisCluster cluster, String count) {
        return cluster.nodes().stream()
                .mapToLong(node -> node.command("PUBSUB", count, CHANNEL).items().get(1).number())
                .sum();
    }
}
