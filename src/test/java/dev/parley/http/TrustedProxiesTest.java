package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class TrustedProxiesTest {

    private final Map<String, List<String>> dns = new ConcurrentHashMap<>();
    private final List<String> log = new CopyOnWriteArrayList<>();

    @ParameterizedTest
    @CsvSource({
        "10.0.0.7, 10.0.0.7, 10.0.0.8",
        "10.0.0.7:8080, 10.0.0.7, 10.0.0.8",
        "10.0.0.0/8, 10.255.0.1, 11.0.0.1",
        // Bits behind the prefix do not count.
        "10.1.2.3/8, 10.255.0.1, 11.0.0.1",
        "0.0.0.0/0, 203.0.113.9, ::1",
        "10.0.0.7/32, 10.0.0.7, 10.0.0.6",
        "::ffff:10.0.0.0/104, 10.255.0.1, 11.0.0.1",
        "::ffff:0a00:0000/104, 10.255.0.1, 11.0.0.1",
        "[::ffff:10.0.0.0]:80/104, 10.255.0.1, 11.0.0.1",
        "::ffff:10.0.0.7, 10.0.0.7, 10.0.0.8",
        "::ffff:10.0.0.7/128, 10.0.0.7, 10.0.0.8",
        "::ffff:0.0.0.0/96, 203.0.113.9, ::1",
        "10.0.0.7, ::ffff:10.0.0.7, ::ffff:10.0.0.8",
        "2001:db8::/32, 2001:db8:1::1, 2001:db9::1",
        "::/0, 2001:db8::1, 10.0.0.7",
        "fe80::1%eth0, fe80::1%eth1, fe80::2%eth0",
    })
    void addressOrNetwork_isTrusted(String configured, String proxy, String other) {
        var proxies = new TrustedProxies(List.of(configured));

        assertThat(trusts(proxies, proxy)).isTrue();
        assertThat(trusts(proxies, other)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "10.0.0.0/33",
                "10.0.0.0/-1",
                "10.0.0.0/",
                "10.0.0.0/8/8",
                "10.0.0.0/255.0.0.0",
                "10.0.0.0/4294967304",
                "::/129",
                "::ffff:10.0.0.0/8",
                "::ffff:10.0.0.0/129",
                "10.0.0",
                "10.0.0.256",
                "10.0.0.1-10.0.0.9",
                "2001:db8:::1",
                "proxy.example/24",
                "http://proxy.example",
                "proxy example",
                "*",
                ""
            })
    void anythingElse_isRefusedWithTheNameOfTheSetting(String configured) {
        assertThatThrownBy(() -> new TrustedProxies(List.of("10.0.0.1", configured)))
                .hasMessageStartingWith("quarkus.http.proxy.trusted-proxies: " + configured + " ");
    }

    @Test
    void nameWithSeveralAddresses_isTrustedAtEach() {
        dns.put("proxy.example", List.of("10.0.0.1", "2001:db8::1"));

        TrustedProxies proxies = resolving("proxy.example:8080");

        assertThat(trusts(proxies, "10.0.0.1")).isTrue();
        assertThat(trusts(proxies, "2001:db8::1")).isTrue();
        assertThat(trusts(proxies, "10.0.0.2")).isFalse();
        assertThat(log).isEmpty();
    }

    @Test
    void nameWithoutAnAddress_isLoggedOnce_andHidesNoOtherName() {
        dns.put("proxy.example", List.of("10.0.0.1"));

        TrustedProxies proxies = resolving("away.example", "proxy.example");
        proxies.resolve().join();

        assertThat(trusts(proxies, "10.0.0.1")).isTrue();
        assertThat(log)
                .singleElement()
                .asString()
                .contains("quarkus.http.proxy.trusted-proxies: the name away.example cannot");
    }

    @Test
    void nameThatIsResolvedLater_isTrustedThen_andKeepsItsAddressWhenItIsGone() {
        TrustedProxies proxies = resolving("proxy.example");

        dns.put("proxy.example", List.of("10.0.0.1"));
        proxies.resolve().join();
        assertThat(trusts(proxies, "10.0.0.1")).isTrue();

        dns.clear();
        proxies.resolve().join();
        assertThat(trusts(proxies, "10.0.0.1")).isTrue();
        assertThat(log).hasSize(2);
        assertThat(log.get(1)).contains("its former addresses are trusted");
    }

    @Test
    void nameWhoseLookUpHangs_holdsUpNeitherTheStartNorOtherNames_andIsTrustedOnceItIsFound() {
        dns.put("slow.example", List.of("10.0.0.1"));
        dns.put("proxy.example", List.of("10.0.0.2"));
        var answer = new CompletableFuture<Void>();
        var lookUps = new AtomicInteger();
        TrustedProxies.Resolver slow =
                name -> {
                    if (name.equals("slow.example")) {
                        lookUps.incrementAndGet();
                        answer.join();
                    }
                    return resolve(name);
                };

        var proxies =
                new TrustedProxies(
                        List.of("slow.example", "proxy.example"),
                        slow,
                        log::add,
                        Duration.ofMillis(100));
        CompletableFuture<Void> next = proxies.resolve();

        assertThat(trusts(proxies, "10.0.0.1")).isFalse();
        assertThat(log).anyMatch(line -> line.contains("the name slow.example was not resolved"));
        answer.complete(null);
        next.join();
        assertThat(trusts(proxies, "10.0.0.1")).isTrue();
        assertThat(trusts(proxies, "10.0.0.2")).isTrue();
        assertThat(lookUps).hasValue(1);
    }

    private TrustedProxies resolving(String... names) {
        return new TrustedProxies(List.of(names), this::resolve, log::add, Duration.ofMinutes(1));
    }

    private InetAddress[] resolve(String name) throws UnknownHostException {
        if (!dns.containsKey(name)) {
            throw new UnknownHostException(name);
        }
        List<InetAddress> found = new ArrayList<>();
        for (String address : dns.get(name)) {
            found.add(InetAddress.getByName(address));
        }
        return found.toArray(InetAddress[]::new);
    }

    private static boolean trusts(TrustedProxies proxies, String address) {
        return proxies.contains(ClientAddress.address(address));
    }
}
