package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisCluster;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A pod on a Redis Cluster of three masters and three replicas. The Redis client keeps connections
 * to all nodes, and most of them carry nothing for most of the time.
 */
class RedisClusterIT {

    /** The seconds that a quiet connection must live; the setting below would end it after one. */
    private static final int QUIET_SECONDS = 6;

    /**
     * One for commands and one for the subscription at each of six nodes, and one more of each at
     * the node that the client asks for the slots.
     */
    private static final int MOST_CONNECTIONS = 14;

    /** Each test has a cluster of its own, in which no node was elected before. */
    @AutoClose private final RedisCluster cluster = RedisCluster.start();

    private ParleyProcess pod;

    @BeforeEach
    void startPod() {
        pod =
                Pods.withQuickReconnect()
                        .redis(cluster.hosts())
                        .config("quarkus.redis.client-type", "cluster")
                        .config("quarkus.redis.tcp.read-idle-timeout", "1S")
                        .config("parley.redis.max-backoff", "200ms")
                        .start()
                        .awaitReady();
    }

    @AfterEach
    void closePod() {
        pod.close();
    }

    @Test
    void quietNodes_keepTheirConnections() {
        try (SseReader lobby = openLobby()) {
            Set<Connection> before = connections();

            Timeouts.await("connections that are quiet for long")
                    .until(() -> connections().stream().filter(Connection::isOld).count() >= 12);

            assertThat(ids(connections())).containsAll(ids(before));
            assertThat(connections()).hasSizeLessThanOrEqualTo(MOST_CONNECTIONS);
            assertOneDeliveryEach(lobby);
            assertThat(lobby.connections()).isOne();
            assertThat(pod.log()).doesNotContain("connection closed");
        }
    }

    @Test
    void connectionsThatAreLost_areReplacedAsAWhole_andLeaveNothingBehind() {
        try (SseReader lobby = openLobby()) {
            for (RedisServer node : cluster.nodes()) {
                Set<String> lost = new HashSet<>();
                for (Connection one : connections(node)) {
                    if (!one.isSubscribed()) {
                        node.command("CLIENT", "KILL", "ID", one.id());
                        lost.add(one.id());
                    }
                }
                assertThat(lost).isNotEmpty();
                Timeouts.await("new connections to " + node)
                        .until(
                                () -> {
                                    Set<Connection> now = connections(node);
                                    return now.size() >= 2
                                            && now.stream().noneMatch(c -> lost.contains(c.id()))
                                            && subscriptions() == 1;
                                });
                pod.awaitReady();
            }

            Timeouts.await("former connections to be closed")
                    .until(() -> connections().size() <= MOST_CONNECTIONS);
            assertOneDeliveryEach(lobby);
        }
    }

    @Test
    void masterThatDies_isReplacedByItsReplica() {
        List<String> rooms = oneRoomPerMaster();
        List<SseReader> readers = rooms.stream().map(room -> Pods.open(pod, room)).toList();
        publish(rooms, 1, 5);
        cluster.nodes().subList(0, 3).forEach(this::awaitReplicatedIfMaster);
        RedisServer victim = subscribedMaster();

        victim.kill();
        publish(rooms, 6, 10);
        victim.restart();
        cluster.awaitWhole();
        publish(rooms, 11, 15);

        for (SseReader reader : readers) {
            reader.awaitMessages(15);
            assertThat(reader.data()).isEqualTo(numbers(1, 15));
            assertThat(reader.events("gap")).isEmpty();
            RedisFaultTest.assertIdsAscend(reader);
            assertThat(reader.connections()).isOne();
            reader.close();
        }
        try (SseReader lobby = openLobby()) {
            assertOneDeliveryEach(lobby);
        }
    }

    /**
     * The pod connects to such a node when it is redirected there, and the Redis client does not
     * tell when that connection ends.
     *
     * <p>No process is elected twice. A replica that is elected, replaced and needed again within
     * twice the node timeout counts the votes of its first election and takes over without a second
     * one (redis/redis#8752, seen on 7.0.15). The others ignore its outdated claim, and their slots
     * stay without a master until the dead one comes back.
     */
    @Test
    void nodeThatBecameAMasterLater_andDies_isReplaced_andFoundAgain() {
        RedisServer second = cluster.masterOf("{room}");
        RedisServer first = replicaOf(second);
        first.kill();
        cluster.awaitFailed(first);
        try (SseReader reader = openRoom()) {
            Pods.publishNumbers(pod, "room", 1, 5);
            first.restart();
            cluster.awaitWhole();
            assertThat(connections(first)).isEmpty();
            takeOver(first, second);
            Pods.publishNumbers(pod, "room", 6, 10);
            assertThat(connections(first)).isNotEmpty();
            cluster.awaitReplicated(first);

            first.kill();
            Pods.publishNumbers(pod, "room", 11, 15);
            first.restart();
            cluster.awaitWhole();
            takeOver(first, second);
            Pods.publishNumbers(pod, "room", 16, 20);

            RedisFaultTest.assertIdsAscend(reader.awaitMessages(20));
            assertThat(reader.data()).isEqualTo(numbers(1, 20));
            assertThat(reader.events("gap")).isEmpty();
            assertThat(pod.log()).doesNotContain("ERROR");
        }
    }

