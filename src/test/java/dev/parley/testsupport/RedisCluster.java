package dev.parley.testsupport;

import java.io.Closeable;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A real Redis Cluster on loopback ports: three masters with a third of the slots each, and a
 * replica of each. When a master dies its replica takes over within seconds.
 */
public final class RedisCluster implements Closeable {

    private static final int MASTERS = 3;
    private static final int SLOTS = 16_384;

    /** A replica's offset, and further down the same one of the master. */
    private static final Pattern REPLICATED =
            Pattern.compile(
                    "slave0:.*,offset=(\\d+),.*master_repl_offset:\\1\\r?\\n", Pattern.DOTALL);

    private final List<RedisServer> nodes = new ArrayList<>();

    private RedisCluster() {}

    /** Starts a cluster and returns when all nodes agree on it and the replicas have copies. */
    public static RedisCluster start() {
        var cluster = new RedisCluster();
        try {
            cluster.startNodes();
            cluster.join();
            return cluster;
        } catch (RuntimeException e) {
            cluster.close();
            throw e;
        }
    }

    /** The nodes: the masters of the beginning, and then their replicas in the same order. */
    public List<RedisServer> nodes() {
        return List.copyOf(nodes);
    }

    /** The addresses of all nodes, as {@code quarkus.redis.hosts} takes them. */
    public String hosts() {
        return String.join(",", nodes.stream().map(RedisServer::uri).toList());
    }

    /** Returns the node that is the master of a key's slot now. */
    public RedisServer masterOf(String key) {
        // Each node knows all slots.
        RedisServer anyNode = nodes.stream().filter(RedisServer::isAlive).findFirst().orElseThrow();
        long slot = anyNode.command("CLUSTER", "KEYSLOT", key).number();
        return anyNode.command("CLUSTER", "SLOTS").items().stream()
                .filter(range -> contains(range, slot))
                .map(range -> range.items().get(2).items().get(1).number())
                .map(this::nodeOnPort)
                .findFirst()
                .orElseThrow();
    }

    /** Waits until a master's replica has everything that was written there. */
    public void awaitReplicated(RedisServer master) {
        Timeouts.await("replica of " + master)
                .until(
                        () -> {
                            String info = master.command("INFO", "replication").text();
                            return REPLICATED.matcher(info).find();
                        });
    }

    /** Waits until all nodes live, know each other as living, and each slot has a replica. */
    public void awaitWhole() {
        for (RedisServer node : nodes) {
            Timeouts.await("cluster at " + node)
                    .ignoreException(RedisServer.ErrorReply.class)
                    .until(() -> isWhole(node));
        }
    }

    /** Waits until all other nodes know that this one is dead. */
    public void awaitFailed(RedisServer dead) {
        Pattern failed = Pattern.compile(":%d@\\S+ \\S*\\bfail\\b[^?]".formatted(dead.port()));
        for (RedisServer node : nodes) {
            if (node.isAlive()) {
                Timeouts.await(node + " to know that " + dead + " is dead")
                        .until(
                                () ->
                                        failed.matcher(node.command("CLUSTER", "NODES").text())
                                                .find());
            }
        }
    }

    private void startNodes() {
        for (int i = 0; i < 2 * MASTERS; i++) {
            nodes.add(
                    RedisServer.start(
                            "cluster-enabled yes",
                            "cluster-node-timeout 5000",
                            // However long the replica had no contact: the tests decide what it
                            // has.
                            "cluster-replica-validity-factor 0",
                            "repl-diskless-sync-delay 0"));
        }
    }

    private void join() {
        for (int i = 0; i < nodes.size(); i++) {
            nodes.get(i).command("CLUSTER", "SET-CONFIG-EPOCH", Integer.toString(i + 1));
        }
        for (int i = 0; i < MASTERS; i++) {
            List<String> slots = new ArrayList<>(List.of("CLUSTER", "ADDSLOTS"));
            IntStream.range(i * SLOTS / MASTERS, (i + 1) * SLOTS / MASTERS)
                    .forEach(slot -> slots.add(Integer.toString(slot)));
            nodes.get(i).command(slots.toArray(String[]::new));
        }
        for (RedisServer other : nodes.subList(1, nodes.size())) {
            nodes.get(0).command("CLUSTER", "MEET", "127.0.0.1", Integer.toString(other.port()));
        }
        for (int i = 0; i < MASTERS; i++) {
            String master = nodes.get(i).command("CLUSTER", "MYID").text();
            RedisServer replica = nodes.get(MASTERS + i);
            Timeouts.await("replica " + replica)
                    .ignoreException(
                            RedisServer.ErrorReply.class) // It does not know the master yet.
                    .until(() -> !replica.command("CLUSTER", "REPLICATE", master).isNil());
        }
        awaitWhole();
    }

    private boolean isWhole(RedisServer node) {
        List<RedisServer.Reply> ranges = node.command("CLUSTER", "SLOTS").items();
        // Each range has its first and last slot, and then the master and its live replicas.
        return node.command("CLUSTER", "INFO").text().contains("cluster_state:ok")
                && ranges.size() == MASTERS
                && ranges.stream().allMatch(range -> range.items().size() == 4)
                && !node.command("CLUSTER", "NODES").text().contains("fail");
    }

    private static boolean contains(RedisServer.Reply range, long slot) {
        return range.items().get(0).number() <= slot && slot <= range.items().get(1).number();
    }

    private RedisServer nodeOnPort(long port) {
        return nodes.stream().filter(node -> node.port() == port).findFirst().orElseThrow();
    }

    @Override
    public void close() {
        nodes.forEach(RedisServer::close);
    }
}
