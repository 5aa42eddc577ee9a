package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.net.NetClientOptions;
import io.vertx.redis.client.RedisClientType;
import io.vertx.redis.client.RedisOptions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The order in which the servers of a list are asked, and the options that are used. */
class RedisClientsTest {

    private static final List<String> CONFIGURED =
            List.of(
                    "redis://:secret@sentinel_0:26379",
                    "redis://sentinel-1:26379/0",
                    " redis://[::1]:26379",
                    "redis://sentinel-1:26380");

    @Test
    void order_isThatOfTheConfiguration() {
        List<String> known = CONFIGURED.stream().map(String::strip).toList();
        var shuffled = new ArrayList<>(known);
        for (int seed = 0; seed < 20; seed++) {
            Collections.shuffle(shuffled, new Random(seed));

            assertThat(RedisClients.inOrder(shuffled, CONFIGURED)).isEqualTo(known);
        }
    }

    @Test
    void order_withANameOfTheClient_isThatOfTheConfiguration() {
        assertThat(
                        RedisClients.inOrder(
                                List.of("redis://b:1?client=parley", "redis://a:1?client=parley"),
                                List.of("redis://a:1", "redis://b:1")))
                .containsExactly("redis://a:1?client=parley", "redis://b:1?client=parley");
    }

    /** The probe's messages may be all that a connection carries, and be rarer. */
    @ParameterizedTest
    @EnumSource
    void idleTimeouts_areIgnored(RedisClientType type) {
        var options = new RedisOptions().setType(type);
        options.getNetClientOptions()
                .setIdleTimeout(1)
                .setReadIdleTimeout(1)
                .setWriteIdleTimeout(1);

        new RedisClients(Optional.empty()).customize("", options);

        NetClientOptions used = options.getNetClientOptions();
        assertThat(used.getIdleTimeout()).isZero();
        assertThat(used.getReadIdleTimeout()).isZero();
        assertThat(used.getWriteIdleTimeout()).isZero();
    }

    @Test
    void order_ofAddressesThatWereNotConfigured_isTheGivenOne() {
        assertThat(RedisClients.inOrder(List.of("redis://b:1", "redis://a:1"), List.of()))
                .containsExactly("redis://b:1", "redis://a:1");
    }
}
