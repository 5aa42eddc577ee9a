package dev.parley.testsupport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.UncheckedIOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class RedisServerTest {

    @Test
    void commands_haveTheirReplies() {
        try (RedisServer redis = RedisServer.start("maxmemory 64mb")) {
            assertThat(redis.command("SET", "a", "é\r\n").text()).isEqualTo("OK");
            assertThat(redis.command("GET", "a").text()).isEqualTo("é\r\n");
            assertThat(redis.command("GET", "b").isNil()).isTrue();
            assertThat(redis.command("CONFIG", "GET", "maxmemory").toString())
                    .isEqualTo("[maxmemory, 67108864]");
            redis.command("XADD", "s", "1-0", "k", "v");
            assertThat(redis.command("XRANGE", "s", "-", "+").toString())
                    .isEqualTo("[[1-0, [k, v]]]");
            assertThatThrownBy(() -> redis.command("NONSENSE"))
                    .isInstanceOf(RedisError.class)
                    .hasMessageContaining("unknown command");
            assertThat(redis.uri()).isEqualTo("redis://127.0.0.1:" + redis.port());
        }
    }

    @Test
    void killed_answersNothing_untilItIsRestartedOnItsPort() {
        try (RedisServer redis = RedisServer.start()) {
            int port = redis.port();

            redis.kill();
            assertThatThrownBy(() -> redis.command("PING"))
                    .isInstanceOf(UncheckedIOException.class);

            redis.restart();
            assertThat(redis.command("PING").text()).isEqualTo("PONG");
            assertThat(redis.port()).isEqualTo(port);
        }
    }

    @Test
    void restart_withPersistence_hasItsData_evenAfterAKill() {
        try (RedisServer redis = RedisServer.startWithPersistence()) {
            redis.command("SET", "a", "1");

            redis.kill();
            redis.restart();
            assertThat(redis.command("GET", "a").text()).isEqualTo("1");

            redis.restart();
            assertThat(redis.command("GET", "a").text()).isEqualTo("1");
        }
    }

    @Test
    void restart_withoutPersistence_isEmpty() {
        try (RedisServer redis = RedisServer.start()) {
            redis.command("SET", "a", "1");

            redis.restart();

            assertThat(redis.command("GET", "a").isNil()).isTrue();
        }
    }

    @Test
    void restartEmpty_forgetsWhatIsOnDisk() {
        try (RedisServer redis = RedisServer.startWithPersistence()) {
            redis.command("SET", "a", "1");

            redis.restartEmpty();

            assertThat(redis.command("GET", "a").isNil()).isTrue();
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void paused_answersNothing_untilResumed() {
        try (RedisServer redis = RedisServer.start()) {
            redis.pause();

            try (RedisConnection connection =
                    RedisConnection.open(redis.port(), Duration.ofMillis(100))) {
                assertThatThrownBy(() -> connection.command("PING"))
                        .isInstanceOf(UncheckedIOException.class);
            }

            redis.resume();
            assertThat(redis.command("PING").text()).isEqualTo("PONG");
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void paused_canBeStoppedAndKilled() {
        try (RedisServer redis = RedisServer.start()) {
            redis.pause();
            redis.stop();
            redis.restart();

            redis.pause();
            redis.kill();

            assertThatThrownBy(() -> redis.command("PING"))
                    .isInstanceOf(UncheckedIOException.class);
        }
    }

    @Test
    void badConfiguration_failsWithRedissWords() {
        assertThatThrownBy(() -> RedisServer.start("no-such-directive 1"))
                .hasMessageContaining("no-such-directive");
    }
}
