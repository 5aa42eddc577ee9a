package dev.parley.guarantees;

import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisSentinels;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.Timeouts;
import java.io.Closeable;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A primary with two replicas that three Sentinels watch, and what can happen to the primary. Each
 * fault tells the oracle what it may have lost, and returns when there are a primary and two
 * replicas again.
 */
final class SentinelChaos implements Closeable {

    /** What happens to the primary. */
    enum Fault {
        /** It is killed, and comes back empty as a replica of the one that took its place. */
        KILLED,
        /** It hangs until another one has taken its place, and comes back as a replica. */
        PAUSED,
        /**
         * An operator replaces it. It is well, and goes on accepting messages for some ten seconds,
         * until the Sentinels make it a replica.
         */
        REPLACED,
        /** It closes all connections, those of the Sentinels too, again and again. */
        CUT
    }

    private static final int CUTS = 5;

    private final ChaosOracle oracle;
    private final RedisChaos.Traffic traffic;
    private final List<RedisServer> servers =
            Stream.generate(() -> RedisServer.start("repl-diskless-sync-delay 0"))
                    .limit(3)
                    .toList();
    private final RedisSentinels sentinels;
    private RedisServer primary = servers.get(0);

    SentinelChaos(ChaosOracle oracle, RedisChaos.Traffic traffic) {
        this.oracle = oracle;
        this.traffic = traffic;
        // Not started as replicas: a server that is started again would follow its first primary.
        servers.subList(1, servers.size()).forEach(replica -> replica.follow(primary));
        sentinels = RedisSentinels.watching(primary, servers.size() - 1);
    }

    /** Starts building a pod that asks the Sentinels for the primary. */
    ParleyProcess.Builder pod() {
        return Pods.quickToDetectFaults()
                .redis(sentinels.hosts())
                .config("quarkus.redis.client-type", "sentinel")
                .config("quarkus.redis.master-name", RedisSentinels.PRIMARY);
    }

    void cause(Fault fault) {
        switch (fault) {
            case KILLED -> kill();
            case PAUSED -> pause();
            case REPLACED -> replace();
            case CUT -> cut();
        }
    }

    private void kill() {
        replaceWhileAway(RedisServer::kill, RedisServer::restart);
    }

    private void pause() {
        replaceWhileAway(RedisServer::pause, RedisServer::resume);
    }

    private void replaceWhileAway(Consumer<RedisServer> leave, Consumer<RedisServer> comeBack) {
        long before = System.nanoTime();
        traffic.goOn();
        RedisServer former = primary;
        leave.accept(former);
        primary = awaitOther(former);
        comeBack.accept(former);
        former.follow(primary);
        awaitReplicas();
        oracle.onWentBack(before);
    }

    private void replace() {
        long before = System.nanoTime();
        traffic.goOn();
        sentinels.failOver();
        primary = awaitOther(primary);
        awaitReplicas();
        oracle.onWentBack(before);
    }

    private void cut() {
        for (int i = 0; i < CUTS; i++) {
            primary.command("CLIENT", "KILL", "TYPE", "normal");
            primary.command("CLIENT", "KILL", "TYPE", "pubsub");
            traffic.goOn();
        }
    }

    private RedisServer awaitOther(RedisServer former) {
        long port = sentinels.awaitOtherPrimary(former);
        return servers.stream().filter(server -> server.port() == port).findFirst().orElseThrow();
    }

    /** Waits until the other two servers are replicas of the primary and have what it has. */
    private void awaitReplicas() {
        for (RedisServer server : servers) {
            Timeouts.await(server + " to follow " + primary)
                    .ignoreException(UncheckedIOException.class)
                    .until(() -> server == primary || follows(server));
        }
    }

    private boolean follows(RedisServer server) {
        String info = server.command("INFO", "replication").text();
        return info.contains("role:slave")
                && info.contains("master_port:" + primary.port())
                && info.contains("master_link_status:up");
    }

    @Override
    public void close() {
        sentinels.close();
        servers.forEach(RedisServer::close);
    }
}
