package dev.parley.access;

import static dev.parley.access.TokenRefused.Reason.ALGORITHM;
import static dev.parley.access.TokenRefused.Reason.AUDIENCE;
import static dev.parley.access.TokenRefused.Reason.EXPIRED;
import static dev.parley.access.TokenRefused.Reason.ISSUER;
import static dev.parley.access.TokenRefused.Reason.MALFORMED;
import static dev.parley.access.TokenRefused.Reason.NOT_YET_VALID;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A decoded token whose signature has not been verified. Its claims select issuer and key, and rule
 * out tokens that would be refused whatever their signature.
 *
 * @param text the whole token
 * @param algorithm the header {@code alg} as written
 * @param keyId the header {@code kid}
 * @param claims the payload, an object
 */
record UnverifiedToken(String text, String algorithm, Optional<String> keyId, JsonNode claims) {

    /** Longest token, in characters: what fits into one header of a request. */
    static final int MAX_LENGTH = 8192;

    /** Longest {@code sub} and {@code jti}, in UTF-16 units (OpenID Connect Core §2: 255). */
    static final int MAX_ID = 255;

    /** The end of the year 9999, after which {@link Instant} has no form that others can read. */
    private static final long MAX_SECONDS = 253_402_300_799L;

    private static final int MAX_DEPTH = 32;

    /** Three parts in base64url (RFC 7515 §3.1); the last one is empty without a signature. */
    private static final Pattern COMPACT =
            Pattern.compile("([A-Za-z0-9_-]+)\\.([A-Za-z0-9_-]+)\\.([A-Za-z0-9_-]*)");

    /** Five parts: an encrypted token (RFC 7516 §3.1). */
    private static final Pattern ENCRYPTED = Pattern.compile("(?:[A-Za-z0-9_-]*\\.){4}[^.]*");

    private static final Set<String> TYPES = Set.of("jwt", "at+jwt");

    /**
     * Refuses an object with two members of one name, because another parser could use the other
     * value.
     */
    private static final JsonMapper JSON =
            JsonMapper.builder(
                            JsonFactory.builder()
                                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                                    .streamReadConstraints(
                                            StreamReadConstraints.builder()
                                                    .maxNestingDepth(MAX_DEPTH)
                                                    .build())
                                    .build())
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();

    /**
     * Decodes a token.
     *
     * @throws TokenRefused if it is not a signed JWT in the compact form, or if its header asks for
     *     what Parley does not do
     */
    static UnverifiedToken parse(String text) {
        checkLength(text);
        var parts = COMPACT.matcher(text);
        if (!parts.matches()) {
            throw malformed(
                    ENCRYPTED.matcher(text).matches()
                            ? "the token is encrypted; a signed one is expected"
                            : "the token is not a JWT: three parts in base64url, with dots between"
                                    + " them, are expected");
        }
        JsonNode header = object(parts.group(1), "header");
        checkHeader(header);
        JsonNode claims = object(parts.group(2), "payload");
        return new UnverifiedToken(
                text,
                header.path("alg").asText(),
                Optional.of(header.path("kid")).filter(JsonNode::isTextual).map(JsonNode::asText),
                claims);
    }

    /**
     * Checks that a token is not too long.
     *
     * @throws TokenRefused if it is
     */
    private static void checkLength(String text) {
        if (text.length() > MAX_LENGTH) {
            throw tooLong();
        }
    }

    /** Makes the refusal of a token that is too long. */
    static TokenRefused tooLong() {
        return malformed("the token is longer than " + MAX_LENGTH + " characters");
    }

    private static JsonNode object(String base64, String part) {
        try {
            byte[] json = Base64.getUrlDecoder().decode(base64);
            JsonNode object = JSON.readTree(new String(json, StandardCharsets.UTF_8));
            if (object.isObject()) {
                return object;
            }
        } catch (IllegalArgumentException | IOException e) {
            // Refused below like JSON of another type; the cause would repeat what it read.
        }
        throw malformed(
                "the token's %s is not a JSON object, or not one that is accepted here: in UTF-8 without a byte order mark, no name twice, at most %d levels deep"
                        .formatted(part, MAX_DEPTH));
    }

    private static void checkHeader(JsonNode header) {
        if (!header.path("alg").isTextual()) {
            throw malformed("the token's header has no alg");
        }
        if (header.has("kid") && !header.path("kid").isTextual()) {
            throw malformed("the token's kid is not a text");
        }
        if (header.has("crit")) {
            throw malformed("the token's header has crit, and Parley has none of the extensions");
        }
        if (header.has("typ") && !TYPES.contains(type(header.path("typ").asText()))) {
            throw malformed("the token's typ is not JWT or at+jwt");
        }
    }

    /** Returns a media type without the beginning that may be left out (RFC 7515 §4.1.9). */
    private static String type(String typ) {
        String lower = typ.toLowerCase(Locale.ROOT);
        return lower.startsWith("application/") ? lower.substring("application/".length()) : lower;
    }

    /** Returns the claim {@code iss}. */
    String issuer() {
        JsonNode iss = claims.path("iss");
        if (!iss.isTextual()) {
            throw new TokenRefused(ISSUER, "the token has no iss that is a text");
        }
        return iss.asText();
    }

