package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TcpProxy;
import dev.parley.testsupport.Timeouts;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A pod with four event loops over a real Redis, which is asked for its clients. */
final class LoopConnectionsIT {

    private static final int LOOPS = 4;

    private static final Pattern CLIENT =
            Pattern.compile("id=(\\d+) addr=\\S+:(\\d+) .* sub=0 psub=0 .* cmd=(\\S+)");

    private RedisServer redis;

    @BeforeEach
    void start() {
        redis = RedisServer.start();
    }

    @AfterEach
    void stop() {
        redis.close();
    }

    private ParleyProcess startPod() {
        return startPod(redis.uri());
    }

    private static ParleyProcess startPod(String redis) {
        return startPod(redis, Duration.ofSeconds(3));
    }

    private static ParleyProcess startPod(String redis, Duration timeout) {
        return ParleyProcess.builder()
                .redis(redis)
                .config("quarkus.vertx.event-loops-pool-size", Integer.toString(LOOPS))
                .config("parley.redis.max-backoff", "200MS")
                .config("parley.redis.timeout", timeout.toSeconds() + "S")
                .config("parley.redis.probe-interval", "200MS")
                .config("parley.redis.probe-timeout", 2 * timeout.toSeconds() + "S")
                .start()
                .awaitReady();
    }

    /**
     * A pod's connection for commands: its port, and the last command that Redis received on it.
     */
    private record Client(String id, int port, String command) {

        boolean hasRunAScript() {
            return command.equals("evalsha");
        }
    }

    private List<Client> clients() {
        return redis.command("CLIENT", "LIST")
                .text()
                .lines()
                .map(CLIENT::matcher)
                .filter(Matcher::find)
                .map(
                        client ->
                                new Client(
                                        client.group(1),
                                        Integer.parseInt(client.group(2)),
                                        client.group(3)))
                .filter(client -> !client.command().matches("(client|config).*"))
                .toList();
    }

    private void awaitClients(int expected) {
        Timeouts.await("%d clients".formatted(expected)).until(() -> clients().size() == expected);
    }

    private void endAndAwaitNew(List<String> ids) {
        ids.forEach(id -> redis.command("CLIENT", "KILL", "ID", id));
        Timeouts.await("new connections")
                .until(
                        () -> {
                            List<Client> now = clients();
                            return now.size() == LOOPS
                                    && now.stream().noneMatch(c -> ids.contains(c.id()));
                        });
    }

    @Test
    void commandsOfEachEventLoop_haveAConnectionOfTheirOwn() {
        try (var pod = startPod()) {
            awaitClients(LOOPS);

            // The server gives its connections to the event loops in turn.
            Timeouts.await("a script on each connection")
                    .until(
                            () -> {
                                assertThat(new Http(pod.uri()).sendForm("hello").status())
                                        .isEqualTo(200);
                                return clients().stream().allMatch(Client::hasRunAScript);
                            });
            assertThat(clients()).hasSize(LOOPS);
        }
    }

    @Test
    void furtherConnectionsThatEnd_areMadeAgain_andThePodStaysReady() {
        try (var pod = startPod();
                var reader = SseReader.open(pod.uri("/events")).awaitLastEventId()) {
            awaitClients(LOOPS);
            List<String> ended =
                    clients().stream()
                            .filter(client -> !client.hasRunAScript())
                            .map(Client::id)
                            .toList();
            assertThat(ended).hasSize(LOOPS - 1);

            endAndAwaitNew(ended);

            assertThat(new Http(pod.uri()).sendForm("after").status()).isEqualTo(200);
            reader.awaitData("after");
            assertThat(new Metrics(pod).value("parley_subscription_up")).isEqualTo(1);
            assertThat(pod.log()).doesNotContain("Not ready: nothing", "Parley tries again");
        }
    }

    @Test
    void allConnectionsThatEnd_areMadeAgain() {
        try (var pod = startPod();
                var reader = SseReader.open(pod.uri("/events")).awaitLastEventId()) {
            awaitClients(LOOPS);
            List<String> former = clients().stream().map(Client::id).toList();

            endAndAwaitNew(former);

            pod.awaitReady();
            assertThat(new Http(pod.uri()).sendForm("after").status()).isEqualTo(200);
            reader.awaitData("after");
        }
    }

    /**
     * Redis executes what was sent when it goes on. If the later publishes had failed with the
     * earlier ones, their clients would publish them once more.
     */
    @Test
    void commandThatComesTooLate_takesNoneWithItThatWasSentAfterIt() {
        Duration timeout = Duration.ofSeconds(6);
        try (var pod = startPod(redis.uri(), timeout)) {
            awaitClients(LOOPS);
            redis.pause();
            // The server gives its connections to the event loops in turn.
            List<RawConnection> earlier = publishOnEachLoop(pod, "earlier");
            CompletableFuture<Void> tooLate =
                    CompletableFuture.runAsync(
                            () -> earlier.forEach(publish -> publish.await(" 503 ")));
            List<List<RawConnection>> later = new ArrayList<>();
            Timeouts.await("the earlier publishes are too late")
                    .until(
                            () -> {
                                later.add(publishOnEachLoop(pod, "later"));
                                return tooLate.isDone();
                            });
            assertThat(tooLate).isCompleted();

            redis.resume();

            // Those before them may be too late as well.
            List<RawConnection> last = later.get(later.size() - 2);
            last.forEach(publish -> publish.await("\r\n\r\n"));
            assertThat(last).allMatch(publish -> publish.answer().status() == 200);
            Timeouts.await("new connections").until(() -> clients().size() == LOOPS);
            earlier.forEach(RawConnection::close);
            later.forEach(each -> each.forEach(RawConnection::close));
        }
    }

