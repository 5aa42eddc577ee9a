package dev.parley.access;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Makes tokens, right ones and wrong ones. Written without the library that checks them, which
 * would refuse to make the wrong ones.
 */
public final class TestTokens {

    /** The issuer of the tokens. */
    public static final String ISSUER = "https://login.example/realms/chat";

    /** The audience of the tokens. */
    public static final String AUDIENCE = "parley";

    /** A secret of 64 bytes, enough for every algorithm. */
    public static final String SECRET =
            "a secret of tests, as long as the longest hash that is possible.";

    /** Only ASCII, so that half of a surrogate pair can be written. */
    private static final ObjectMapper JSON =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

    private final Map<String, Object> header = new LinkedHashMap<>();
    private final Map<String, Object> claims = new LinkedHashMap<>();

    private TestTokens() {}

    /** A token of {@link #ISSUER} for Ada that lasts for ten minutes from now. */
    public static TestTokens token() {
        long now = Instant.now().getEpochSecond();
        return new TestTokens()
                .header("typ", "JWT")
                .claim("iss", ISSUER)
                .claim("aud", AUDIENCE)
                .claim("sub", "ada")
                .claim("iat", now)
                .claim("exp", now + 600);
    }

    /** Sets a header; null removes it. */
    public TestTokens header(String name, @Nullable Object value) {
        return put(header, name, value);
    }

    /** Sets a claim; null removes it. */
    public TestTokens claim(String name, @Nullable Object value) {
        return put(claims, name, value);
    }

    /** Grants rights to the rooms that match these patterns. */
    public TestTokens rights(List<String> read, List<String> write) {
        return claim("parley", Map.of("read", read, "write", write));
    }

    private TestTokens put(Map<String, Object> map, String name, @Nullable Object value) {
        if (value == null) {
            map.remove(name);
        } else {
            map.put(name, value);
        }
        return this;
    }

    /** Signs with {@link #SECRET}, as HS256. */
    public String signed() {
        return hmac("HS256", SECRET.getBytes(StandardCharsets.UTF_8));
    }

    /** Signs with any bytes as secret. */
    public String hmac(String algorithm, byte[] secret) {
        header("alg", algorithm);
        return signed(json(claims), input -> mac(algorithm, secret, input));
    }

    /** Signs a payload that is any text with {@link #SECRET}. */
    public String signedPayload(String payload) {
        header("alg", "HS256");
        byte[] secret = SECRET.getBytes(StandardCharsets.UTF_8);
        return signed(payload, input -> mac("HS256", secret, input));
    }

    /** Signs with a private key. */
    public String signed(String algorithm, KeyPair pair) {
        header("alg", algorithm);
        return signed(json(claims), input -> sign(algorithm, pair, input));
    }

    /** Joins the parts without a signature. */
    public String unsigned(String algorithm) {
        header("alg", algorithm);
        return signed(json(claims), input -> new byte[0]);
    }

    private interface Signer {
        byte[] sign(byte[] input) throws GeneralSecurityException;
    }

    private String signed(String payload, Signer signer) {
        String input = base64(json(header)) + "." + base64(payload);
        try {
            byte[] signature = signer.sign(input.getBytes(StandardCharsets.US_ASCII));
            return input + "." + base64(signature);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] mac(String algorithm, byte[] secret, byte[] input)
            throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA" + algorithm.substring(2));
        mac.init(new SecretKeySpec(secret, "HMAC"));
        return mac.doFinal(input);
    }

    private static byte[] sign(String algorithm, KeyPair pair, byte[] input)
            throws GeneralSecurityException {
        Signature signature =
                Signature.getInstance(
                        switch (algorithm) {
                            case "RS256" -> "SHA256withRSA";
                            case "RS512" -> "SHA512withRSA";
                            case "PS256" -> "RSASSA-PSS";
                            case "ES256" -> "SHA256withECDSAinP1363Format";
                            case "ES384" -> "SHA384withECDSAinP1363Format";
                            case "EdDSA" -> "EdDSA";
                            default -> throw new IllegalArgumentException(algorithm);
                        });
        if (algorithm.equals("PS256")) {
            signature.setParameter(
                    new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1));
        }
        signature.initSign(pair.getPrivate());
        signature.update(input);
        return signature.sign();
    }

    /** Generates a key pair: {@code RSA} (2048 bits), {@code Ed25519}, or the name of a curve. */
    public static KeyPair pair(String type) {
        try {
            if (type.startsWith("secp")) {
                var generator = KeyPairGenerator.getInstance("EC");
                generator.initialize(new ECGenParameterSpec(type));
                return generator.generateKeyPair();
            }
            var generator = KeyPairGenerator.getInstance(type);
            if (type.equals("RSA")) {
                generator.initialize(2048);
            }
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Writes a public key as PEM. */
    public static String pem(KeyPair pair) {
        String base64 =
                Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                        .encodeToString(pair.getPublic().getEncoded());
        return "-----BEGIN PUBLIC KEY-----\n" + base64 + "\n-----END PUBLIC KEY-----\n";
    }

    /** Writes the public key of an RSA pair as a JWK; members are name and value in turn. */
    public static Map<String, Object> jwk(KeyPair pair, String... members) {
        var key = (RSAPublicKey) pair.getPublic();
        Map<String, Object> jwk = new LinkedHashMap<>();
        jwk.put("kty", "RSA");
        jwk.put("n", unsigned(key.getModulus().toByteArray()));
        jwk.put("e", unsigned(key.getPublicExponent().toByteArray()));
        for (int i = 0; i < members.length; i += 2) {
            jwk.put(members[i], members[i + 1]);
        }
        return jwk;
    }

    /** Writes the public key of a pair on P-256 as a JWK; members are name and value in turn. */
    public static Map<String, Object> ecJwk(KeyPair pair, String... members) {
        var key = (ECPublicKey) pair.getPublic();
        Map<String, Object> jwk = new LinkedHashMap<>();
        jwk.put("kty", "EC");
        jwk.put("crv", "P-256");
        jwk.put("x", coordinate(key.getW().getAffineX()));
        jwk.put("y", coordinate(key.getW().getAffineY()));
        for (int i = 0; i < members.length; i += 2) {
            jwk.put(members[i], members[i + 1]);
        }
        return jwk;
    }

    /** Writes 32 bytes (RFC 7518 §6.2.1.2). */
    private static String coordinate(BigInteger number) {
        byte[] signed = number.toByteArray();
        int bytes = 32;
        byte[] fixed = new byte[bytes];
        int length = Math.min(bytes, signed.length);
        System.arraycopy(signed, signed.length - length, fixed, bytes - length, length);
        return base64(fixed);
    }

    private static String unsigned(byte[] number) {
        int start = number[0] == 0 ? 1 : 0;
        return base64(Arrays.copyOfRange(number, start, number.length));
    }

    /** Writes a JWK set. */
    @SafeVarargs
    public static String jwks(Map<String, Object>... keys) {
        return json(Map.of("keys", List.of(keys)));
    }

    static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String base64(String text) {
        return base64(text.getBytes(StandardCharsets.UTF_8));
    }

    static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
