package dev.parley.access;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.parley.message.RoomPattern;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import javax.crypto.SecretKey;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.lang.JoseException;

/**
 * Signs tokens with the secret of an issuer, as its back end would. Serves to try Parley out, and
 * operators who need a token at once.
 */
public final class TokenSigner {

    /** Longest subject that the server accepts in a token, in characters. */
    public static final int MAX_SUBJECT = UnverifiedToken.MAX_ID;

    private static final JsonMapper JSON = new JsonMapper();

    private final Issuer issuer;
    private final SecretKey secret;
    private final Duration longest;

    private TokenSigner(Issuer issuer, SecretKey secret, Duration longest) {
        this.issuer = issuer;
        this.secret = secret;
        this.longest = longest;
    }

    /**
     * Takes the secret of an issuer.
     *
     * @param name the issuer in the settings; if empty, the only one that has a secret
     * @throws ConfigurationException if there is no such issuer, if there are several and none is
     *     named, or if a setting is wrong; its message is a sentence that names the setting
     */
    public static TokenSigner of(AccessConfig config, Optional<String> name) {
        Map<String, TokenSigner> signers = new TreeMap<>();
        for (Issuer issuer : Issuers.readWithoutFetching(config).values()) {
            for (VerificationKey key : issuer.keys().current().keys()) {
                if (key.key() instanceof SecretKey secret) {
                    signers.put(
                            issuer.name(),
                            new TokenSigner(issuer, secret, config.maxTokenLifetime()));
                }
            }
        }
        if (name.isPresent()) {
            return Optional.ofNullable(signers.get(name.get()))
                    .orElseThrow(
                            () ->
                                    new ConfigurationException(
                                            "parley.access.issuers.%s.secret is not set, so there is no secret to sign with"
                                                    .formatted(name.get())));
        }
        if (signers.isEmpty()) {
            throw new ConfigurationException(
                    "no issuer has a secret to sign with; set parley.access.issuers.NAME.issuer,"
                            + " .audience and .secret");
        }
        if (signers.size() > 1) {
            throw new ConfigurationException(
                    "several issuers have a secret (%s); name one with --issuer"
                            .formatted(String.join(", ", signers.keySet())));
        }
        return signers.values().iterator().next();
    }

    /** Returns the longest life of a token that the server accepts. */
    public Duration longest() {
        return longest;
    }

    /** Tells whether the server accepts a subject in a token. */
    public static boolean isSubject(String text) {
        return UnverifiedToken.isId(text);
    }

    /**
     * Signs a token.
     *
     * @param subject whom it is for
     * @param name the name under which their messages appear
     * @param grants what it permits
     * @param issued when its time begins
     * @param expires when it ends
     * @throws ConfigurationException if the issuer has the name or the rights in a claim that means
     *     something else
     */
    public String sign(
            String subject, Optional<String> name, Grants grants, Instant issued, Instant expires) {
        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("iss", issuer.iss());
        claims.put("aud", issuer.audience().stream().sorted().findFirst().orElseThrow());
        claims.put("sub", subject);
        name.ifPresent(text -> put(claims, issuer.claims().name(), text));
        claims.put("iat", issued.getEpochSecond());
        claims.put("exp", expires.getEpochSecond());
        put(claims, issuer.claims().rights(), rights(grants));
        return signed(claims);
    }

    private static Map<String, Object> rights(Grants grants) {
        Map<String, Object> rights = new LinkedHashMap<>();
        rights.put("read", texts(grants.read()));
        rights.put("write", texts(grants.write()));
        rights.put("presence", texts(grants.presence()));
        rights.values().removeIf(list -> ((Collection<?>) list).isEmpty());
        if (grants.admin()) {
            rights.put("admin", true);
        }
        return rights;
    }

    private static List<String> texts(List<RoomPattern> patterns) {
        return patterns.stream().map(RoomPattern::toString).toList();
    }

    /**
     * Puts a claim at the path where {@link ClaimsMapping} looks for it. Objects at the same place
     * become one: with {@code parley} for the rights and {@code parley/name} for the name, the
     * claim {@code parley} has both.
     */
    private void put(Map<String, Object> claims, String path, Object value) {
        // A name that is a URL is one claim, though it has slashes.
        int slash = path.contains("://") ? -1 : path.indexOf('/');
        if (slash < 0) {
            Object known = claims.putIfAbsent(path, value);
            if (known != null) {
                object(path, known).putAll(object(path, value));
            }
            return;
        }
        String first = path.substring(0, slash);
        Object inner = claims.computeIfAbsent(first, key -> new LinkedHashMap<>());
        put(object(first, inner), path.substring(slash + 1), value);
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> object(String claim, Object value) {
        if (value instanceof Map) {
            return (Map<String, Object>) value;
        }
        throw new ConfigurationException(
                "a token of the issuer %s cannot be made: its claim %s would have two meanings, by parley.access.issuers.%s.name-claim and .rights-claim"
                        .formatted(issuer.name(), claim, issuer.name()));
    }

    private String signed(Map<String, Object> claims) {
        SignatureAlgorithm algorithm = issuer.algorithms().iterator().next();
        var token = new JsonWebSignature();
        token.setAlgorithmHeaderValue(algorithm.getAlgorithm());
        token.setHeader("typ", "JWT");
        token.setKey(secret);
        try {
            token.setPayload(JSON.writeValueAsString(claims));
            return token.getCompactSerialization();
        } catch (JoseException | JsonProcessingException e) {
            throw new IllegalStateException("a token of texts and numbers can be signed", e);
        }
    }
}
