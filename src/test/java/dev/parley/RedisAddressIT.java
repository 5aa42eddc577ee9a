package dev.parley;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.parley.testsupport.ParleyProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A Redis address that cannot be used is refused in one sentence, and no part of it is printed. */
class RedisAddressIT {

    private static final String PASSWORD = "Qx7secretQx7";

    @TempDir Path directory;

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

    @Test
    void brokenAddressInTheEnvironment_isRefused() {
        assertRefused(
                ParleyProcess.builder()
                        .environment("QUARKUS_REDIS_HOSTS", "redis://:" + PASSWORD + "[@host"),
                "quarkus.redis.hosts: the address is not a URL");
    }

    @Test
    void brokenAddressInAFile_isRefused() throws IOException {
        Path file =
                Files.writeString(
                        directory.resolve("parley.properties"),
                        "pass=" + PASSWORD + "[\nquarkus.redis.hosts=redis://:${pass}@host\n");

        assertRefused(
                ParleyProcess.builder().config("quarkus.config.locations", file.toUri().toString()),
                "quarkus.redis.hosts: the address is not a URL");
    }

    private static void assertRefused(ParleyProcess.Builder pod, String sentence) {
        Throwable refused = catchThrowable(() -> pod.start().close());

        assertThat(refused)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("ended before it listened, exit code 1")
                .hasMessageContaining(sentence);
        assertThat(refused.getMessage())
                .doesNotContain(PASSWORD)
                .doesNotContain("NullPointerException")
                .doesNotContain("\tat ");
    }
}
