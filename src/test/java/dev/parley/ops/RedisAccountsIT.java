package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.OwnedProcess;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Ports;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TextFiles;
import dev.parley.testsupport.Timeouts;
import dev.parley.testsupport.Tool;
import dev.parley.testsupport.Version01;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Probe;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A real Redis with the files of {@code k8s/redis}: started by their script, with their
 * configuration and accounts and new passwords, and asked by the probes of the manifests.
 */
final class RedisAccountsIT {

    @TempDir Path directory;

    private Map<String, String> passwords;
    private RedisOfTheManifests redis;

    @BeforeEach
    void start() {
        passwords = newPasswords(directory);
        redis = new RedisOfTheManifests(directory, passwords);
    }

    @AfterEach
    void stop() {
        redis.close();
    }

    private ParleyProcess.Builder pod(String password) {
        return ParleyProcess.builder()
                .redis("redis://127.0.0.1:" + redis.port)
                .environment("QUARKUS_REDIS_PASSWORD", password)
                .config("parley.redis.max-backoff", "200MS");
    }

    @Test
    void pod_needsNoMoreThanItsAccountMayDo() {
        try (var pod = pod(passwords.get("password")).start().awaitReady()) {
            var http = new Http(pod.uri());
            String position;
            try (var reader = SseReader.open(pod.uri("/events"))) {
                position = reader.awaitLastEventId().lastEventId();
                http.with("Idempotency-Key", "k").sendForm("first");
                http.with("Idempotency-Key", "k").sendForm("first");
                reader.awaitData("first");
                assertThat(redis.admin("PUBLISH", "chat", "plain")).isEqualTo("1");
                reader.awaitData("plain");
                redis.admin("CLIENT", "KILL", "TYPE", "pubsub");
                new Metrics(pod).awaitValue("parley_subscription_up", 1);
                pod.awaitReady();
                http.sendForm("second");
                reader.awaitData("second");
            }
            try (var back = SseReader.to(pod.uri("/events")).lastEventId(position).open()) {
                back.awaitMessages(2);
                assertThat(back.data()).containsExactly("first", "second");
            }
            assertThat(http.get("/rooms/lobby/messages").body()).contains("first", "second");
            redis.admin("DEL", "parley:{lobby}:log");
            http.sendForm("third");
            assertThat(http.get("/rooms/lobby/messages").body()).contains("third");
            pod.awaitLog("room lobby: the history is gone");
            assertThat(pod.log()).doesNotContain("maxmemory-policy");
            redis.admin("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
            pod.awaitLog("Redis deletes keys when its memory is full (maxmemory-policy allkeys");

            assertThat(redis.admin("ACL", "LOG")).isEmpty();
            assertThat(pod.log() + redis.log())
                    .doesNotContain(passwords.get("password"), passwords.get("admin-password"));
        }
    }

    /** As during an upgrade, and after a return to it. */
    @Test
    void podOfVersion01_mayPublishAndRead() {
        Map<String, String> account = Map.of("REDISCLI_AUTH", passwords.get("password"));

        assertThat(redis.cli(account, Version01.read("lobby")).output())
                .startsWith(Version01.EPOCH);
        // The sixteenth looks for messages that are too old.
        for (int i = 1; i <= 16; i++) {
            assertThat(redis.cli(account, Version01.publish("lobby", "hello")).output())
                    .startsWith(Version01.EPOCH + "-" + i);
        }
        assertThat(redis.admin("ACL", "LOG")).isEmpty();
    }

    /** It is ready, because these rights matter only while pods of version 0.1 run. */
    @Test
    void podWithoutTheRightsForVersion01_saysOnceWhichAreLacking() {
        redis.admin("ACL", "SETUSER", "default", "resetchannels", "&parley:*", "&chat", "-pubsub");
        try (var pod = pod(passwords.get("password")).start().awaitReady()) {
            pod.awaitLog("the rights +psubscribe and &parley:liv[e]");
            pod.awaitLog("the right +pubsub|numsub");

            redis.admin("CLIENT", "KILL", "TYPE", "pubsub");
            Timeouts.await("the next subscription")
                    .until(() -> count(pod, "Redis subscription connection is up") == 2);

            assertThat(count(pod, "Redis refuses")).isEqualTo(2);
        }
    }

    /** Inside a script Redis has other words than NOPERM for it. */
    @Test
    void podWithoutARightToPublish_saysSo_andServesAgainWhenItHasIt() {
        try (var pod = pod(passwords.get("password")).start().awaitReady()) {
            redis.admin("ACL", "SETUSER", "default", "-xadd");
            var http = new Http(pod.uri());

            assertThat(http.sendForm("refused").status()).isEqualTo(503);

            pod.awaitLog("Redis refuses to publish: ");
            assertThat(pod.log()).contains("(give the account of Parley the rights in");
            assertThat(readiness(pod)).contains("Redis refuses to publish");
            new Metrics(pod).awaitValue("parley_redis_refusals_total{reason=\"noperm\"}", 1);

            redis.admin("ACL", "SETUSER", "default", "+xadd");
            assertThat(http.sendForm("accepted").status()).isEqualTo(200);
            pod.awaitLog("Redis takes publishes again");
            assertThat(readiness(pod)).doesNotContain("Redis refuses to publish");
        }
    }

    /** The probe's write is refused then as well, which says nothing about publishes. */
    @Test
    void fullMemory_isOverAfterAPublish_whereTheProbeMayNotWrite() {
        redis.admin("ACL", "SETUSER", "default", "-set");
        try (var pod = pod(passwords.get("password")).start().awaitReady()) {
            redis.admin("CONFIG", "SET", "maxmemory", "1");
            var http = new Http(pod.uri());
            assertThat(http.sendForm("refused").status()).isEqualTo(503);
            pod.awaitLog("Redis refuses to publish: OOM");

            redis.admin("CONFIG", "SET", "maxmemory", "0");
            assertThat(http.sendForm("accepted").status()).isEqualTo(200);

            pod.awaitLog("Redis takes publishes again");
            assertThat(readiness(pod)).doesNotContain("Redis refuses to publish");
        }
    }

    /** One that 0.1 ran with: a rollout stops at the first new pod, and the old ones go on. */
    @ParameterizedTest
    @ValueSource(strings = {"-time", "-info"})
    void podWithoutARightThatEveryPublishNeeds_isNotReadyAndSaysWhy(String right) {
        redis.admin("ACL", "SETUSER", "default", right);
        try (var pod = pod(passwords.get("password")).start()) {
            Timeouts.await("the reason in the answer to the probe")
                    .until(() -> readiness(pod).contains("the rights in k8s/redis/users.acl"));

            redis.admin("ACL", "SETUSER", "default", right.replace('-', '+'));
            pod.awaitReady();
        }
    }

    private static String readiness(ParleyProcess pod) {
        return pod.management().get("/q/health/ready").body();
    }

    private static int count(ParleyProcess pod, String text) {
        return pod.log().split(Pattern.quote(text), -1).length - 1;
    }

    /** The settings of README for several servers: the address of the base is made blank. */
    @Test
    void podOnAListOfServers_takesABlankAddressForNone() {
        try (var pod =
                ParleyProcess.builder()
                        .environment("QUARKUS_REDIS_HOSTS", "")
                        .environment(
                                "PARLEY_REDIS_SERVERS_NORTH", "redis://127.0.0.1:" + redis.port)
                        .environment("QUARKUS_REDIS_PASSWORD", passwords.get("password"))
                        .start()
                        .awaitReady()) {
            assertThat(new Http(pod.uri()).sendForm("hello").status()).isEqualTo(200);
            assertThat(redis.admin("EXISTS", "parley:{lobby}:log")).isEqualTo("1");
        }
    }

    /** The account of README, which may ask for the primary's name and nothing else. */
    @Test
    void podThatAsksASentinel_needsNoMoreThanItsAccountMayDo() throws IOException {
        String password = passwords.get("password");
        try (var sentinel = sentinel(password);
                var pod =
                        pod(password)
                                .redis("redis://127.0.0.1:" + sentinel.port())
                                .config("quarkus.redis.client-type", "sentinel")
                                .config("quarkus.redis.master-name", "mymaster")
                                .start()
                                .awaitReady()) {
            assertThat(new Http(pod.uri()).sendForm("hello").status()).isEqualTo(200);
            Map<String, String> account = Map.of("REDISCLI_AUTH", password);
            String port = Integer.toString(sentinel.port());
            assertThat(redis.cli(account, "-p", port, "SENTINEL", "MASTERS").output())
                    .startsWith("NOPERM");
        }
    }

    private record Sentinel(OwnedProcess process, int port) implements Closeable {

        @Override
        public void close() {
            process.close();
        }
    }

    private Sentinel sentinel(String password) throws IOException {
        int port = Ports.free();
        Path config =
                Files.write(
                        directory.resolve("sentinel.conf"),
                        List.of(
                                "port " + port,
                                "bind 127.0.0.1",
                                "sentinel monitor mymaster 127.0.0.1 " + redis.port + " 1",
                                "sentinel auth-user mymaster admin",
                                "sentinel auth-pass mymaster " + passwords.get("admin-password"),
                                "user default on >" + password + " -@all " + rightsAtSentinels()));
        var command = List.of("redis-server", config.toString(), "--sentinel");
        return new Sentinel(OwnedProcess.start(new ProcessBuilder(command)), port);
    }

    /** The rights that README names. */
    private static String rightsAtSentinels() {
        Matcher rights =
                Pattern.compile("at the Sentinels `([^`]+)`")
                        .matcher(TextFiles.read(Manifests.ROOT.resolve("README.md")));
        assertThat(rights.find()).isTrue();
        return rights.group(1);
    }

    @Test
    void podWithAWrongPassword_isNotReadyAndSaysWhy() {
        try (var pod = pod("wrong").start()) {
            Timeouts.await("the reason in the answer to the probe")
                    .until(() -> readiness(pod).contains("WRONGPASS"));

            assertThat(pod.log()).contains("Not ready: no connection to Redis: WRONGPASS");
        }
    }

    @Test
    void connectionWithoutPassword_mayDoNothing() {
        assertThat(redis.cli(Map.of(), "PING").output()).startsWith("NOAUTH");
        assertThat(redis.cli(Map.of(), "GET", "parley:{lobby}:head").output()).startsWith("NOAUTH");
    }

    @Test
    void accountOfThePods_reachesNeitherOtherKeysNorOtherChannelsNorDangerousCommands() {
        Map<String, String> account = Map.of("REDISCLI_AUTH", passwords.get("password"));

        assertThat(redis.cli(account, "GET", "parley:{lobby}:none").output()).isEmpty();
        for (String[] refused :
                new String[][] {
                    {"GET", "other"},
                    {"PUBLISH", "other", "text"},
                    {"KEYS", "*"},
                    {"FLUSHALL"},
                    {"CONFIG", "GET", "*"},
                    {"ACL", "LIST"}
                }) {
            assertThat(redis.cli(account, refused).output()).startsWith("NOPERM");
        }
    }

    @Test
    void probes_authenticate_failWithAWrongPassword_andNeverPrintOne() {
        for (Function<Container, Probe> probe : probes()) {
            Result right = redis.probe(probe, passwords.get("password"));
            Result wrong = redis.probe(probe, "wrong-password");

            assertThat(right.status()).as(right.output()).isZero();
            assertThat(wrong.status()).isNotZero();
            assertThat(right.output() + wrong.output())
                    .doesNotContain(passwords.get("password"), "wrong-password");
        }
    }

    private static List<Function<Container, Probe>> probes() {
        return List.of(
                Container::getStartupProbe,
                Container::getReadinessProbe,
                Container::getLivenessProbe);
    }

    /** It serves reads, and a restart would not give it a disk. */
    @Test
    void redisThatCannotSave_staysInItsServiceAndAlive() throws IOException {
        String password = passwords.get("password");
        redis.admin("CONFIG", "SET", "save", "3600 1");
        // In the place of the file that a snapshot writes.
        Files.createDirectory(directory.resolve("data").resolve("dump.rdb"));
        redis.admin("BGSAVE");
        Map<String, String> account = Map.of("REDISCLI_AUTH", password);
        Timeouts.await("MISCONF")
                .until(() -> redis.cli(account, "PING").output().startsWith("MISCONF"));

        assertThat(probes()).allMatch(probe -> redis.probe(probe, password).status() == 0);
    }

    /** It goes on when the script ends; a restart could lose what the script has written. */
    @Test
    void redisThatAScriptBlocks_staysInItsServiceAndAlive() {
        String password = passwords.get("password");
        redis.admin("CONFIG", "SET", "lua-time-limit", "100");
        Map<String, String> account = Map.of("REDISCLI_AUTH", password);
        var script =
                CompletableFuture.supplyAsync(
                        () -> redis.cli(account, "EVAL", "while true do end", "0"));
        Timeouts.await("BUSY").until(() -> redis.cli(account, "PING").output().startsWith("BUSY"));

        assertThat(probes()).allMatch(probe -> redis.probe(probe, password).status() == 0);

        redis.admin("SCRIPT", "KILL");
        script.join();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    LOADING Redis is loading the dataset in memory | 1 | 1 | 0
                    NOAUTH Authentication required.                | 1 | 1 | 1
                    Could not connect to Redis                     | 1 | 1 | 1
                    ''                                             | 1 | 1 | 1
                    """)
    void answer_decidesWhetherRedisHasStartedAndIsReadyAndAlive(
            String answer, int started, int ready, int alive) throws IOException {
        redis.writeCliThatPrints(answer);

        assertThat(probes())
                .extracting(probe -> redis.probe(probe, "any").status())
                .containsExactly(started, ready, alive);
    }

    @Test
    void formerPassword_worksWhileThePasswordIsChanged() throws IOException {
        String former = passwords.get("password");
        redis.close();
        Map<String, String> changed = new TreeMap<>(passwords);
        changed.put("previous-password", former);
        changed.put("password", "new-password");
        redis = new RedisOfTheManifests(directory, changed);

        assertThat(redis.cli(Map.of("REDISCLI_AUTH", former), "PING").output()).isEqualTo("PONG");
        assertThat(redis.cli(Map.of("REDISCLI_AUTH", "new-password"), "PING").output())
                .isEqualTo("PONG");
    }

    @Test
    void newPasswords_areReadableByTheirOwnerOnly_andNeverOverwritten() throws IOException {
        Path file = directory.resolve(Manifests.PASSWORDS);

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(passwords.values())
                .allMatch(p -> p.matches("[0-9a-f]{48}"))
                .doesNotHaveDuplicates();
        assertThat(newPasswords(directory)).isEqualTo(passwords);
    }

    private static Map<String, String> newPasswords(Path directory) {
        Manifests.writePasswords(directory);
        return TextFiles.read(directory.resolve(Manifests.PASSWORDS))
                .lines()
                .map(line -> line.split("=", 2))
                .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
    }

    private record Result(int status, String output) {}

    /** The container of the manifests without the container: the same command, files and probes. */
    private static final class RedisOfTheManifests implements Closeable {

        private static final Path FILES = Manifests.ROOT.resolve("redis").toAbsolutePath();

        private final Container container =
                Manifests.named("overlays/dev")
                        .podsOf("parley-redis")
                        .spec()
                        .getContainers()
                        .get(0);
        private final Path directory;
        private final Map<String, String> environment = new TreeMap<>();
        private final int port = Ports.free();
        private final OwnedProcess process;

        /** The keys of the passwords are those of the Secret. */
        RedisOfTheManifests(Path directory, Map<String, String> passwords) {
            Tool.named("redis-server");
            Tool.named("redis-cli");
            this.directory = directory;
            container
                    .getEnv()
                    .forEach(
                            variable -> {
                                String key = variable.getValueFrom().getSecretKeyRef().getKey();
                                if (passwords.containsKey(key)) {
                                    environment.put(variable.getName(), passwords.get(key));
                                }
                            });
            process = start();
            try {
                Timeouts.await("Redis of the manifests")
                        .failFast(() -> assertThat(process.alive()).as(log()).isTrue())
                        .until(() -> probe(Container::getStartupProbe, password()).status() == 0);
            } catch (RuntimeException e) {
                close();
                throw e;
            }
        }

        private String password() {
            return environment.get("REDISCLI_AUTH");
        }

        private OwnedProcess start() {
            assertThat(container.getCommand()).containsExactly("sh", "/etc/redis/start.sh");
            List<String> command = new ArrayList<>(List.of("sh", FILES + "/start.sh"));
            command.addAll(container.getArgs());
            command.addAll(List.of("--port", "" + port, "--bind", "127.0.0.1"));
            try {
                Files.createDirectories(directory.resolve("data"));
                Files.createDirectories(directory.resolve("run"));
                writeCliForPort();
                var builder = new ProcessBuilder(command);
                builder.environment().putAll(environment);
                builder.environment()
                        .putAll(
                                Map.of(
                                        "REDIS_CONFIG", FILES.toString(),
                                        "REDIS_DATA", directory.resolve("data").toString(),
                                        "REDIS_RUN", directory.resolve("run").toString()));
                return OwnedProcess.start(builder);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** A redis-cli before the real one on the PATH, which adds the port of this Redis. */
        private void writeCliForPort() throws IOException {
            writeCli(
                    "PATH='%s' exec redis-cli -p %d \"$@\"".formatted(System.getenv("PATH"), port));
        }

        /** A redis-cli that asks no server. */
        void writeCliThatPrints(String answer) throws IOException {
            writeCli("echo '%s'".formatted(answer));
        }

        private void writeCli(String command) throws IOException {
            Path cli = Files.createDirectories(directory.resolve("bin")).resolve("redis-cli");
            Files.writeString(cli, "#!/bin/sh\n" + command + "\n");
            Files.setPosixFilePermissions(cli, PosixFilePermissions.fromString("rwx------"));
        }

        Result probe(Function<Container, Probe> probe, String password) {
            return run(
                    Map.of("REDISCLI_AUTH", password),
                    probe.apply(container).getExec().getCommand());
        }

        /** Gives a command with the account of people, as README tells them to. */
        String admin(String... arguments) {
            List<String> command = new ArrayList<>(List.of("sh", FILES + "/admin-cli.sh"));
            command.addAll(List.of(arguments));
            Result result = run(environment, command);
            assertThat(result.status()).as(result.output()).isZero();
            return result.output();
        }

        Result cli(Map<String, String> account, String... arguments) {
            List<String> command = new ArrayList<>(List.of("redis-cli"));
            command.addAll(List.of(arguments));
            return run(account, command);
        }

        private Result run(Map<String, String> variables, List<String> command) {
            List<String> shell = new ArrayList<>(List.of("sh", "-c", "exec \"$@\"", "sh"));
            shell.addAll(command);
            var builder = new ProcessBuilder(shell);
            builder.environment().keySet().removeAll(List.of("REDISCLI_AUTH", "ADMIN_PASSWORD"));
            builder.environment().putAll(variables);
            builder.environment()
                    .merge("PATH", directory + "/bin:", (path, before) -> before + path);
            try (OwnedProcess running = OwnedProcess.start(builder)) {
                return new Result(running.awaitExit(), running.log().strip());
            }
        }

        String log() {
            return process.log();
        }

        @Override
        public void close() {
            process.close();
        }
    }
}
