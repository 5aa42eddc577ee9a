package dev.parley.access;

import io.quarkus.runtime.configuration.ConfigurationException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

/** Reads keys out of settings and files. No message repeats what was read. */
final class KeyText {

    private static final String FILE = "file:";
    private static final String CERTIFICATE = "CERTIFICATE";

    /** One block of PEM (RFC 7468). */
    private static final Pattern PEM =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \\1-----");

    /** Algorithms of the public keys that signatures can be checked with. */
    private static final List<String> TYPES = List.of("RSA", "EC", "EdDSA");

    private KeyText() {}

    /**
     * Reads a secret.
     *
     * @param setting its name
     * @param text the secret, or {@code file:} and the name of a file, whose last line end is not
     *     part of it
     */
    static SecretKey secret(String setting, String text) {
        String secret =
                text.startsWith(FILE) ? read(setting, text).replaceFirst("\\r?\\n$", "") : text;
        byte[] bytes = secret.getBytes(StandardCharsets.UTF_8);
        if (bytes.length == 0) {
            throw new ConfigurationException(setting + " is empty");
        }
        return new SecretKeySpec(bytes, "HMAC");
    }

    /**
     * Reads a public key.
     *
     * @param setting its name
     * @param text PEM, base64, or the name of a file with one of these
     */
    static PublicKey publicKey(String setting, String text) {
        String content = text.strip();
        if (isFile(content)) {
            content = read(setting, content).strip();
        }
        // A variable may hold the two characters \n where a line ends.
        Matcher pem = PEM.matcher(content.replace("\\n", "\n"));
        if (!pem.find()) {
            return key(setting, decoded(setting, content));
        }
        String label = pem.group(1);
        byte[] der = decoded(setting, pem.group(2));
        return switch (label) {
            case "PUBLIC KEY" -> key(setting, der);
            case CERTIFICATE -> certified(setting, der);
            default ->
                    throw new ConfigurationException(
                            "%s contains a %s; a PUBLIC KEY or a CERTIFICATE is expected"
                                    .formatted(setting, label));
        };
    }

    /**
     * Tells whether a text is the name of a file. Base64 has slashes too, so without {@code file:}
     * it is one if there is such a file.
     */
    private static boolean isFile(String text) {
        if (text.startsWith(FILE)) {
            return true;
        }
        try {
            return !text.contains("-----") && Files.isRegularFile(Path.of(text));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private static byte[] decoded(String setting, String base64) {
        try {
            return Base64.getDecoder().decode(base64.replaceAll("\\s", ""));
        } catch (IllegalArgumentException e) {
            throw new ConfigurationException(
                    setting
                            + ": a public key in PEM is expected, its base64 text, or the name of a"
                            + " file that exists");
        }
    }

    private static PublicKey key(String setting, byte[] der) {
        for (String type : TYPES) {
            try {
                return KeyFactory.getInstance(type).generatePublic(new X509EncodedKeySpec(der));
            } catch (GeneralSecurityException e) {
                // Of another type, or of none.
            }
        }
        throw new ConfigurationException(
                setting + " is not a public key of RSA, of an elliptic curve, or of EdDSA");
    }

    private static PublicKey certified(String setting, byte[] der) {
        try {
            return CertificateFactory.getInstance("X.509")
                    .generateCertificate(new ByteArrayInputStream(der))
                    .getPublicKey();
        } catch (CertificateException e) {
            throw new ConfigurationException(setting + " contains a certificate that is broken");
        }
    }

    /**
     * Returns the path of a file of certificates; refuses one that cannot be read, or that has no
     * certificates in PEM.
     */
    static Path certificates(String setting, String file) {
        Matcher pem = PEM.matcher(read(setting, file));
        boolean hasOne = false;
        while (pem.find()) {
            if (pem.group(1).equals(CERTIFICATE)) {
                certified(setting, decoded(setting, pem.group(2)));
                hasOne = true;
            }
        }
        if (!hasOne) {
            throw new ConfigurationException(
                    "%s: the file %s has no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----"
                            .formatted(setting, file));
        }
        return path(file);
    }

    private static String read(String setting, String file) {
        try {
            return Files.readString(path(file));
        } catch (IOException | IllegalArgumentException | FileSystemNotFoundException e) {
            throw new ConfigurationException(
                    "%s: the file %s cannot be read (%s)"
                            .formatted(setting, file, e.getClass().getSimpleName()));
        }
    }

    private static Path path(String file) {
        if (!file.startsWith(FILE)) {
            return Path.of(file);
        }
        // file:keys/a.pem is relative, and file:///run/keys/a.pem a URL.
        return file.startsWith(FILE + "//")
                ? Path.of(URI.create(file))
                : Path.of(file.substring(FILE.length()));
    }
}
