package dev.parley.testsupport;

import java.io.Closeable;
import java.time.Duration;
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
        return masterOf(anyNode(), slotOf(key));
    }

    private RedisServer masterOf(RedisServer asked, long slot) {
        return asked.command("CLUSTER", "SLOTS").items().stream()
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

    /** Returns the slot of a key or channel. */
    public int slotOf(String key) {
        return (int) anyNode().command("CLUSTER", "KEYSLOT", key).number();
    }

    /** Tells whether the nodes have sharded publish/subscribe: Redis 7 and later. */
    public boolean isSharded() {
        return !anyNode().command("INFO", "server").text().contains("redis_version:6.");
    }

    /** Returns the subscriptions to a channel of a slot at a node. */
    public long subscribers(RedisServer node, String channel) {
        String count = isSharded() ? "SHARDNUMSUB" : "NUMSUB";
        return node.command("PUBSUB", count, channel).items().get(1).number();
    }

    /** Sets for how long a master that does not answer keeps its slots, at all nodes that live. */
    public void setNodeTimeout(Duration timeout) {
        String millis = Long.toString(timeout.toMillis());
        nodes.stream()
                .filter(RedisServer::isAlive)
                .forEach(node -> node.command("CONFIG", "SET", "cluster-node-timeout", millis));
    }

    /**
     * Starts a further node, a master without slots, and returns when all nodes know it, and when
     * it takes keys: for a moment after it has learned of the others it regards the cluster as
     * down.
     */
    public RedisServer addMaster() {
        RedisServer added = startNode();
        nodes.add(added);
        String port = Integer.toString(added.port());
        nodes.get(0).command("CLUSTER", "MEET", "127.0.0.1", port);
        for (RedisServer node : nodes) {
            Timeouts.await("all nodes to be known, and the cluster whole, at " + node)
                    .until(
                            () -> {
                                String info = node.command("CLUSTER", "INFO").text();
                                return info.contains("cluster_known_nodes:" + nodes.size())
                                        && info.contains("cluster_state:ok");
                            });
        }
        return added;
    }

    /** Moves the slot of a key with all its keys to another master, as an operator does. */
    public void move(String key, RedisServer to) {
        var move = new Move(key, to);
        move.begin();
        move.moveKeys();
        move.finish();
    }

    /** A slot that moves from one master to another, step by step. */
    public final class Move {

        private final RedisServer from;
        private final RedisServer to;
        private final String slot;

        /** Prepares the move of the slot of a key. */
        public Move(String key, RedisServer to) {
            this.from = masterOf(key);
            this.to = to;
            this.slot = Integer.toString(slotOf(key));
        }

        /** Lets the one node send the slot and the other one receive it. */
        public void begin() {
            to.command("CLUSTER", "SETSLOT", slot, "IMPORTING", id(from));
            from.command("CLUSTER", "SETSLOT", slot, "MIGRATING", id(to));
        }

        /** Moves all keys that the slot has now. */
        public void moveKeys() {
            while (true) {
                List<String> keys =
                        from.command("CLUSTER", "GETKEYSINSLOT", slot, "100").items().stream()
                                .map(RedisServer.Reply::text)
                                .toList();
                if (keys.isEmpty()) {
                    return;
                }
                List<String> migrate = new ArrayList<>();
                migrate.addAll(List.of("MIGRATE", "127.0.0.1", Integer.toString(to.port())));
                migrate.addAll(List.of("", "0", "60000", "KEYS"));
                migrate.addAll(keys);
                from.command(migrate.toArray(String[]::new));
            }
        }

        /** Returns how many commands both nodes have refused since they were started. */
        public long refusals() {
            return refusals(from) + refusals(to);
        }

        private static long refusals(RedisServer node) {
            String errors = node.command("INFO", "errorstats").text();
            return errors.lines()
                    .filter(line -> line.startsWith("errorstat_TRYAGAIN:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D+", "")))
                    .sum();
        }

        /** Gives the slot to its new node, and returns when all nodes know it. */
        public void finish() {
            to.command("CLUSTER", "SETSLOT", slot, "NODE", id(to));
            try {
                from.command("CLUSTER", "SETSLOT", slot, "NODE", id(to));
            } catch (RedisServer.ErrorReply e) {
                // It was the last slot, and the node has become a replica of the new one already.
                if (!e.getMessage().contains("only with masters")) {
                    throw e;
                }
            }
            for (RedisServer node : nodes) {
                if (node.isAlive()) {
                    Timeouts.await(node + " to know the new node of slot " + slot)
                            .until(() -> masterOf(node, Long.parseLong(slot)).equals(to));
                }
            }
        }

        private static String id(RedisServer node) {
            return node.command("CLUSTER", "MYID").text();
        }
    }

    private RedisServer anyNode() {
        return nodes.stream().filter(RedisServer::isAlive).findFirst().orElseThrow();
    }

    private void startNodes() {
        for (int i = 0; i < 2 * MASTERS; i++) {
            nodes.add(startNode());
        }
    }

    private static RedisServer startNode() {
        return RedisServer.start(
                "cluster-enabled yes",
                "cluster-node-timeout 5000",
                // However long the replica had no contact: the tests decide what it has.
                "cluster-replica-validity-factor 0",
                "repl-diskless-sync-delay 0");
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
