package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.RedisCluster;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.Timeouts;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisClientType;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Response;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A pod's connections to a real Redis Cluster whose slots move and whose masters die. On Redis 7
 * and later publish/subscribe is sharded, on older servers classic.
 */
class ClusterConnectionsIT {

    /** One for commands and one that is subscribed. */
    private static final int CONNECTIONS_OF_A_MASTER = 2;

    /** Enough to last longer than the probe's timeout: three nodes send ten a second each. */
    private static final int MANY_PROBES = 120;

    private static final RedisSettings QUICK =
            RedisSettings.QUICK.withProbeTimeout(Duration.ofSeconds(2));

    @AutoClose private final RedisCluster cluster = RedisCluster.start();
    private final Vertx vertx = Vertx.vertx();
    private final MeterRegistry meters = new SimpleMeterRegistry();
    private RedisConnections connections;

    private void open() {
        open(QUICK);
    }

    private void open(RedisConfig config) {
        var options = new RedisOptions().setType(RedisClientType.CLUSTER);
        cluster.nodes().forEach(node -> options.addConnectionString(node.uri()));
        open(
                new ClusterConnections(
                        new ClusterClients(vertx, options),
                        Setups.setup(vertx, config, meters),
                        new Setups.Ignoring()));
        Timeouts.await("all nodes")
                .until(
                        () ->
                                connections.problem().isEmpty()
                                        && connections.silentServers().isEmpty()
                                        && masters().allMatch(this::hasItsConnections));
    }

    private void open(RedisConnections made) {
        connections = made;
        connections.start();
    }

