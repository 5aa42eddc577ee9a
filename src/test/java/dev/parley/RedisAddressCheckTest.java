package dev.parley;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RedisAddressCheckTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "redis://host", "redis://host:6379/",
                "redis://:p%40ss@host:6379/15", "rediss://user:pass@10.0.0.1:6380?client=x&db=3",
                "redis://[::1]:6379", "unix:///run/redis.sock",
                "redis://a:1, redis://b:2,", "redis://:with\\,comma@host"
            })
    void addressesThatTheClientTakes_areAccepted(String addresses) {
        assertThat(RedisAddressCheck.problem(addresses)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nonsense",
                " , ",
                "redis://host,,redis://other",
                "redis://host, ",
                "host:6379",
                "redis:host",
                "redis://",
                "redis://:secret@",
                "redis://ho st",
                "redis://host:0",
                "redis://host:65536",
                "redis://host:port",
                "redis://host/x",
                "redis://host?db=x",
                "unix:",
                "redis-sentinel://host",
                "redis://good,bad",
                "secret",
                ":secret@host:6379",
                "redis://:secret^%@host:6379",
                "redis://:secret @host:6379",
                "redis://:secret/@host:6379",
                "redis://:secret@host:port",
                "redis://:secret@host:99999",
                "redis://:secret@host:6379/first",
                "redis://host:6379?db=x&password=secret",
                "http://:secret@host:6379",
                "redis://:secret[@host",
                "redis://host:6379,redis://:secret@:6379"
            })
    void addressesThatItDoesNotTake_areNamed_withoutBeingRepeated(String addresses) {
        assertThat(RedisAddressCheck.problem(addresses).orElseThrow())
                .contains("address", "redis://:password@host:6379")
                .doesNotContain("secret");
    }

    @Test
    void listWithoutAnAddress_isRefused() {
        assertThat(RedisAddressCheck.problem(","))
                .hasValue("there is no address between the commas");
    }

    @Test
    void listInThePlaceOfAServer_isRefused() {
        assertThat(
                        RedisAddressCheck.problem(
                                "parley.redis.servers.a",
                                "redis://b,redis://:secret@c",
                                "standalone"))
                .hasValueSatisfying(
                        problem ->
                                assertThat(problem)
                                        .startsWith("one address is expected, and not a list")
                                        .doesNotContain("secret"));
        assertThat(
                        RedisAddressCheck.problem(
                                "parley.redis.servers.a", "redis://:a\\,b@c", "standalone"))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "'redis://a,redis://b', standalone, several addresses are set",
        "redis://a, replication, quarkus.redis.client-type is replication",
        "'redis://a,redis://b', Replication, 'there are standalone, sentinel and cluster'",
    })
    void addressesThatTheClientTypeDoesNotTake_areRefused(
            String addresses, String type, String sentence) {
        assertThat(RedisAddressCheck.problem("quarkus.redis.hosts", addresses, type))
                .hasValueSatisfying(problem -> assertThat(problem).contains(sentence));
    }

    @ParameterizedTest
    @CsvSource({
        "'redis://a,redis://b', sentinel",
        "'redis://a,redis://b', CLUSTER",
        "'redis://a,', standalone",
        "'', replication"
    })
    void addressesThatItTakes_areAccepted(String addresses, String type) {
        assertThat(RedisAddressCheck.problem("quarkus.redis.hosts", addresses, type)).isEmpty();
    }
}
