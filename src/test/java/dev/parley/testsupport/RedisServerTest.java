package dev.parley.testsupport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.testsupport.RedisServer.Connection;
import dev.parley.testsupport.RedisServer.Snapshot;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RedisServerTest {

    @Test
    void serverInMemory_isRestartedOnItsPort_withoutItsData() {
        try (RedisServer redis = RedisServer.start()) {
            int port = redis.port();
            redis.command("SET", "a", "1");

            redis.kill();
            assertThatThrownBy(() -> redis.command("PING"))
                    .isInstanceOf(UncheckedIOException.class);
            redis.restart();

            assertThat(redis.command("GET", "a").isNil()).isTrue();
            assertThat(redis.port()).isEqualTo(port);
        }
    }

    @Test
    void persistentServer_hasItsData_afterAKillAndAfterAStop_butNotAfterRestartEmpty() {
        try (RedisServer redis = RedisServer.startWithPersistence()) {
            redis.command("SET", "a", "é\r\n");

            redis.kill();
            redis.restart();
            assertThat(redis.command("GET", "a").text()).isEqualTo("é\r\n");
            redis.restart();
            assertThat(redis.command("GET", "a").text()).isEqualTo("é\r\n");

            redis.restartEmpty();
            assertThat(redis.command("GET", "a").isNil()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void serverRestartedFromASnapshot_hasLostLaterWrites_andIsPersistentAsBefore(
            boolean persistent) {
        Supplier<RedisServer> start =
                persistent ? RedisServer::startWithPersistence : RedisServer::start;
        try (RedisServer redis = start.get()) {
            redis.command("SET", "a", "1");
            Snapshot snapshot = redis.snapshot();
            redis.command("SET", "a", "2");

            redis.restartFrom(snapshot);
            assertThat(redis.command("GET", "a").text()).isEqualTo("1");

            redis.command("SET", "b", "3");
            redis.kill();
            redis.restart();
            assertThat(redis.command("GET", "b").isNil()).isEqualTo(!persistent);
        }
    }

    @Test
    void replica_hasItsMastersData_andAcceptsWritesOncePromoted() {
        try (RedisServer master = RedisServer.start()) {
            master.command("SET", "a", "1");
            try (RedisServer replica = RedisServer.builder().replicaOf(master).start()) {
                assertThat(replica.command("GET", "a").text()).isEqualTo("1");
                assertThatThrownBy(() -> replica.command("SET", "a", "2"))
                        .hasMessageContaining("READONLY");

                replica.promote();

                assertThat(replica.command("SET", "a", "2").text()).isEqualTo("OK");
                assertThat(master.command("GET", "a").text()).isEqualTo("1");
            }
        }
    }

    @Test
    void configLines_overrideTheDefaults_andUsersOfAnAclFileLogIn(@TempDir Path directory)
            throws IOException {
        Path acl = directory.resolve("users.acl");
        Files.writeString(acl, "user default off\nuser root on >secret ~* &* +@all\n");

        try (RedisServer redis =
                RedisServer.builder()
                        .config("aclfile " + acl, "maxmemory 64mb", "save 3600 1")
                        .login("root", "secret")
                        .start()) {
            assertThat(redis.command("CONFIG", "GET", "maxmemory").toString())
                    .isEqualTo("[maxmemory, 67108864]");
            assertThat(redis.command("CONFIG", "GET", "save").toString())
                    .isEqualTo("[save, 3600 1]");
            redis.kill();
            redis.restart();
            assertThat(redis.command("ACL", "WHOAMI").text()).isEqualTo("root");
        }
    }

    @Test
    void starts_isTrueOnlyOfAProgramThatRunsHere() {
        assertThat(RedisServer.starts(RedisServer.program())).isTrue();
        assertThat(RedisServer.starts("/no/such/program")).isFalse();
        assertThat(RedisServer.starts("false")).isFalse();
    }

    @Test
    void pausedServer_answersNothing_andCanBeResumedStoppedAndKilled() {
        try (RedisServer redis = RedisServer.start()) {
            redis.pause();
            try (Connection connection = redis.connect(Duration.ofMillis(100))) {
                assertThatThrownBy(() -> connection.command("PING"))
                        .isInstanceOf(UncheckedIOException.class);
            }
            redis.resume();
            assertThat(redis.command("PING").text()).isEqualTo("PONG");

            redis.pause();
            redis.restart();
            assertThat(redis.command("PING").text()).isEqualTo("PONG");

            redis.pause();
            redis.kill();
            assertThatThrownBy(() -> redis.command("PING"))
                    .isInstanceOf(UncheckedIOException.class);
        }
    }

    @Test
    void unknownDirective_failsTheStart_withRedissMessage() {
        assertThatThrownBy(() -> RedisServer.start("no-such-directive 1"))
                .hasMessageContaining("no-such-directive");
    }
}
