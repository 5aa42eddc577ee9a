package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Ports;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.TcpProxy;
import dev.parley.testsupport.Timeouts;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A Redis behind a TCP proxy, and what can happen to it. Each fault tells the oracle what it may
 * have lost, and returns when its cause is gone.
 */
final class RedisChaos implements Closeable {

    /** What happens to Redis, or to what Parley keeps there. */
    enum Fault {
        RESTART_FROM_SNAPSHOT,
        PROMOTED_REPLICA,
        SNAPSHOTS_THAT_FAIL,
        READ_ONLY,
        FLUSHALL,
        LOST_HEAD,
        LOST_LOG,
        LOST_RECEIPT,
        USED_KEY
    }

    /** What goes on meanwhile. */
    interface Traffic {

        /** Returns when some more texts are acknowledged. */
        void goOn();

        /** Publishes a text under its key at any pod until that is acknowledged; returns the id. */
        String publish(String text);

        /** A pod. */
        Http pod();
    }

    private static final String HEAD = "parley:{" + ChaosIT.ROOM + "}:head";
    private static final String LOG = "parley:{" + ChaosIT.ROOM + "}:log";

    private final ChaosOracle oracle;
    private final Traffic traffic;
    private RedisServer redis = RedisServer.start();
    private final TcpProxy network = TcpProxy.to(redis.port());

    RedisChaos(ChaosOracle oracle, Traffic traffic) {
        this.oracle = oracle;
        this.traffic = traffic;
    }

    /** The address for pods. */
    String uri() {
        return network.uri("redis");
    }

    void cause(Fault fault) {
        switch (fault) {
            case RESTART_FROM_SNAPSHOT -> restartFromSnapshot();
            case PROMOTED_REPLICA -> promoteReplica();
            case SNAPSHOTS_THAT_FAIL -> failSnapshots();
            case READ_ONLY -> makeReadOnly();
            case FLUSHALL -> flushAll();
            case LOST_HEAD -> loseHead();
            case LOST_LOG -> loseLog();
            case LOST_RECEIPT -> loseReceipt();
            case USED_KEY -> reuseKey();
        }
    }

    private void restartFromSnapshot() {
        long before = System.nanoTime();
        RedisServer.Snapshot snapshot = redis.snapshot();
        traffic.goOn();
        redis.restartFrom(snapshot);
        oracle.onWentBack(before);
    }

    /** The former primary lives on as a replica, and the pods' connections to it stay open. */
    private void promoteReplica() {
        RedisServer former = redis;
        // Not started as a replica: it would be one again after a restart.
        RedisServer replica = RedisServer.start();
        // Not only from the promotion on: the replica may lack what was accepted just before.
        long before = System.nanoTime();
        replicate(replica, former.port());
        replica.awaitMaster();
        replica.promote();
        traffic.goOn();
        network.retarget(replica.port());
        replicate(former, replica.port());
        redis = replica;
        Timeouts.await("pods to leave the former primary").until(() -> subscriptions(former) == 0);
        former.close();
        oracle.onWentBack(before);
    }

    /** A directory in the place of the file makes each snapshot fail. */
    private void failSnapshots() {
        Path data = Path.of(redis.command("CONFIG", "GET", "dir").items().get(1).text());
        Path file = data.resolve("dump.rdb");
        redis.command("CONFIG", "SET", "save", "3600 1");
        replaceByDirectory(file);
        awaitSnapshot("err");
        awaitRefusal("MISCONF");
        awaitHistory();
        delete(file);
        awaitSnapshot("ok");
        redis.command("CONFIG", "SET", "save", "");
    }

    private void awaitSnapshot(String result) {
        Timeouts.await("snapshot: " + result)
                .until(
                        () -> {
                            String info = redis.command("INFO", "persistence").text();
                            if (info.contains("rdb_bgsave_in_progress:0")) {
                                redis.command("BGSAVE");
                            }
                            return info.contains("rdb_last_bgsave_status:" + result);
                        });
        Timeouts.await("snapshot to end")
                .until(
                        () ->
                                redis.command("INFO", "persistence")
                                        .text()
                                        .contains("rdb_bgsave_in_progress:0"));
    }

    private void makeReadOnly() {
        replicate(redis, Ports.free());
        awaitRefusal("");
        redis.promote();
    }

    private void flushAll() {
        redis.command("FLUSHALL");
        oracle.onAllLost();
    }

    private void loseHead() {
        redis.command("DEL", HEAD);
        oracle.onAllLost();
    }

    private void loseLog() {
        RedisServer.Reply lost =
                redis.command(
                        "EVAL",
                        "local all = redis.call('XRANGE', KEYS[1], '-', '+')"
                                + " redis.call('DEL', KEYS[1])"
                                + " local texts = {}"
                                + " for i, one in ipairs(all) do"
                                + "   texts[i] = cjson.decode(one[2][4]).text"
                                + " end"
                                + " return texts",
                        "1",
                        LOG);
        oracle.onLogLost(lost.items().stream().map(RedisServer.Reply::text).toList());
    }

    private void loseReceipt() {
        String text = "receipt-1";
        oracle.onPublishedTwice(text);
        String first = traffic.publish(text);
        redis.command(
                "DEL", "parley:{" + ChaosIT.ROOM + "}:receipt:" + Pods.key(ChaosIT.ROOM, text));
        assertThat(traffic.publish(text)).isNotEqualTo(first);
    }

    /** A repeat gets the first receipt, and another text under the same key is refused. */
    private void reuseKey() {
        String text = "key-1";
        String id = traffic.publish(text);
        assertThat(traffic.publish(text)).isEqualTo(id);
        String other = "never accepted";
        oracle.onRefused(other);
        Timeouts.await("422")
                .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                .until(
                        () -> {
                            int status =
                                    traffic.pod()
                                            .with("Idempotency-Key", Pods.key(ChaosIT.ROOM, text))
                                            .sendForm(other, "room", ChaosIT.ROOM)
                                            .status();
                            assertThat(status).isIn(422, 503);
                            return status == 422;
                        });
    }

    private static void replicate(RedisServer server, int port) {
        server.command("REPLICAOF", "127.0.0.1", Integer.toString(port));
    }

    private static long subscriptions(RedisServer server) {
        return server.command("PUBSUB", "NUMSUB", "chat").items().get(1).number();
    }

    private void awaitRefusal(String word) {
        Timeouts.await("503 " + word)
                .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                .until(
                        () -> {
                            Http.Answer answer =
                                    traffic.pod().sendForm("refused", "room", "elsewhere");
                            return answer.status() == 503 && answer.body().contains(word);
                        });
    }

    private void awaitHistory() {
        String history = "/rooms/" + ChaosIT.ROOM + "/messages?limit=1";
        Timeouts.await("history though writes are refused")
                .until(() -> traffic.pod().get(history).body().contains("\"text\":"));
    }

    private static void replaceByDirectory(Path file) {
        delete(file);
        try {
            Files.createDirectory(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path fileOrEmptyDirectory) {
        try {
            Files.deleteIfExists(fileOrEmptyDirectory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        network.close();
        redis.close();
    }
}
