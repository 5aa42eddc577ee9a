package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProxyAdviceTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "10.1.2.3",
                "172.16.0.1",
                "192.168.1.1",
                "169.254.1.1",
                "100.64.0.1",
                "::1",
                "fe80::1",
                "fd00::1",
            })
    void addressOfAPrivateNetwork_mayBeAProxyOfTheOperator(String address) throws Exception {
        assertThat(isPrivate(address)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"203.0.113.9", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:db8::1"})
    void publicAddress_isAStranger(String address) throws Exception {
        assertThat(isPrivate(address)).isFalse();
    }

    private static boolean isPrivate(String address) throws UnknownHostException {
        return ProxyAdvice.isPrivate(InetAddress.getByName(address).getAddress());
    }
}
