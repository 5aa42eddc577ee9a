package dev.parley.broker.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.TcpProxy;
import dev.parley.testsupport.Timeouts;
import dev.parley.testsupport.TlsProxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Redis refuses a pod, or there is no Redis at its address. The pod keeps trying with growing
 * pauses; the answer to the readiness probe has the reason, and the log has it once.
 */
final class RedisRefusesConnectionIT {

    private static final String PASSWORD = "s3cret-of-this-test";

    @TempDir Path directory;

    private static ParleyProcess.Builder pod(String redis) {
        return ParleyProcess.builder()
                .redis(redis)
                .config("parley.redis.probe-interval", "100MS")
                .config("parley.redis.min-backoff", "10MS")
                .config("parley.redis.max-backoff", "50MS");
    }

    @Test
    void accountWithoutRightsOnTheChannels_isNamedOnce_andNoticedWhenItGetsThem() {
        try (var redis = RedisServer.start();
                var proxy = TcpProxy.to(redis.port())) {
            redis.command("ACL", "SETUSER", "default", "resetchannels");
            try (var pod = pod(proxy.uri("redis")).start()) {
                awaitReason(pod, "NOPERM");
                awaitConnections(proxy, 20);

                assertThat(lines(pod, "NOPERM"))
                        .as(pod.log())
                        .hasSize(2)
                        .anyMatch(line -> line.contains("k8s/redis/users.acl"))
                        .anyMatch(line -> line.contains("Redis subscription connection: NOPERM"))
                        .anyMatch(line -> line.contains("Not ready: no subscription"));
                assertThat(pod.log()).doesNotContain("\tat ");

                redis.command("ACL", "SETUSER", "default", "allchannels");
                pod.awaitReady();
                assertThat(lines(pod, "Redis subscription connection is up")).hasSize(1);
            }
        }
    }

    @Test
    void wrongPassword_isNamedOnce_andNotPrinted() {
        try (var redis = RedisServer.start();
                var proxy = TcpProxy.to(redis.port())) {
            redis.command("ACL", "SETUSER", "pod", "on", ">right", "~*", "&*", "+@all");
            try (var pod = pod("redis://pod:" + PASSWORD + "@127.0.0.1:" + proxy.port()).start()) {
                awaitReason(pod, "WRONGPASS");
                awaitConnections(proxy, 20);

                assertThat(lines(pod, "Redis command connection: WRONGPASS")).hasSize(1);
                assertThat(lines(pod, "Redis subscription connection: WRONGPASS")).hasSize(1);
                assertThat(everythingOf(pod)).doesNotContain(PASSWORD);
                assertThat(redis.command("CLIENT", "LIST").text().lines())
                        .as("refused connections are closed")
                        .hasSizeLessThan(10);
            }
        }
    }

    @Test
    void renamedCommands_areNamed_withoutTheirArguments() throws IOException {
        for (String renamed : List.of("SUBSCRIBE", "EVALSHA", "AUTH")) {
            Path acl = directory.resolve(renamed + ".acl");
            Files.writeString(acl, "user default on >" + PASSWORD + " ~* &* +@all\n");
            String[] config = {"rename-command " + renamed + " \"\"", "aclfile " + acl};
            var builder = RedisServer.builder().config(config).login("default", PASSWORD);
            if (renamed.equals("AUTH")) {
                builder =
                        RedisServer.builder()
                                .config("rename-command AUTH \"\"", "rename-command HELLO \"\"");
            }
            try (var redis = builder.start();
                    var pod = pod("redis://:" + PASSWORD + "@127.0.0.1:" + redis.port()).start()) {
                if (renamed.equals("AUTH")) {
                    // Redis has no password, so that the pod needs none.
                    pod.awaitReady();
                } else {
                    awaitReason(pod, "ERR unknown command");
                    assertThat(pod.log()).containsIgnoringCase(renamed);
                    assertThat(lines(pod, "connection: ", "unknown command")).hasSize(1);
                }
                assertThat(everythingOf(pod)).doesNotContain(PASSWORD);
            }
        }
    }

    @Test
    void unknownHost_isNamedOnce() {
        try (var pod = pod("redis://:" + PASSWORD + "@no-such-host.invalid:6379").start()) {
            awaitReason(pod, "unknown host no-such-host.invalid");
            assertThat(lines(pod, "Redis command connection: unknown host")).hasSize(1);
            assertThat(everythingOf(pod)).doesNotContain(PASSWORD);
        }
    }

    @Test
    void plainServerAtATlsAddress_isNamed() {
        try (var redis = RedisServer.start();
                var pod =
                        pod("rediss://:" + PASSWORD + "@127.0.0.1:" + redis.port())
                                .config("parley.redis.timeout", "1S")
                                .start()) {
            awaitReason(pod, "TLS");
            assertThat(lines(pod, "Redis command connection: ").size()).isBetween(1, 3);
            assertThat(everythingOf(pod)).doesNotContain(PASSWORD);
        }
    }

    @Test
    void untrustedTlsServer_isNamed() {
        try (var redis = RedisServer.start();
                var server = TlsProxy.to(redis.port(), directory, "localhost");
                var pod = pod("rediss://:" + PASSWORD + "@127.0.0.1:" + server.port()).start()) {
            awaitReason(pod, "TLS failed");
            assertThat(lines(pod, "Redis command connection: TLS failed")).hasSize(1);
            assertThat(everythingOf(pod)).doesNotContain(PASSWORD);
        }
    }

    /** All that an operator or a client can see of a pod. */
    private static String everythingOf(ParleyProcess pod) {
        var management = pod.management();
        return pod.log()
                + management.get("/q/health").body()
                + management.get("/q/metrics").body()
                + new Http(pod.uri()).get("/rooms/lobby/messages").body();
    }

    private static void awaitReason(ParleyProcess pod, String reason) {
        var http = pod.management();
        Timeouts.await("reason " + reason)
                .until(() -> http.get("/q/health/ready").body().contains(reason));
        pod.awaitReadiness(503);
        new Metrics(pod).awaitValue("parley_subscription_up", 0);
    }

    private static void awaitConnections(TcpProxy proxy, int count) {
        int before = proxy.accepted();
        Timeouts.await(count + " attempts").until(() -> proxy.accepted() >= before + count);
    }

    private static List<String> lines(ParleyProcess pod, String... parts) {
        return pod.log()
                .lines()
                .filter(line -> List.of(parts).stream().allMatch(line::contains))
                .toList();
    }
}
