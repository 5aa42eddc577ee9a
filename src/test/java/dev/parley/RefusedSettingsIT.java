package dev.parley;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SelfSignedCertificate;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The program does not start with a setting that does not exist or cannot be used, wherever it is
 * set. It says so in one sentence, which contains no part of a Redis address. Which values are
 * refused is what the unit tests of the settings are about.
 */
class RefusedSettingsIT {

    private static final String PASSWORD = "Qx7secretQx7";

    /** Two starts at a time: each waits for the disk now and then. */
    private static final ExecutorService starting = Executors.newFixedThreadPool(2);

    @TempDir static Path directory;

    @AfterAll
    static void stop() {
        starting.shutdownNow();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refusals")
    void setting_isRefused(String name, Future<ParleyProcess> pod, List<String> sentences) {
        assertThatThrownBy(() -> pod.get().close())
                .rootCause()
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("ended before it listened, exit code 1")
                .hasMessageContainingAll(sentences.toArray(String[]::new))
                // A variable is not named a second time as the setting that it would set.
                .hasMessageNotContaining("parley.history.nope")
                .hasMessageNotContainingAny(PASSWORD, "NullPointerException", "\tat ");
    }

    static Stream<Arguments> refusals() {
        return Stream.of(
                refused(
                        "unknown property and unknown variable",
                        ParleyProcess.builder()
                                .config("parley.nope", "1")
                                .environment("PARLEY_HISTORY_NOPE", "1"),
                        "There is no setting parley.nope; docs/configuration.md lists the settings",
                        "There is no environment variable PARLEY_HISTORY_NOPE; docs/configuration"),
                refused(
                        "unknown key in a file",
                        podWithFile("unknown", "parley.log.byte=1M"),
                        "There is no setting parley.log.byte, did you mean parley.log.bytes?"),
                refused(
                        "wrong pattern of rooms",
                        ParleyProcess.builder().config("parley.rooms.\"te*m\".history.size", "5"),
                        "parley.rooms.\"te*m\": te*m is not a pattern of rooms; write a room"),
                refused(
                        "cookies for every page",
                        ParleyProcess.builder()
                                .config("quarkus.http.cors.origins", "https://app.example, *")
                                .config(
                                        "quarkus.http.cors.access-control-allow-credentials",
                                        "true"),
                        "quarkus.http.cors.access-control-allow-credentials lets pages use the"),
                refused(
                        "key of another certificate",
                        podWithKeyOfAnotherCertificate(),
                        "quarkus.http.ssl.certificate.files, quarkus.http.ssl.certificate.key-files",
                        "is not that of the certificate in"),
                refused(
                        "regular expression that is none",
                        ParleyProcess.builder()
                                .config("quarkus.http.cors.origins", "https://app.example,/(/"),
                        "quarkus.http.cors.origins: /(/ is not a regular expression: Unclosed"),
                refused(
                        "numbers that let nothing pass",
                        zero(NUMBERS).config("parley.access.clock-skew", "301S"),
                        NUMBERS.toArray(String[]::new)),
                refused(
                        "rates of more than a token a nanosecond",
                        set(RATES, "2147483647"),
                        RATES.stream()
                                .map(rate -> rate + " must be less than or equal to 1000000")
                                .toArray(String[]::new)),
                refused(
                        "durations that are too long to be counted",
                        ParleyProcess.builder()
                                .config("parley.events.max-connection-age", "36501D")
                                .config("parley.log.linger", "36501D"),
                        "parley.events.max-connection-age must be shorter than or equal to 36500",
                        "parley.log.linger must be shorter than or equal to 36500 days"),
                refused("sizes that let nothing pass", zero(SIZES), SIZES.toArray(String[]::new)),
                refused(
                        "zero for some rooms",
                        zero(
                                List.of(
                                        "parley.rooms.\"team.*\".history.size",
                                        "parley.rooms.\"team.*\".history.age",
                                        "parley.rooms.\"team.*\".publish.rate")),
                        // The framework writes some of its sentences without the quotes.
                        "parley.rooms.",
                        "team.*",
                        ".history.size",
                        ".history.age",
                        ".publish.rate"),
                refused(
                        "size of zero for some rooms",
                        zero(List.of("parley.rooms.\"team.*\".history.bytes")),
                        "parley.rooms.\"team.*\".history.bytes"),
                refused(
                        "tokens without an issuer",
                        ParleyProcess.builder().environment("PARLEY_ACCESS_MODE", "token"),
                        "parley.access.mode is token, but there is no issuer of tokens"),
                refused(
                        "short secret",
                        ParleyProcess.builder()
                                .environment("PARLEY_ACCESS_ISSUERS_DEV_ISSUER", "dev")
                                .environment("PARLEY_ACCESS_ISSUERS_DEV_AUDIENCE", "parley")
                                .environment("PARLEY_ACCESS_ISSUERS_DEV_SECRET", PASSWORD),
                        "parley.access.issuers.dev.secret is too short for HS256"),
                refused(
                        "plain channel among Parley's own",
                        ParleyProcess.builder()
                                .redis("redis://127.0.0.1:1")
                                .config("parley.redis.plain-channel", "parley:live"),
                        "parley.redis.plain-channel begins with parley:"),
                refused(
                        "trusted proxy that is none",
                        ParleyProcess.builder()
                                .config("quarkus.http.proxy.proxy-address-forwarding", "true")
                                .config("quarkus.http.proxy.trusted-proxies", "10.0.0.0/33"),
                        "quarkus.http.proxy.trusted-proxies",
                        "10.0.0.0/33"),
                refused(
                        "PROXY protocol",
                        ParleyProcess.builder()
                                .config("quarkus.http.proxy.use-proxy-protocol", "true")
                                .config("quarkus.management.proxy.use-proxy-protocol", "true"),
                        "quarkus.http.proxy.use-proxy-protocol, quarkus.management.proxy.use-proxy",
                        "Parley does not read the PROXY protocol; let the proxy send X-Forwarded"),
                refused(
                        "address that is not a URL",
                        ParleyProcess.builder().redis("redis://:" + PASSWORD + "^%@host:6379"),
                        "quarkus.redis.hosts: "),
                refused(
                        "address with a wrong database",
                        ParleyProcess.builder()
                                .redis("redis://host:6379?db=x&password=" + PASSWORD),
                        "quarkus.redis.hosts: "),
                refused(
                        "second address of a list",
                        ParleyProcess.builder()
                                .redis("redis://host:6379,redis://:" + PASSWORD + "@:6379"),
                        "quarkus.redis.hosts: "),
                refused(
                        "address in the environment",
                        ParleyProcess.builder()
                                .environment(
                                        "QUARKUS_REDIS_HOSTS", "redis://:" + PASSWORD + "[@host"),
                        "quarkus.redis.hosts: the address is not a URL"),
                refused(
                        "address in a file",
                        podWithFile(
                                "address",
                                "pass="
                                        + PASSWORD
                                        + "[\nquarkus.redis.hosts=redis://:${pass}@host\n"),
                        "quarkus.redis.hosts: the address is not a URL"),
                refused(
                        "address of a server",
                        ParleyProcess.builder()
                                .config("parley.redis.servers.a", "redis://127.0.0.1:1")
                                .config(
                                        "parley.redis.servers.b",
                                        "redis://:" + PASSWORD + "@host:port"),
                        "parley.redis.servers.b: "),
                refused(
                        "address of a server in the environment",
                        ParleyProcess.builder()
                                .environment(
                                        "PARLEY_REDIS_SERVERS_B",
                                        "redis://:" + PASSWORD + "[@host"),
                        "parley.redis.servers.b: the address is not a URL"),
                refused(
                        "one server and several",
                        ParleyProcess.builder()
                                .redis("redis://:" + PASSWORD + "@127.0.0.1:1")
                                .config(
                                        "parley.redis.servers.a",
                                        "redis://:" + PASSWORD + "@127.0.0.1:2"),
                        "quarkus.redis.hosts and parley.redis.servers.a are both set: name every"),
                refused(
                        "same server under two names",
                        ParleyProcess.builder()
                                .config("parley.redis.servers.a", "redis://LocalHost/1")
                                .config(
                                        "parley.redis.servers.b",
                                        "redis://:" + PASSWORD + "@localhost:6379"),
                        "parley.redis.servers.a and parley.redis.servers.b are the same server"));
    }

    /** Numbers that may not be 0, and one that has a most. */
    private static final List<String> NUMBERS =
            List.of(
                    "parley.history.size",
                    "parley.limits.sockets",
                    "parley.limits.sockets-per-address",
                    "parley.publish.rate",
                    "parley.access.clock-skew");

    /** Sizes in bytes that may not be 0. */
    private static final List<String> SIZES =
            List.of(
                    "parley.history.bytes",
                    "parley.limits.backlog-bytes",
                    "parley.limits.head-bytes",
                    "parley.log.bytes",
                    "parley.memory.max-bytes",
                    "parley.publish.max-text");

    private static final List<String> RATES =
            List.of(
                    "parley.access.failure-rate",
                    "parley.access.ticket-rate",
                    "parley.publish.rate",
                    "parley.rooms.kitchen.publish.rate");

    private static ParleyProcess.Builder zero(List<String> settings) {
        return set(settings, "0");
    }

    private static ParleyProcess.Builder set(List<String> settings, String value) {
        var pod = ParleyProcess.builder();
        settings.forEach(setting -> pod.config(setting, value));
        return pod;
    }

    /** Begins a start as soon as one of the others has ended. */
    private static Arguments refused(String name, ParleyProcess.Builder pod, String... sentences) {
        return Arguments.of(name, starting.submit(pod::start), List.of(sentences));
    }

    @Test
    void settingsInEverySource_andVariablesThatAreNotSettings_areAccepted() {
        podWithFile("accepted", "parley.log.bytes=1M")
                .config("parley.publish.rate", "1000")
                .environment("PARLEY_EVENTS_MAX_CONNECTION_AGE", "1H")
                .environment("PARLEY_TEST_REDIS", "/usr/bin/redis-server")
                .environment("PARLEY_SERVICE_HOST", "10.0.0.1")
                .environment("PARLEY_PORT", "tcp://10.0.0.1:80")
                .start()
                .awaitReady()
                .close();
    }

    private static ParleyProcess.Builder podWithKeyOfAnotherCertificate() {
        try {
            var one = SelfSignedCertificate.create(directory.resolve("one.p12"));
            var two = SelfSignedCertificate.create(directory.resolve("two.p12"));
            Path file = Files.writeString(directory.resolve("tls.crt"), one.certificatePem());
            Path key = Files.writeString(directory.resolve("tls.key"), two.keyPem());
            return ParleyProcess.builder()
                    .config("quarkus.http.ssl.certificate.files", file.toString())
                    .config("quarkus.http.ssl.certificate.key-files", key.toString());
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A pod whose settings are in a file with this text. */
    private static ParleyProcess.Builder podWithFile(String name, String text) {
        try {
            Path file = Files.writeString(directory.resolve(name + ".properties"), text);
            return ParleyProcess.builder()
                    .config("quarkus.config.locations", file.toUri().toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
