package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TcpProxy;
import dev.parley.testsupport.Timeouts;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A script of another program blocks Redis, which then answers every command with {@code BUSY}: the
 * pod says so once and goes on when the script has ended.
 */
class RedisBusyIT {

    private static final String ROOM = "room";

    @AutoClose private RedisServer redis;
    @AutoClose private TcpProxy proxy;

    @BeforeEach
    void start() {
        redis = RedisServer.start();
        proxy = TcpProxy.to(redis.port());
        // Newer servers call it busy-reply-threshold, and know this name too.
        redis.command("CONFIG", "SET", "lua-time-limit", "100");
    }

    private ParleyProcess.Builder pod() {
        return Pods.quickToDetectFaults()
                .config("parley.redis.max-backoff", "50MS")
                .redis(proxy.uri("redis"));
    }

    @Test
    void pod_saysWhyAndWhatToDo_triesOn_andGoesOnWhenTheScriptIsKilled() {
        try (var pod = pod().start().awaitReady();
                SseReader reader = Pods.open(pod, ROOM)) {
            Pods.publishNumbers(pod, ROOM, 1, 5);
            reader.awaitMessages(5);
            CompletableFuture<?> script = blockRedis();

            Http http = new Http(pod.uri());
            Timeouts.await("refused publish")
                    .until(() -> http.sendForm("refused", "room", ROOM).body().contains("BUSY"));
            assertThat(http.sendForm("refused", "room", ROOM).status()).isEqualTo(503);
            awaitReason(pod);
            awaitConnections(20);
            assertThat(http.get("/rooms/room/messages").body()).contains("BUSY");
            assertSaidOnce(pod);
            assertThat(new Metrics(pod).value("parley_redis_refusals_total{reason=\"busy\"}"))
                    .isPositive();

            redis.command("SCRIPT", "KILL");
            assertThatThrownBy(script::join).hasMessageContaining("killed");
            pod.awaitReady();
            Pods.publishNumbers(pod, ROOM, 6, 10);
            reader.awaitData("10");
            assertThat(reader.data()).isEqualTo(numbers(1, 10));
            assertThat(reader.events("gap")).isEmpty();
            assertThat(reader.connections()).isOne();
            assertSaidOnce(pod);
        }
    }

    @Test
    void podThatStartsMeanwhile_saysWhy_andIsReadyWhenTheScriptIsKilled() {
        blockRedis();
        Timeouts.await("BUSY").until(this::isBusy);
        try (var pod = pod().start()) {
            awaitReason(pod);
            awaitConnections(20);
            assertSaidOnce(pod);

            redis.command("SCRIPT", "KILL");
            pod.awaitReady();
            assertSaidOnce(pod);
        }
    }

    private boolean isBusy() {
        try {
            redis.command("GET", "any");
            return false;
        } catch (RuntimeException e) {
            return e.getMessage().startsWith("BUSY");
        }
    }

    private CompletableFuture<?> blockRedis() {
        return CompletableFuture.supplyAsync(() -> redis.command("EVAL", "while true do end", "0"));
    }

    private void awaitReason(ParleyProcess pod) {
        Http management = pod.management();
        Timeouts.await("reason")
                .until(() -> management.get("/q/health/ready").body().contains("SCRIPT KILL"));
        pod.awaitReadiness(503);
        new Metrics(pod).awaitValue("parley_subscription_up", 0);
    }

    private void awaitConnections(int count) {
        int before = proxy.accepted();
        Timeouts.await(count + " attempts").until(() -> proxy.accepted() >= before + count);
    }

    private static void assertSaidOnce(ParleyProcess pod) {
        assertThat(pod.log().lines().filter(line -> line.contains("WARN")))
                .as("one line for each of the two connections")
                .hasSize(2)
                .anyMatch(line -> saysBusy(line, "Redis command connection"))
                .anyMatch(line -> saysBusy(line, "Redis subscription connection"))
                .allMatch(line -> line.contains("SCRIPT KILL ends it"));
        assertThat(pod.log()).doesNotContain("\tat ").doesNotContain("nothing heard");
    }

    /** The words are those of the server, Redis or Valkey. */
    private static boolean saysBusy(String line, String connection) {
        return line.contains(connection + ": BUSY Redis is busy")
                || line.contains(connection + ": BUSY Valkey is busy");
    }
}
