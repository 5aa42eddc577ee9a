package dev.parley.testsupport;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import redis.embedded.core.ExecutableProvider;

/**
 * The Redis or Valkey program that the tests run: the one that the environment variable {@code
 * PARLEY_TEST_REDIS} names, or else Redis 6.2 from the embedded-redis library, which is unpacked
 * once per JVM (on Linux it needs OpenSSL 3).
 */
final class RedisBinary {

    private static final String VARIABLE = "PARLEY_TEST_REDIS";

    private RedisBinary() {}

    static String path() {
        return Optional.ofNullable(System.getenv(VARIABLE))
                .filter(name -> !name.isBlank())
                .orElseGet(() -> Embedded.PATH);
    }

    /** Unpacked when this class is first used. */
    private static final class Embedded {

        static final String PATH = unpack();

        private static String unpack() {
            try {
                Path directory = Files.createTempDirectory("parley-redis-binary");
                directory.toFile().deleteOnExit();
                File binary = ExecutableProvider.newJarResourceProvider(directory.toFile()).get();
                binary.deleteOnExit();
                return binary.getAbsolutePath();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