    private static List<RawConnection> publishOnEachLoop(ParleyProcess pod, String text) {
        byte[] request =
                "POST /send?msg=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
                        .formatted(text)
                        .getBytes(StandardCharsets.US_ASCII);
        return IntStream.range(0, LOOPS)
                .mapToObj(loop -> RawConnection.open(pod.port(), request))
                .toList();
    }

    /** Something between the pod and Redis forgets one connection, and tells neither. */
    @Test
    void connectionThatGoesSilent_isMadeAgain_whicheverItIs() {
        try (var network = TcpProxy.to(redis.port());
                var pod = startPod(network.uri("redis"))) {
            awaitClients(LOOPS);
            Set<String> silent = new HashSet<>();
            for (Client former : clients()) {
                network.blackHole(former.port());
                silent.add(former.id());

                // Redis goes on listing the silent ones.
                Timeouts.await("a connection in place of " + former)
                        .until(
                                () ->
                                        clients().stream()
                                                        .filter(now -> !silent.contains(now.id()))
                                                        .count()
                                                == LOOPS);
            }
            pod.awaitReady();
            for (int i = 0; i < 2 * LOOPS; i++) {
                assertThat(new Http(pod.uri()).sendForm("m" + i).status()).isEqualTo(200);
            }
        }
    }

    /** As while a primary is replaced: the address leads to the new one, the link to the old. */
    @Test
    void connectionThatLeadsToAnotherServer_isNotUsed() {
        try (var other = RedisServer.start();
                var network = TcpProxy.to(redis.port());
                var pod = startPod(network.uri("redis"))) {
            awaitClients(LOOPS);
            network.retarget(other.port());
            Client further =
                    clients().stream().filter(c -> !c.hasRunAScript()).findFirst().orElseThrow();

            redis.command("CLIENT", "KILL", "ID", further.id());

            pod.awaitLog("of an additional event loop: it leads to another server");
            // The server gives its connections to the event loops in turn.
            for (int i = 0; i < 5 * LOOPS; i++) {
                assertThat(new Http(pod.uri()).sendForm("m" + i).status()).isEqualTo(200);
            }
            assertThat(redis.command("XLEN", "parley:{lobby}:log").number()).isEqualTo(5 * LOOPS);
            assertThat(other.command("DBSIZE").number()).isZero();

            network.retarget(redis.port());

            awaitClients(LOOPS);
            assertThat(pod.log()).containsOnlyOnce("of an additional event loop");
        }
    }

    /**
     * Redis refuses PING while it cannot save its data: there is a directory where the file has to
     * be. Reads are answered meanwhile, so a connection that was made anew would fail some.
     */
    @Test
    void redisThatRefusesPing_keepsItsConnections() throws IOException {
        try (var pod = startPod()) {
            awaitClients(LOOPS);
            List<String> before = clients().stream().map(Client::id).sorted().toList();
            redis.command("CONFIG", "SET", "save", "3600 1");
            String data = redis.command("CONFIG", "GET", "dir").items().get(1).text();
            Files.createDirectory(Path.of(data, "dump.rdb"));
            redis.command("BGSAVE");

            Timeouts.await("several pings on each connection, and their refusals")
                    .until(() -> refusals("MISCONF") >= 4 * LOOPS);

            assertThat(clients().stream().map(Client::id).sorted()).isEqualTo(before);
            assertThat(new Http(pod.uri()).get("/rooms/lobby/messages").status()).isEqualTo(200);
        }
    }

    /** How many commands Redis has answered with an error of this kind. */
    private long refusals(String error) {
        Pattern count = Pattern.compile("errorstat_" + error + ":count=(\\d+)");
        Matcher found = count.matcher(redis.command("INFO", "errorstats").text());
        return found.find() ? Long.parseLong(found.group(1)) : 0;
    }

    /** Two clients are the connection for commands and the subscription; one is this test. */
    @Test
    void redisThatTakesNoFurtherClients_isUsedThroughOneConnection() throws IOException {
        redis.command("CONFIG", "SET", "maxclients", "3");
        try (var third = new Socket(InetAddress.getLoopbackAddress(), redis.port());
                var pod = startPod();
                var reader = SseReader.open(pod.uri("/events")).awaitLastEventId()) {
            pod.awaitLog("of an additional event loop: no answer within 6000 ms");
            for (int i = 0; i < 2 * LOOPS; i++) {
                assertThat(new Http(pod.uri()).sendForm("m" + i).status()).isEqualTo(200);
            }
            reader.awaitMessages(2 * LOOPS);

            third.getOutputStream()
                    .write("CONFIG SET maxclients 100\r\n".getBytes(StandardCharsets.US_ASCII));

            awaitClients(LOOPS);
            assertThat(pod.log()).containsOnlyOnce("of an additional event loop");
        }
    }
}