    /**
     * Returns the algorithm, if it is one of these.
     *
     * @throws TokenRefused if it is another one
     */
    SignatureAlgorithm algorithm(Set<SignatureAlgorithm> allowed) {
        return allowed.stream()
                .filter(one -> one.getAlgorithm().equals(algorithm))
                .findFirst()
                .orElseThrow(
                        () ->
                                new TokenRefused(
                                        ALGORITHM,
                                        "the token's alg is not one that is accepted from its"
                                                + " issuer"));
    }

    /**
     * Checks the audience.
     *
     * @throws TokenRefused if none of these is in the claim {@code aud}
     */
    void checkAudience(Set<String> accepted) {
        JsonNode aud = claims.path("aud");
        Set<String> named = new HashSet<>();
        if (aud.isTextual()) {
            named.add(aud.asText());
        } else if (aud.isArray()) {
            for (JsonNode one : aud) {
                if (!one.isTextual()) {
                    throw malformed("the token's aud has a member that is not a text");
                }
                named.add(one.asText());
            }
        } else {
            throw new TokenRefused(AUDIENCE, "the token has no aud");
        }
        if (named.stream().noneMatch(accepted::contains)) {
            throw new TokenRefused(AUDIENCE, "the token is for another audience");
        }
    }

    /**
     * Checks the times. The life of a token with {@code iat} is from {@code iat} to {@code exp},
     * not from now. Otherwise a token for 30 hours, where 24 are accepted, would be accepted six
     * hours after it was issued, and could outlive a revocation from before. If a token has no
     * {@code iat}, only the time that is left can be checked.
     *
     * @param skew how far the issuer's clock may differ
     * @param longest the longest time from the token's issue to its end
     * @throws TokenRefused if the token has ended, has not begun, or lasts for longer than that
     */
    void checkTimes(Instant now, Duration skew, Duration longest) {
        if (!now.isBefore(expires().plus(skew))) {
            throw new TokenRefused(EXPIRED, "the token has expired");
        }
        if (VerifiedToken.lastsTooLong(issued(), expires(), longest, now)) {
            throw malformed(
                    "the token's exp is more than "
                            + longest.toSeconds()
                            + " seconds after "
                            + (claims.has("iat") ? "its iat" : "now")
                            + ", which is the longest life that is accepted"
                            + " here (parley.access.max-token-lifetime)");
        }
        Instant latest = now.plus(skew);
        if (seconds("nbf").filter(latest::isBefore).isPresent()) {
            throw new TokenRefused(NOT_YET_VALID, "the token's nbf is in the future");
        }
        if (issued().isAfter(latest)) {
            throw new TokenRefused(NOT_YET_VALID, "the token's iat is in the future");
        }
    }

    /**
     * Checks that the token does not end before it begins or is issued.
     *
     * @throws TokenRefused if it does
     */
    void checkOrderOfTimes() {
        for (String claim : List.of("nbf", "iat")) {
            if (seconds(claim).filter(expires()::isBefore).isPresent()) {
                throw malformed("the token's exp is before its " + claim);
            }
        }
    }

    /** Returns the claim {@code exp}. */
    Instant expires() {
        return seconds("exp").orElseThrow(() -> malformed("the token has no exp"));
    }

    /** Returns the claim {@code iat}; the epoch if there is none. */
    Instant issued() {
        return seconds("iat").orElse(Instant.EPOCH);
    }

    private Optional<Instant> seconds(String claim) {
        JsonNode value = claims.path(claim);
        if (value.isMissingNode()) {
            return Optional.empty();
        }
        if (!value.isNumber() || !value.canConvertToLong()) {
            throw malformed("the token's " + claim + " is not a time in seconds");
        }
        long seconds = value.longValue();
        if (seconds < 0 || seconds > MAX_SECONDS) {
            throw malformed("the token's " + claim + " is before 1970 or after 9999");
        }
        return Optional.of(Instant.ofEpochSecond(seconds));
    }

    /** Returns the claim {@code sub}, which has to be there. */
    String subject() {
        return id("sub").orElseThrow(() -> malformed("the token has no sub"));
    }

    /** Returns a claim that identifies something, such as {@code jti}. */
    Optional<String> id(String claim) {
        JsonNode value = claims.path(claim);
        if (value.isMissingNode()) {
            return Optional.empty();
        }
        String text = value.asText();
        if (!value.isTextual() || !isId(text)) {
            throw malformed(
                    "the token's %s is not a text of 1 to %d characters without control characters"
                            .formatted(claim, MAX_ID));
        }
        return Optional.of(text);
    }

    /** Tells whether a text is accepted in such a claim. */
    static boolean isId(String text) {
        return !text.isEmpty()
                && text.length() <= MAX_ID
                && text.chars().noneMatch(Character::isISOControl)
                && StandardCharsets.UTF_8.newEncoder().canEncode(text);
    }

    private static TokenRefused malformed(String sentence) {
        return new TokenRefused(MALFORMED, sentence);
    }

    /** Leaves the token out: a person who reads it in a log could use it. */
    @Override
    public String toString() {
        return "UnverifiedToken[alg=" + algorithm + "]";
    }
}