    /** Opens a reader once the pod's connections lead to the nodes that live. */
    private SseReader openRoom() {
        pod.awaitReady();
        return Pods.open(pod, "room");
    }

    /**
     * Makes a replica the master, as an operator does; nothing is lost. Redis gives up after five
     * seconds, for example on a busy machine, and has to be asked again.
     */
    private void takeOver(RedisServer replica, RedisServer master) {
        Timeouts.await(replica + " to be the master")
                .pollInterval(Duration.ofSeconds(6))
                .until(
                        () -> {
                            if (!isMaster(replica)) {
                                replica.command("CLUSTER", "FAILOVER");
                            }
                            return isMaster(replica) && !isMaster(master);
                        });
        cluster.awaitWhole();
    }

    private RedisServer replicaOf(RedisServer master) {
        String id = master.command("CLUSTER", "MYID").text();
        String replica = master.command("CLUSTER", "REPLICAS", id).items().get(0).text();
        return cluster.nodes().stream()
                .filter(node -> replica.contains(":" + node.port() + "@"))
                .findFirst()
                .orElseThrow();
    }

    private SseReader openLobby() {
        // A node that came back may have made the pod connect anew just now.
        pod.awaitReady();
        return Pods.open(pod, "lobby");
    }

    private void publish(List<String> rooms, int first, int last) {
        rooms.forEach(room -> Pods.publishNumbers(pod, room, first, last));
    }

    private void awaitReplicatedIfMaster(RedisServer node) {
        if (isMaster(node)) {
            cluster.awaitReplicated(node);
        }
    }

    /** Returns rooms whose keys are at different masters. */
    private List<String> oneRoomPerMaster() {
        Set<RedisServer> masters = new HashSet<>();
        List<String> rooms = new ArrayList<>();
        for (int i = 0; rooms.size() < 3; i++) {
            if (masters.add(cluster.masterOf("{room" + i + "}"))) {
                rooms.add("room" + i);
            }
        }
        return rooms;
    }

    /** Returns the node to which the pod's subscription leads. */
    private RedisServer subscribedMaster() {
        return cluster.nodes().stream()
                .filter(node -> subscriptions(node) > 0)
                .findFirst()
                .orElseThrow();
    }

    private static boolean isMaster(RedisServer node) {
        return node.command("INFO", "replication").text().contains("role:master");
    }

    /** Publishes plain text at every node, and asserts that each arrives once. */
    private void assertOneDeliveryEach(SseReader lobby) {
        assertThat(subscriptions()).isOne();
        List<String> texts = new ArrayList<>();
        for (RedisServer node : cluster.nodes()) {
            String text = "published at " + node;
            node.command("PUBLISH", "chat", text);
            lobby.awaitData(text);
            texts.add(text);
        }
        assertThat(lobby.data()).containsExactlyElementsOf(texts);
    }

    /**
     * Returns the number of subscriptions to the plain channel, which every pod has once, at all
     * nodes together.
     */
    private long subscriptions() {
        return cluster.nodes().stream().mapToLong(RedisClusterIT::subscriptions).sum();
    }

    private static long subscriptions(RedisServer node) {
        return node.command("PUBSUB", "NUMSUB", "chat").items().get(1).number();
    }

    /**
     * A connection of the pod.
     *
     * @param seconds its age
     */
    private record Connection(RedisServer node, String id, long seconds, boolean isSubscribed) {

        private static final Pattern LINE =
                Pattern.compile(
                        "id=(\\d+) .* age=(\\d+) .* flags=(\\w+) .* sub=(\\d+) .* cmd=(\\S+).*");

        boolean isOld() {
            return seconds >= QUIET_SECONDS;
        }

        /** Parses a line of CLIENT LIST; empty for replicas, masters and this very command. */
        static Stream<Connection> parse(RedisServer node, String line) {
            Matcher fields = LINE.matcher(line);
            return fields.matches()
                            && !fields.group(3).matches(".*[SM].*")
                            && !fields.group(5).startsWith("client")
                    ? Stream.of(
                            new Connection(
                                    node,
                                    fields.group(1),
                                    Long.parseLong(fields.group(2)),
                                    !fields.group(4).equals("0")))
                    : Stream.of();
        }
    }

    private Set<Connection> connections() {
        return cluster.nodes().stream()
                .flatMap(node -> connections(node).stream())
                .collect(toSet());
    }

    private static Set<Connection> connections(RedisServer node) {
        return node.command("CLIENT", "LIST")
                .text()
                .lines()
                .flatMap(line -> Connection.parse(node, line))
                .collect(toSet());
    }

    private static Set<String> ids(Set<Connection> connections) {
        return connections.stream().map(one -> one.node() + " " + one.id()).collect(toSet());
    }
}
