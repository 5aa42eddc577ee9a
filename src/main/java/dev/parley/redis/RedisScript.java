package dev.parley.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A Lua script that Redis runs atomically, and the digest that names it (Redis: EVALSHA). */
public final class RedisScript {

    private final String source;
    private final String sha1;

    private RedisScript(String source) {
        this.source = source;
        this.sha1 = digest(source);
    }

    /**
     * Loads a script from a file in the package of the class that calls it.
     *
     * @throws IllegalStateException if the file is not in the build
     */
    public static RedisScript load(Class<?> caller, String file) {
        try (InputStream in = caller.getResourceAsStream(file)) {
            if (in == null) {
                throw new IllegalStateException("not in the build: " + file);
            }
            return new RedisScript(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String source() {
        return source;
    }

    String sha1() {
        return sha1;
    }

    private static String digest(String source) {
        try {
            var sha1 = MessageDigest.getInstance("SHA-1");
            return HexFormat.of().formatHex(sha1.digest(source.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
