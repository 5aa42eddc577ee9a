package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The client of a request is the rightmost address that is not a trusted proxy. */
final class ClientAddressTest {

    private static final String PROXY = "10.0.0.1";
    private static final List<String> TRUSTED = List.of("10.0.0.0/24", "[2001:db8:ffff::1]:8080");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "203.0.113.9 | 203.0.113.9",
                "6.6.6.6, 203.0.113.9 | 203.0.113.9",
                "6.6.6.6,203.0.113.9,10.0.0.7 | 203.0.113.9",
                "6.6.6.6, 203.0.113.9, 10.0.0.7, 10.0.0.8 | 203.0.113.9",
                "10.0.0.7, 10.0.0.8 | 10.0.0.7",
                "203.0.113.9:1234 | 203.0.113.9",
                "10.0.1.7 | 10.0.1.7",
                "2001:db8:1:2:3:4:5:6 | 2001:db8:1:2::/64",
                "2001:db8:1:2:ffff:: | 2001:db8:1:2::/64",
                "[2001:db8:1:2::9]:443 | 2001:db8:1:2::/64",
                "[2001:db8:1:2::9] | 2001:db8:1:2::/64",
                "203.0.113.9, 2001:db8:ffff::1 | 203.0.113.9",
                "::ffff:203.0.113.9 | 203.0.113.9",
                "203.0.113.9, ::ffff:10.0.0.7 | 203.0.113.9",
                // What is not an address ends the search.
                "203.0.113.9, unknown | 10.0.0.1",
                "203.0.113.9, unknown, 10.0.0.7 | 10.0.0.7",
                "203.0.113.9, | 10.0.0.1",
                "203.0.113.9,, 10.0.0.7 | 10.0.0.7",
                ",10.0.0.7 | 10.0.0.7",
                "'' | 10.0.0.1",
                "' ' | 10.0.0.1",
                ": | 10.0.0.1",
                "[ | 10.0.0.1",
                "[] | 10.0.0.1",
                "[::1]:x | 10.0.0.1",
                "1.2.3.4:999999 | 10.0.0.1",
                "1.2.3.4: | 10.0.0.1",
                "1.2.3 | 10.0.0.1",
                "1.2.3.4.5 | 10.0.0.1",
                "chat.example | 10.0.0.1"
            })
    void forwardedFor_isReadFromTheRight(String header, String client) {
        assertThat(trusting(TRUSTED).of(request(PROXY, "X-Forwarded-For", header)))
                .isEqualTo(client);
    }

    @Test
    void severalLines_areOneListInTheirOrder() {
        var addresses = trusting(TRUSTED);

        assertThat(addresses.of(request(PROXY, "X-Forwarded-For", "6.6.6.6", "203.0.113.9")))
                .isEqualTo("203.0.113.9");
        assertThat(addresses.of(request(PROXY, "X-Forwarded-For", "203.0.113.9", "10.0.0.7")))
                .isEqualTo("203.0.113.9");
        assertThat(addresses.of(request(PROXY, "X-Forwarded-For", "203.0.113.9", "")))
                .isEqualTo(PROXY);
    }

    @Test
    void longHeader_isReadToItsEnd() {
        String proxies = "10.0.0.7,".repeat(1_000) + "10.0.0.7";
        var addresses = trusting(TRUSTED);

        assertThat(addresses.of(request(PROXY, "X-Forwarded-For", "203.0.113.9," + proxies)))
                .isEqualTo("203.0.113.9");
        assertThat(addresses.of(request(PROXY, "X-Forwarded-For", "a".repeat(100_000))))
                .isEqualTo(PROXY);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "for=203.0.113.9 | 203.0.113.9",
                "for=6.6.6.6, For=203.0.113.9;proto=https | 203.0.113.9",
                "proto=https; for=\"[2001:db8:1:2::9]:4711\" | 2001:db8:1:2::/64",
                "for=203.0.113.9, for=10.0.0.7;by=10.0.0.8 | 203.0.113.9",
                "for=unknown | 10.0.0.1",
                "for=_hidden | 10.0.0.1",
                "proto=https | 10.0.0.1",
                "for= | 10.0.0.1",
                ";;; | 10.0.0.1"
            })
    void forwarded_isReadFromTheRight(String header, String client) {
        var addresses = addresses(true, true, Optional.empty(), Optional.of(TRUSTED));

        assertThat(addresses.of(request(PROXY, "Forwarded", header))).isEqualTo(client);
    }

    @ParameterizedTest
    @CsvSource({"Forwarded, for=6.6.6.6", "X-Real-IP, 6.6.6.6"})
    void headerThatIsNotAllowed_isIgnored(String header, String value) {
        assertThat(trusting(TRUSTED).of(request(PROXY, header, value))).isEqualTo(PROXY);
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.1.1", "203.0.113.1", "::1"})
    void headerFromOutsideTheProxies_isIgnored(String peer) {
        String client = trusting(TRUSTED).of(request(peer, "X-Forwarded-For", "6.6.6.6"));

        assertThat(client).isEqualTo(peer.equals("::1") ? "::/64" : peer);
    }

    @Test
    void withoutAListOfProxies_theRightmostAddressIsTheClient() {
        var addresses = addresses(true, false, Optional.empty(), Optional.empty());

        assertThat(addresses.of(request("198.51.100.1", "X-Forwarded-For", "6.6.6.6, 10.0.0.7")))
                .isEqualTo("10.0.0.7");
    }

    @Test
    void withoutForwarding_theHeaderIsIgnored() {
        var addresses = addresses(false, false, Optional.empty(), Optional.of(TRUSTED));

        assertThat(addresses.of(request(PROXY, "X-Forwarded-For", "6.6.6.6"))).isEqualTo(PROXY);
    }

    @Test
    void wrongProxies_areRefused_withoutForwardingToo() {
        assertThatThrownBy(
                        () ->
                                addresses(
                                        false,
                                        false,
                                        Optional.empty(),
                                        Optional.of(List.of("bad proxy"))))
                .hasMessageContaining("quarkus.http.proxy.trusted-proxies");
    }

    private static ClientAddress trusting(List<String> proxies) {
        return addresses(true, false, Optional.empty(), Optional.of(proxies));
    }

    private static ClientAddress addresses(
            boolean forwarding,
            boolean allowForwarded,
            Optional<Boolean> allowXForwarded,
            Optional<List<String>> trusted) {
        return new ClientAddress(
                forwarding, allowForwarded, allowXForwarded, trusted, fake(Vertx.class, Map.of()));
    }

    private static HttpServerRequest request(String peer, String header, String... lines) {
        MultiMap headers = MultiMap.caseInsensitiveMultiMap();
        List.of(lines).forEach(line -> headers.add(header, line));
        HttpConnection connection =
                fake(
                        HttpConnection.class,
                        Map.of("remoteAddress", SocketAddress.inetSocketAddress(4711, peer)));
        return fake(HttpServerRequest.class, Map.of("connection", connection, "headers", headers));
    }

    /** An object whose methods return these values, by the names of the methods. */
    private static <T> T fake(Class<T> type, Map<String, Object> values) {
        return type.cast(
                Proxy.newProxyInstance(
                        type.getClassLoader(),
                        new Class<?>[] {type},
                        (self, method, arguments) -> values.get(method.getName())));
    }
}
