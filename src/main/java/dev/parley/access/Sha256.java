package dev.parley.access;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256, which every JDK has. */
final class Sha256 {

    private Sha256() {}

    /** Returns the digest of a text in UTF-8: 64 hexadecimal digits. */
    static String hex(String text) {
        return HexFormat.of().formatHex(digest(text));
    }

    /** Returns the digest of a text in UTF-8: 32 bytes. */
    static byte[] digest(String text) {
        try {
            var sha256 = MessageDigest.getInstance("SHA-256");
            return sha256.digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }
}
