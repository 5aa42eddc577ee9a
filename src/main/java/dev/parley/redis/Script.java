package dev.parley.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A Lua script that Redis runs atomically, and the digest that names it (Redis: EVALSHA). */
public enum Script {
    PUBLISH("publish.lua"),
    READ("read.lua"),
    END_EPOCH("end-epoch.lua");

    private final String source;
    private final String sha1;

    Script(String resource) {
        source = load(resource);
        sha1 = digest(source);
    }

    public String source() {
        return source;
    }

    public String sha1() {
        return sha1;
    }

    private static String load(String resource) {
        try (InputStream in = Script.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("not in the build: " + resource);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
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