    @AfterEach
    void close() {
        connections.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    /**
     * However long the move takes: nothing is wrong with the node's connections.
     *
     * @param count slots whose move begins at once: the probe's, and those where it would be next
     */
    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void nodeThatGivesAwayTheSlotOfTheProbe_keepsItsConnections(int count) {
        open();
        RedisServer node = cluster.nodes().get(0);
        List<RedisProbe.Place> places = placesAt(node).limit(count).toList();
        Set<String> channels =
                places.stream().map(RedisProbe.Place::channel).collect(Collectors.toSet());
        assertThat(probesAt(node)).containsExactly(places.get(0).channel());
        Set<String> before = clients(node);
        List<RedisCluster.Move> moves =
                places.stream()
                        .map(place -> cluster.new Move(place.key(), cluster.nodes().get(1)))
                        .toList();

        moves.forEach(RedisCluster.Move::begin);
        awaitProbes(MANY_PROBES);
        assertThat(probesAt(node)).hasSize(1).doesNotContainAnyElementsOf(channels);
        moves.forEach(RedisCluster.Move::finish);
        awaitProbes(MANY_PROBES);

        assertThat(clients(node)).isEqualTo(before);
        assertThat(probesAt(node)).hasSize(1).doesNotContainAnyElementsOf(channels);
        assertThat(connections.silentServers()).isEmpty();
    }

    @Test
    void roomsThatAreAskedForWhileAMasterIsDead_areSubscribedToAfterwards_andNoOthers() {
        open();
        RedisServer dead = cluster.nodes().get(0);
        List<String> rooms = roomsAt(dead, 20);
        List<String> early = rooms.subList(0, 5);
        List<String> late = rooms.subList(5, 10);
        early.stream().map(connections::subscribe).forEach(ClusterConnectionsIT::await);
        cluster.setNodeTimeout(Duration.ofHours(1));

        dead.kill();
        Timeouts.await("the end to be known").until(() -> !connections.silentServers().isEmpty());
        for (int i = 0; i < 500; i++) {
            connections.subscribe(rooms.get(10 + i % 10));
            connections.unsubscribe(rooms.get(10 + i % 10));
        }
        List<Future<Void>> confirmed = late.stream().map(connections::subscribe).toList();
        dead.restart();

        confirmed.forEach(ClusterConnectionsIT::await);
        Timeouts.await("the rooms that are wanted, and no others")
                .until(
                        () ->
                                rooms.stream()
                                        .filter(room -> cluster.subscribers(dead, room) == 1)
                                        .toList()
                                        .equals(rooms.subList(0, 10)));
        Timeouts.await("as many connections as before").until(() -> hasItsConnections(dead));
    }

    /** Every node delivers what is published on it, unlike a room's channel. */
    @ParameterizedTest
    @ValueSource(strings = {"chat", "parley:liv[e]"})
    void channelOutsideOfTheSlots_goesToAnotherNode_whenItsOwnDies_andStaysThere(String name) {
        open();
        if (name.equals("chat")) {
            await(connections.subscribe(name));
        }
        awaitOneAt(cluster.nodes(), name);
        RedisServer dead =
                masters().filter(node -> subscribers(node, name) == 1).findFirst().orElseThrow();
        List<RedisServer> others =
                cluster.nodes().stream().filter(node -> !node.equals(dead)).toList();
        cluster.setNodeTimeout(Duration.ofHours(1));

        dead.kill();
        awaitOneAt(others, name);
        dead.restart();
        Timeouts.await("the master that is back")
                .until(
                        () ->
                                connections.silentServers().isEmpty()
                                        && masters().allMatch(this::hasItsConnections));
        awaitProbes(MANY_PROBES);

        assertThat(subscribers(dead, name)).isZero();
        awaitOneAt(others, name);
    }

    private static void awaitOneAt(List<RedisServer> nodes, String name) {
        Timeouts.await("one subscription to " + name)
                .until(() -> nodes.stream().mapToLong(n -> subscribers(n, name)).sum() == 1);
    }

    /** Returns the subscriptions to a classic channel, or to the pattern, at a node. */
    private static long subscribers(RedisServer node, String name) {
        return name.equals("chat")
                ? node.command("PUBSUB", "NUMSUB", name).items().get(1).number()
                : node.command("PUBSUB", "NUMPAT").number();
    }

    @Test
    void connectionsToMasters_thatAreMadeAnewManyTimes_leaveNothingBehind() {
        open();
        List<String> rooms = masters().flatMap(node -> roomsAt(node, 1).stream()).toList();
        rooms.stream().map(connections::subscribe).forEach(ClusterConnectionsIT::await);

        for (int round = 0; round < 50; round++) {
            RedisServer node = cluster.nodes().get(round % 3);
            Set<String> former = clients(node);
            node.command("CLIENT", "KILL", "TYPE", "pubsub");
            if (round % 2 == 0) {
                node.command("CLIENT", "KILL", "TYPE", "normal");
            }
            Timeouts.await("new connections, round " + round)
                    .until(
                            () ->
                                    !clients(node).equals(former)
                                            && hasItsConnections(node)
                                            && cluster.subscribers(
                                                            node,
                                                            rooms.get(
                                                                    cluster.nodes().indexOf(node)))
                                                    == 1);
        }

        assertThat(masters()).allMatch(this::hasItsConnections);
        masters().forEach(node -> assertThat(probesAt(node)).hasSize(1));
    }

    /** A slot that moves for long must not make the pod hold a call for each request. */
    @Test
    void callsThatWaitToBeSentAgain_areBounded() {
        open(QUICK.withMaxPending(4));
        List<String> keys = List.of("parley:{kitchen}:one", "parley:{kitchen}:other");
        RedisServer node = cluster.masterOf(keys.get(0));
        RedisServer other = masters().filter(each -> !each.equals(node)).findFirst().orElseThrow();
        node.command("SET", keys.get(0), "text");
        RedisCluster.Move move = cluster.new Move(keys.get(0), other);
        move.begin();
        List<Future<Response>> calls = new ArrayList<>();

        Timeouts.await("a refusal")
                .until(
                        () -> {
                            calls.add(connections.send(RedisProbe.SCRIPT, keys, List.of()));
                            return calls.stream()
                                    .filter(Future::failed)
                                    .map(call -> call.cause().getMessage())
                                    .anyMatch(
                                            "Redis is too far behind: 4 commands wait to be sent again"
                                                    ::equals);
                        });

        assertThat(calls.stream().filter(call -> !call.isComplete())).hasSizeBetween(1, 8);
        move.moveKeys();
        move.finish();
        Timeouts.await("the end of all calls")
                .until(() -> calls.stream().allMatch(Future::isComplete));
    }

    /**
     * One node sends the slot away and the other one does not take it, as when an operator stopped
     * half-way: they refer the pod to each other until its time is over. That is a minute here, in
     * which the call is sent thousands of times; it must not need the stack for each of them.
     */
    @Test
    void slotThatNoNodeTakes_isTheReasonForClients_withoutAnAddress() {
        open(QUICK);
        String key = "parley:{kitchen}:one";
        RedisServer node = cluster.masterOf(key);
        RedisServer other = masters().filter(each -> !each.equals(node)).findFirst().orElseThrow();
        String slot = Integer.toString(cluster.slotOf(key));
        node.command(
                "CLUSTER", "SETSLOT", slot, "MIGRATING", other.command("CLUSTER", "MYID").text());

        Future<Response> call = connections.send(RedisProbe.SCRIPT, List.of(key), List.of());

        Timeouts.await("answer").until(call::isComplete);
        assertThat(call.cause())
                .isInstanceOf(RedisUnavailable.class)
                .message()
                .isIn(
                        "Redis refused: the slot is moving to another node of the Redis Cluster",
                        "Redis refused: another node of the Redis Cluster has the slot");
    }

    /** An operator has forgotten quarkus.redis.client-type=cluster. */
    @Test
    void nodeThatIsUsedAsASingleServer_isNotNamedToClients_butToTheOperator() {
        RedisServer node = cluster.nodes().get(0);
        RedisServer other = cluster.nodes().get(1);
        open(
                new ServerConnections(
                        "",
                        () -> Redis.createClient(vertx, node.uri()),
                        connection -> Future.succeededFuture(),
                        setupWithProbeAt(other),
                        new Setups.Ignoring()));
        Timeouts.await("the reason")
                .until(
                        () ->
                                connections
                                        .problem()
                                        .filter(
                                                reason ->
                                                        reason.contains(
                                                                "client-type must be cluster"))
                                        .isPresent());

        Future<Response> call =
                connections.send(
                        RedisProbe.SCRIPT,
                        List.of(placeAt(other).key()),
                        List.of("parley:probe", "0", "PUBLISH", "parley:live"));

        Timeouts.await("answer").until(call::isComplete);
        assertThat(call.cause())
                .isInstanceOf(RedisUnavailable.class)
                .hasMessage("Redis refused: another node of the Redis Cluster has the slot");
        assertThat(call.cause().getCause()).hasMessageContaining("127.0.0.1:" + other.port());
    }

    private RedisSetup setupWithProbeAt(RedisServer node) {
        RedisSetup all = Setups.setup(vertx, QUICK, meters);
        return new RedisSetup(
                vertx,
                QUICK,
                meters,
                List.of(),
                placeAt(node),
                all.probesInSlots(),
                all.legacyChannelPattern(),
                all.legacyChannel());
    }

    private Stream<RedisServer> masters() {
        return cluster.nodes().subList(0, 3).stream();
    }

    /** Returns the first place for the probe that is at a node. */
    private RedisProbe.Place placeAt(RedisServer node) {
        return placesAt(node).findFirst().orElseThrow();
    }

    /** Returns the places for the probe that are at a node, in the order in which it takes them. */
    private Stream<RedisProbe.Place> placesAt(RedisServer node) {
        return IntStream.iterate(0, number -> number + 1)
                .mapToObj(Setups::place)
                .filter(place -> cluster.masterOf(place.key()).equals(node));
    }

    /** Returns channels of rooms whose slots are at a node. */
    private List<String> roomsAt(RedisServer node, int count) {
        return IntStream.iterate(0, number -> number + 1)
                .mapToObj(number -> "parley:{room-" + number + "}:live")
                .filter(channel -> cluster.masterOf(channel).equals(node))
                .limit(count)
                .toList();
    }

    /** Waits until this number of messages to the pod itself has been received. */
    private void awaitProbes(int count) {
        long before = received();
        Timeouts.await(count + " probes").until(() -> received() >= before + count);
    }

    private long received() {
        return meters.get("parley.redis.roundtrip").timer().count();
    }

    /** The probe's channels that are subscribed to at a node. */
    private List<String> probesAt(RedisServer node) {
        String channels = cluster.isSharded() ? "SHARDCHANNELS" : "CHANNELS";
        return node.command("PUBSUB", channels, "parley:{probe-*").items().stream()
                .map(RedisServer.Reply::text)
                .toList();
    }

    private boolean hasItsConnections(RedisServer node) {
        return clients(node).size() == CONNECTIONS_OF_A_MASTER;
    }

    /** The ids of a pod's connections to a node. */
    private static Set<String> clients(RedisServer node) {
        return node.command("CLIENT", "LIST")
                .text()
                .lines()
                .filter(line -> !line.matches(".* flags=\\w*[SM]\\w* .*"))
                .filter(line -> !line.contains(" cmd=client"))
                .map(line -> line.replaceFirst("id=(\\d+) .*", "$1"))
                .collect(Collectors.toSet());
    }

    private static void await(Future<Void> confirmation) {
        Timeouts.await("confirmation").until(confirmation::succeeded);
    }
}
