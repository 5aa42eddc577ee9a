package dev.parley;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.testsupport.ParleyProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The program does not start with a setting that does not exist or a Redis address that cannot be
 * used, wherever it is set. It says so in one sentence, which contains no part of the address.
 */
class RefusedSettingsIT {

    private static final String PASSWORD = "Qx7secretQx7";

    @TempDir Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"parley.nope", "parley.history.nonsense", "parley.nope.at.all"})
    void unknownSystemProperty_isRefused(String key) {
        assertRefused(
                ParleyProcess.builder().config(key, "1"),
                "There is no setting " + key + "; docs/configuration.md lists the settings");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PARLEY_NOPE", "PARLEY_HISTORY_NOPE"})
    void unknownEnvironmentVariable_isRefused(String name) {
        assertRefused(
                ParleyProcess.builder().environment(name, "1"),
                "There is no environment variable " + name + "; docs/configuration.md");
    }

    @Test
    void unknownKeyInAConfigFile_isRefusedWithTheNearestOne() throws IOException {
        assertRefused(
                podWithFile("parley.log.byte=1M"),
                "There is no setting parley.log.byte, did you mean parley.log.bytes?");
    }

    @Test
    void wrongPatternOfRooms_isRefused() {
        assertRefused(
                ParleyProcess.builder().config("parley.rooms.\"te*m\".history.size", "5"),
                "parley.rooms.\"te*m\": te*m is not a pattern of rooms; write a room name");
    }

    @Test
    void cookiesForEveryPage_areRefused() {
        assertRefused(
                ParleyProcess.builder()
                        .config("quarkus.http.cors.access-control-allow-credentials", "true"),
                "quarkus.http.cors.access-control-allow-credentials lets pages use the cookies");
    }

    @Test
    void patternWithoutQuotes_isRefusedWithTheRightName() {
        assertRefused(
                ParleyProcess.builder().config("parley.rooms.team.*.history.size", "5"),
                "There is no setting parley.rooms.team.*.history.size; a pattern with dots is"
                        + " written in quotes: parley.rooms.\"team.*\".history.size");
    }

    @ParameterizedTest
    @ValueSource(strings = {"history.size", "history.bytes", "history.age", "publish.rate"})
    void zeroForSomeRooms_isRefused(String setting) {
        assertRefused(
                ParleyProcess.builder().config("parley.rooms.\"team.*\"." + setting, "0"),
                // The framework writes some of its sentences without the quotes.
                "parley.rooms.",
                "team.*",
                "." + setting);
    }

    @Test
    void modeTokenWithoutIssuer_isRefused() {
        assertRefused(
                ParleyProcess.builder().environment("PARLEY_ACCESS_MODE", "token"),
                "parley.access.mode is token, but there is no issuer of tokens");
    }

    @Test
    void shortSecret_isRefused() {
        assertRefused(
                ParleyProcess.builder()
                        .environment("PARLEY_ACCESS_ISSUERS_DEV_ISSUER", "dev")
                        .environment("PARLEY_ACCESS_ISSUERS_DEV_AUDIENCE", "parley")
                        .environment("PARLEY_ACCESS_ISSUERS_DEV_SECRET", PASSWORD),
                "parley.access.issuers.dev.secret is too short for HS256");
    }

    @Test
    void clockSkewOfMoreThanFiveMinutes_isRefused() {
        assertRefused(
                ParleyProcess.builder().config("parley.access.clock-skew", "301S"),
                "parley.access.clock-skew");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "parley.events.max-connection-age",
                "parley.events.slow-timeout",
                "parley.log.linger"
            })
    void durationThatIsTooLongToBeCounted_isRefused(String key) {
        assertRefused(
                ParleyProcess.builder().config(key, "36501D"),
                key + " must be shorter than or equal to 36500 days");
    }

    @Test
    void plainChannelAmongParleysOwn_isRefused() {
        assertRefused(
                ParleyProcess.builder()
                        .redis("redis://127.0.0.1:1")
                        .config("parley.redis.plain-channel", "parley:live"),
                "parley.redis.plain-channel begins with parley:");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "parley.history.size",
                "parley.history.bytes",
                "parley.limits.sockets",
                "parley.limits.sockets-per-address",
                "parley.limits.head-bytes",
                "parley.log.bytes",
                "parley.memory.max-bytes",
                "parley.publish.max-text",
                "parley.publish.rate"
            })
    void zero_isRefusedWhereItWouldLetNothingPass(String key) {
        assertRefused(ParleyProcess.builder().config(key, "0"), key);
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.0/33", "::ffff:10.0.0.0/8", "10.0.0", "proxy.example/24"})
    void trustedProxyThatIsNone_isRefused(String proxy) {
        assertRefused(
                ParleyProcess.builder()
                        .config("quarkus.http.proxy.proxy-address-forwarding", "true")
                        .config("quarkus.http.proxy.trusted-proxies", proxy),
                "quarkus.http.proxy.trusted-proxies",
                proxy);
    }

    @Test
    void severalUnknownNames_areNamedOnceEach() {
        assertRefused(
                ParleyProcess.builder()
                        .config("parley.nope", "1")
                        .environment("PARLEY_HISTORY_NOPE", "1"),
                "setting parley.nope;",
                "variable PARLEY_HISTORY_NOPE;");
    }

    @Test
    void settingsInEverySource_andVariablesThatAreNotSettings_areAccepted() throws IOException {
        podWithFile("parley.log.bytes=1M")
                .config("parley.publish.rate", "1000")
                .environment("PARLEY_EVENTS_MAX_CONNECTION_AGE", "1H")
                .environment("PARLEY_TEST_REDIS", "/usr/bin/redis-server")
                .environment("PARLEY_SERVICE_HOST", "10.0.0.1")
                .environment("PARLEY_PORT", "tcp://10.0.0.1:80")
                .start()
                .awaitReady()
                .close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Qx7secretQx7",
                ":Qx7secretQx7@host:6379",
                "redis://:Qx7secretQx7^%@host:6379",
                "redis://:Qx7secretQx7 @host:6379",
                "redis://:Qx7secretQx7/@host:6379",
                "redis://:Qx7secretQx7@host:port",
                "redis://:Qx7secretQx7@host:99999",
                "redis://:Qx7secretQx7@host:6379/first",
                "redis://host:6379?db=x&password=Qx7secretQx7",
                "http://:Qx7secretQx7@host:6379",
                "redis://host:6379,redis://:Qx7secretQx7@:6379"
            })
    void brokenAddress_isRefused(String address) {
        assertRefused(ParleyProcess.builder().redis(address), "quarkus.redis.hosts: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "redis://:Qx7secretQx7^%@host:6379",
                "redis://:Qx7secretQx7@host:port",
                "http://:Qx7secretQx7@host:6379",
                "redis://host:6379,redis://:Qx7secretQx7@host:6380"
            })
    void brokenAddressOfAServer_isRefused(String address) {
        assertRefused(
                ParleyProcess.builder()
                        .config("parley.redis.servers.a", "redis://127.0.0.1:1")
                        .config("parley.redis.servers.b", address),
                "parley.redis.servers.b: ");
    }

    @Test
    void brokenAddressOfAServerInTheEnvironment_isRefused() {
        assertRefused(
                ParleyProcess.builder()
                        .environment("PARLEY_REDIS_SERVERS_B", "redis://:" + PASSWORD + "[@host"),
                "parley.redis.servers.b: the address is not a URL");
    }

    @ParameterizedTest
    @ValueSource(strings = {"North", "north-1", "north_1", "north.one", "nörd"})
    void badNameOfAServer_isRefused(String name) {
        assertRefused(
                ParleyProcess.builder()
                        .config("parley.redis.servers." + name, "redis://127.0.0.1:1"),
                "the name of a server is 1 to 32 lower-case letters and digits");
    }

    @Test
    void oneServerAndSeveral_areRefused() {
        assertRefused(
                ParleyProcess.builder()
                        .redis("redis://:" + PASSWORD + "@127.0.0.1:1")
                        .config("parley.redis.servers.a", "redis://:" + PASSWORD + "@127.0.0.1:2"),
                "quarkus.redis.hosts and parley.redis.servers.a are both set: name every server");
    }

    @Test
    void sameServerUnderTwoNames_isRefused() {
        assertRefused(
                ParleyProcess.builder()
                        .config("parley.redis.servers.a", "redis://LocalHost/1")
                        .config(
                                "parley.redis.servers.b",
                                "redis://:" + PASSWORD + "@localhost:6379"),
                "parley.redis.servers.a and parley.redis.servers.b are the same server");
    }

    @ParameterizedTest
    @ValueSource(strings = {"cluster", "sentinel"})
    void severalServersThatAreNotSingleOnes_areRefused(String type) {
        assertRefused(
                ParleyProcess.builder()
                        .config("parley.redis.servers.a", "redis://127.0.0.1:1")
                        .config("quarkus.redis.client-type", type),
                "quarkus.redis.client-type is " + type + ", but each of parley.redis.servers");
    }

    @Test
    void brokenAddressInTheEnvironment_isRefused() {
        assertRefused(
                ParleyProcess.builder()
                        .environment("QUARKUS_REDIS_HOSTS", "redis://:" + PASSWORD + "[@host"),
                "quarkus.redis.hosts: the address is not a URL");
    }

    @Test
    void brokenAddressInAFile_isRefused() throws IOException {
        assertRefused(
                podWithFile("pass=" + PASSWORD + "[\nquarkus.redis.hosts=redis://:${pass}@host\n"),
                "quarkus.redis.hosts: the address is not a URL");
    }

    /** A pod whose settings are in a file with this text. */
    private ParleyProcess.Builder podWithFile(String text) throws IOException {
        Path file = Files.writeString(directory.resolve("parley.properties"), text);
        return ParleyProcess.builder().config("quarkus.config.locations", file.toUri().toString());
    }

    private static void assertRefused(ParleyProcess.Builder pod, String... sentences) {
        assertThatThrownBy(() -> pod.start().close())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("ended before it listened, exit code 1")
                .hasMessageContainingAll(sentences)
                // A variable is not named a second time as the setting that it would set.
                .hasMessageNotContaining("parley.history.nope")
                .hasMessageNotContainingAny(PASSWORD, "NullPointerException", "\tat ");
    }
}
