package dev.parley;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RedisServerListTest {

    private static final String SECRET = "Qx7secretQx7";

    @Test
    void severalServers_areAccepted() {
        assertThatCode(
                        () ->
                                check(
                                        Map.of(
                                                "a",
                                                "redis://:" + SECRET + "@host",
                                                "b",
                                                "redis://host:6380",
                                                "north1",
                                                "rediss://other",
                                                "local",
                                                "unix:///run/redis.sock")))
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "North",
                "north-1",
                "north_1",
                "north.one",
                "nörd",
                "",
                "a23456789012345678901234567890123"
            })
    void badName_isRefused(String name) {
        assertThatThrownBy(() -> check(Map.of(name, "redis://127.0.0.1:1")))
                .hasMessage(
                        "parley.redis.servers."
                                + name
                                + ": the name of a server is 1 to 32 lower-case letters and"
                                + " digits");
    }

    @ParameterizedTest
    @CsvSource({
        "redis://LocalHost/1, redis://:Qx7secretQx7@localhost:6379",
        "redis://a:1?db=2, rediss://user:Qx7secretQx7@a:1/3",
        "unix:///run/redis.sock, unix:///run/redis.sock"
    })
    void sameServerUnderTwoNames_isRefused(String one, String other) {
        assertThatThrownBy(() -> check(new TreeMap<>(Map.of("a", one, "b", other))))
                .hasMessageContaining(
                        "parley.redis.servers.a and parley.redis.servers.b are the same server")
                .hasMessageNotContaining(SECRET);
    }

    @ParameterizedTest
    @ValueSource(strings = {"cluster", "sentinel", "replication"})
    void serversThatAreNotSingleOnes_areRefused(String type) {
        assertThatThrownBy(() -> RedisServerList.check(Map.of("a", "redis://a"), type))
                .hasMessageContaining(
                        "quarkus.redis.client-type is "
                                + type
                                + ", but each of parley.redis.servers");
    }

    private static void check(Map<String, String> servers) {
        RedisServerList.check(servers, "standalone");
    }
}
