package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SilentDns;
import dev.parley.testsupport.SseReader;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * DNS does not answer while a pod connects to Redis. That costs what Redis has, and no event loop:
 * clients are served, and Kubernetes does not restart the pod.
 */
@EnabledOnOs(OS.LINUX) // A pipe can be opened there without a program that reads it.
final class SilentDnsIT {

    private static final String EAST = "east.parley.test";
    private static final String WEST = "west.parley.test";

    @TempDir private Path directory;

    private SilentDns dns;

    @BeforeEach
    void beSilent() {
        dns = SilentDns.in(directory);
    }

    @AfterEach
    void close() {
        dns.close();
    }

    @Test
    void serversThatCannotBeLookedUp_costTheirRoomsTheTime_andTheOthersNothing() {
        try (var near = RedisServer.start();
                var east = RedisServer.start();
                var west = RedisServer.start();
                var pod =
                        pod().config("parley.redis.servers.near", near.uri())
                                .config("parley.redis.servers.east", at(EAST, east.port()))
                                .config("parley.redis.servers.west", at(WEST, west.port()))
                                .start()) {
            pod.awaitLog("Redis server east command connection: " + hangs(EAST));
            pod.awaitLog("Redis server west command connection: " + hangs(WEST));
            pod.awaitReady();

            Map<Integer, String> rooms = roomsByAnswer(pod);
            try (SseReader reader = Pods.open(pod, rooms.get(200))) {
                Pods.publishUntilConfirmed(pod, rooms.get(200), "meanwhile");
                reader.awaitData("meanwhile");
            }
            assertAlive(pod);
            assertThat(pod.management().get("/q/health/ready").body()).contains(hangs(EAST));

            dns.answer(EAST, WEST);

            for (String server : new String[] {"near", "east", "west"}) {
                new Metrics(pod).awaitValue("parley_subscription_up{server=\"" + server + "\"}", 1);
            }
            Pods.publishUntilConfirmed(pod, rooms.get(503), "afterwards");
            assertAlive(pod);
        }
    }

    /** One room at the server that is there, and one at a server that is not. */
    private static Map<Integer, String> roomsByAnswer(ParleyProcess pod) {
        Map<Integer, String> rooms = new LinkedHashMap<>();
        for (int i = 1; rooms.size() < 2; i++) {
            Http.Answer answer = Pods.send(new Http(pod.uri()), "place" + i, "probe");
            assertThat(answer.status()).isIn(200, 503);
            assertThat(answer.body()).doesNotContain("parley.test");
            rooms.putIfAbsent(answer.status(), "place" + i);
        }
        return rooms;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "standalone | redis://east.parley.test",
                "sentinel | redis://east.parley.test,redis://west.parley.test",
                "cluster | redis://east.parley.test,redis://west.parley.test"
            })
    void podThatCannotLookRedisUp_isAlive_andSaysWhyItIsNotReady(String clientType, String hosts) {
        try (var pod =
                pod().config("quarkus.redis.client-type", clientType)
                        .config("quarkus.redis.hosts", hosts)
                        .start()) {
            pod.awaitLog(hangs(""));

            pod.awaitReadiness(503);
            assertThat(pod.management().get("/q/health/ready").body()).contains("the look-up of");
            assertAlive(pod);
        }
    }

    @Test
    void redisThatCanBeLookedUpAgain_isUsed() {
        try (var redis = RedisServer.start();
                var pod = pod().redis(at(EAST, redis.port())).start()) {
            pod.awaitLog("Redis command connection: " + hangs(EAST));

            dns.answer(EAST);

            pod.awaitReady();
            Pods.publishUntilConfirmed(pod, "kitchen", "afterwards");
        }
    }

    @Test
    void podWithProxiesThatCannotBeLookedUp_starts_andSaysWhichAreNotTrusted() {
        try (var pod =
                dns.in(ParleyProcess.builder())
                        .config("quarkus.http.proxy.proxy-address-forwarding", "true")
                        .config("quarkus.http.proxy.trusted-proxies", EAST + "," + WEST)
                        .start()
                        .awaitReady()) {
            assertThat(new Http(pod.uri()).sendForm("hello").status()).isEqualTo(200);
            assertThat(pod.log())
                    .contains("the name " + EAST + " was not resolved")
                    .contains("the name " + WEST + " was not resolved");
        }
    }

    private ParleyProcess.Builder pod() {
        return dns.in(Pods.quickToDetectFaults());
    }

    private static String at(String name, int port) {
        return "redis://" + name + ":" + port;
    }

    private static String hangs(String name) {
        return "the look-up of " + name;
    }

    private static void assertAlive(ParleyProcess pod) {
        Http.Answer answer = pod.management().get("/q/health/live");
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    }
}
