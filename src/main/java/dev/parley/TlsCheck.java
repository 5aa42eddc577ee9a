package dev.parley;

import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.vertx.core.Vertx;
import io.vertx.core.net.PemKeyCertOptions;
import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import javax.net.ssl.X509KeyManager;
import org.eclipse.microprofile.config.Config;

/**
 * Refuses PEM files of the HTTPS server that cannot be used. The framework would fail with a stack
 * trace that does not name the setting, or, with the key of another certificate, start and refuse
 * every client.
 */
@Singleton
final class TlsCheck {

    /** Runs after the check of unknown settings, and before the program is assembled. */
    private static final int EARLY = 2;

    private static final String CERTIFICATE = "quarkus.http.ssl.certificate.";
    private static final String FILES = CERTIFICATE + "files";
    private static final String KEY_FILES = CERTIFICATE + "key-files";

    /** Any of these makes the framework start an HTTPS server. Others have defaults. */
    private static final Pattern SWITCH =
            Pattern.compile(
                    "quarkus\\.http\\.ssl\\.certificate\\.(files|key-store-file)"
                            + "|quarkus\\.http\\.tls-configuration-name"
                            + "|quarkus\\.tls\\.key-store\\.(pem\\.[^.]+\\.cert|(p12|jks)\\.path)");

    private static final Pattern CERTIFICATE_BLOCK = Pattern.compile("-----BEGIN CERTIFICATE-----");
    private static final Pattern KEY_BLOCK =
            Pattern.compile("-----BEGIN (RSA |EC )?PRIVATE KEY-----");

    /** What a key signs with, by the name of its kind; the framework reads no other kinds. */
    private static final Map<String, String> SIGNATURES =
            Map.of("RSA", "SHA256withRSA", "EC", "SHA256withECDSA");

    void check(@Observes @Priority(EARLY) StartupEvent event, Config config, Vertx vertx) {
        check(config, vertx);
    }

    /** Tells whether the program is configured to serve HTTPS. */
    static boolean isConfigured(Config config) {
        return StreamSupport.stream(config.getPropertyNames().spliterator(), false)
                .filter(name -> SWITCH.matcher(name).matches())
                .anyMatch(name -> config.getOptionalValue(name, String.class).isPresent());
    }

    /**
     * Refuses files that are missing, that cannot be read, or that are not of their kind, and a key
     * that is not the certificate's.
     */
    static void check(Config config, Vertx vertx) {
        List<String> certificates = list(config, FILES);
        List<String> keys = list(config, KEY_FILES);
        if (certificates.size() != keys.size()) {
            throw new ConfigurationException(
                    "%s names %d files, and %s %d: each certificate needs its key, in the same order"
                            .formatted(FILES, certificates.size(), KEY_FILES, keys.size()));
        }
        certificates.forEach(
                file ->
                        checkFile(
                                FILES,
                                file,
                                CERTIFICATE_BLOCK,
                                "a certificate: -----BEGIN CERTIFICATE-----"));
        keys.forEach(
                file ->
                        checkFile(
                                KEY_FILES,
                                file,
                                KEY_BLOCK,
                                "a private key without a password: -----BEGIN PRIVATE KEY-----,"
                                        + " or the same with RSA or EC"));
        for (int i = 0; i < keys.size(); i++) {
            checkPair(certificates.get(i), keys.get(i), vertx);
        }
    }

    private static List<String> list(Config config, String key) {
        return config.getOptionalValues(key, String.class).orElse(List.of());
    }

    private static void checkFile(String key, String file, Pattern block, String expected) {
        String content;
        try {
            // Latin 1 takes every byte, so that a binary file is read, and found to have no block.
            content = Files.readString(Path.of(file), StandardCharsets.ISO_8859_1);
        } catch (IOException | InvalidPathException e) {
            if (isInProgram(file)) {
                return;
            }
            throw new ConfigurationException(
                    "%s: the file %s cannot be read (%s); name a PEM file that the program may read, by its path from the working directory or from /"
                            .formatted(key, file, e.getClass().getSimpleName()));
        }
        if (!block.matcher(content).find()) {
            throw new ConfigurationException(
                    "%s: the file %s does not contain %s".formatted(key, file, expected));
        }
    }

    /** Reads both files as the server will, and lets the key sign for the certificate. */
    private static void checkPair(String certificate, String key, Vertx vertx) {
        var pair = new PemKeyCertOptions().addCertPath(certificate).addKeyPath(key);
        boolean isPair;
        try {
            isPair = isPair((X509KeyManager) pair.getKeyManagerFactory(vertx).getKeyManagers()[0]);
        } catch (Exception e) { // Whatever the parsers throw is about the files.
            throw new ConfigurationException(
                    "%s, %s: the files %s and %s cannot be used (%s); write an RSA or EC key and its certificate, as PEM"
                            .formatted(FILES, KEY_FILES, certificate, key, e.getMessage()));
        }
        if (!isPair) {
            throw new ConfigurationException(
                    "%s, %s: the key in %s is not that of the certificate in %s; name the key that the certificate was made for, and the certificate before its chain"
                            .formatted(FILES, KEY_FILES, key, certificate));
        }
    }

    private static boolean isPair(X509KeyManager keys) throws GeneralSecurityException {
        for (Map.Entry<String, String> one : SIGNATURES.entrySet()) {
            String[] names = keys.getServerAliases(one.getKey(), null);
            if (names != null) {
                PublicKey itsKey = keys.getCertificateChain(names[0])[0].getPublicKey();
                return isPair(one.getValue(), keys.getPrivateKey(names[0]), itsKey);
            }
        }
        // A key of another kind is left to the framework.
        return true;
    }

    private static boolean isPair(String algorithm, PrivateKey key, PublicKey certified)
            throws GeneralSecurityException {
        byte[] text = {1};
        Signature signature = Signature.getInstance(algorithm);
        signature.initSign(key);
        signature.update(text);
        byte[] signed = signature.sign();
        signature.initVerify(certified);
        signature.update(text);
        try {
            return signature.verify(signed);
        } catch (SignatureException e) {
            // Its length is that of another key.
            return false;
        }
    }

    /** Tells whether the framework finds it among the program's own resources, as it tries to. */
    private static boolean isInProgram(String file) {
        return Thread.currentThread().getContextClassLoader().getResource(file) != null;
    }
}
