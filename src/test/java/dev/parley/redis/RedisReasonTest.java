package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.redis.client.impl.types.ErrorType;
import java.net.ConnectException;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an operator reads: the words of Redis, without secrets, and the same for one cause. */
class RedisReasonTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Failed to connect to all nodes of the cluster\n- redis://user:secret@h:1: refused",
                "Failed obtaining connection to: redis://:secret@10.0.0.1:6379",
                "Cannot connect to redis://:sec@secret@h:1",
                "ERR unknown command 'AUTH', with args beginning with: 'secret' ",
                "ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `u`, `secret`,"
            })
    void secretsOfTheClientAndOfRedis_areRemoved(String message) {
        assertThat(RedisReason.of(new IllegalStateException(message))).doesNotContain("secret");
        assertThat(RedisReason.of(ErrorType.create(message)))
                .doesNotContain("secret")
                .doesNotContain("\n");
    }

    @Test
    void unknownHost_isNamed_withoutTheWordsOfTheSystem() {
        String first = RedisReason.of(new UnknownHostException("redis: Name not known"));

        assertThat(first).startsWith("unknown host redis: check the name");
        assertThat(RedisReason.of(new UnknownHostException("redis"))).isEqualTo(first);
    }

    @Test
    void refusedConnection_keepsItsWords() {
        assertThat(RedisReason.of(new ConnectException("Connection refused: h/1.2.3.4:6379")))
                .isEqualTo("Connection refused: h/1.2.3.4:6379");
    }

    /** One that is configured as a single server: each room on another node would be refused. */
    @Test
    void nodeOfACluster_isNamedAsWhatItIs() {
        assertThat(RedisReason.of(ErrorType.create("MOVED 866 10.0.0.7:6379")))
                .isEqualTo(
                        "MOVED 866 10.0.0.7:6379 (another node of the Redis Cluster has the slot;"
                                + " quarkus.redis.client-type must be cluster)");
    }

    @ParameterizedTest
    @CsvSource({
        "MISCONF Redis is configured, MISCONF",
        "ERR Error running script (call to f_1): @user_script:3: -OOM command, OOM",
        "NOREPLICAS Not enough good replicas, NOREPLICAS",
        "MASTERDOWN Link with MASTER is down, READONLY",
        "READONLY You can't write, READONLY",
        "NOPERM this user has no permissions, NOPERM",
        "ERR ACL failure in script: User a has no permissions to run the 'hset' command, NOPERM",
        "ERR The user executing the script can't run this command or subcommand, NOPERM",
        "ERR Error running script: @user_script: 3: The user executing the script can't publish to"
                + " the channel mentioned in the command, NOPERM",
        "BUSY Redis is busy, BUSY",
        "LOADING Redis is loading, LOADING",
        "BUSYGROUP group exists, OTHER",
        "WRONGTYPE wrong kind of value, OTHER"
    })
    void refusals_areKnownByTheirFirstWords_alsoInsideAnErrorOfAScript(
            String reply, RedisRefusal expected) {
        assertThat(RedisRefusal.of(ErrorType.create(reply))).contains(expected);
        assertThat(RedisRefusal.of(new IllegalStateException(reply))).isEmpty();
    }

    /** Redis 7.0 inside a script: it does not say NOPERM there. */
    @Test
    void lackingRightOfAScript_isDescribedWithAdvice() {
        String reply =
                "ERR The user executing the script can't run this command or subcommand script: 5d1c,"
                        + " on @user_script:1.";

        assertThat(RedisReason.of(ErrorType.create(reply)))
                .isEqualTo(
                        "The user executing the script can't run this command or subcommand script:"
                                + " 5d1c, on @user_script:1. (give the account of Parley the rights"
                                + " in k8s/redis/users.acl)");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "finishConnect(..) failed with error(-111): Connection refused: /127.0.0.1:6379",
                "Connection refused: redis.example/10.0.0.1:6379",
                "connection timed out after 10000 ms: redis/[fd00::1]:6379; nothing answers there",
                "unknown host redis.example: check the name in the address of Redis, and DNS",
                "the look-up of redis.example has not ended within 2000 ms: check DNS",
                "TLS failed: No name matching redis.example found; the certificate must be trusted",
                "no answer within 4000 ms: is it a Redis, does DNS answer, and does it use TLS exactly if"
                        + " the address is rediss://?",
                "10.0.0.5:6379 knows no node with slots",
                "redis-0.redis:6379 knows no node with slots",
                "[fd00::1]:6379 knows no node with slots",
                "no route to host: redis.example/<unresolved>:6379",
                "the primary is 10.0.0.7"
            })
    void reasonThatNamesAServer_isNotForClients(String reason) {
        assertThat(RedisReason.forClients("no connection", reason)).isEqualTo("no connection");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "MOVED 866 10.0.0.7:6379",
                "MOVED 866 fd00::7:6379",
                "MOVED 866 :6379",
                "ERR [0] MOVED 866 redis-1.redis:6379"
            })
    void replyThatNamesAnotherNode_isForClients_withoutTheAddress(String reply) {
        assertThat(RedisReason.forClients("Redis refused", RedisReason.of(ErrorType.create(reply))))
                .isEqualTo("Redis refused: another node of the Redis Cluster has the slot");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ASK 866 10.0.0.7:6379", "ERR [1] ASK 866 redis-1.redis:6379"})
    void replyThatASlotIsMoving_isForClients_withoutTheAddress(String reply) {
        assertThat(RedisReason.forClients("Redis refused", RedisReason.of(ErrorType.create(reply))))
                .isEqualTo(
                        "Redis refused: the slot is moving to another node of the Redis Cluster");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "TRYAGAIN Multiple keys request during rehashing of slot",
                "CLUSTERDOWN Hash slot not served"
            })
    void replyToABatch_isForClients_withoutTheWordsOfTheRedisClient(String reply) {
        assertThat(
                        RedisReason.forClients(
                                "Redis refused",
                                RedisReason.of(ErrorType.create("ERR [1] " + reply))))
                .isEqualTo("Redis refused: " + reply);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "connection closed",
                "it is a replica",
                "BUSY Redis is busy running",
                "NOPERM no permissions (give the account of Parley the rights in k8s/redis/users.acl)",
                "OOM command not allowed when used memory > 'maxmemory'. script: e0e1f9fabfc9,"
                        + " on @user_script:12.",
                "ERR Error running script (call to f_e0e1f9): @user_script:3: @user_script: 3: no",
                "MISCONF Errors writing to the AOF file: No space left on device"
            })
    void otherReason_isForClients(String reason) {
        assertThat(RedisReason.forClients("no connection", reason))
                .isEqualTo("no connection: " + reason);
    }
}
