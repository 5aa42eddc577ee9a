package dev.parley.access;

import com.fasterxml.jackson.databind.JsonNode;
import dev.parley.message.Message;
import dev.parley.message.RoomPattern;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads the person and their grants from the claims of one issuer's tokens.
 *
 * <p>A claim is named by its name, or by a path: {@code resource_access/chat/parley} is the member
 * {@code parley} of the member {@code chat} of the claim {@code resource_access}. A claim whose
 * whole name is the path goes first, because some providers allow only names that are URLs.
 *
 * @param rights the claim with lists of patterns, as {@code {"read": ["team.*"], "admin": true}}
 * @param name the claim with the person's name
 * @param groups the claim with the groups that they are in
 * @param byGroup what members of a group may do
 */
record ClaimsMapping(
        String rights, String name, Optional<String> groups, Map<String, Grants> byGroup) {

    /** Most patterns in one list. */
    static final int MAX_PATTERNS = 100;

    /** Longest pattern, in characters. */
    static final int MAX_PATTERN = 160;

    /** Claims whose text is a list of names with spaces between them. */
    private static final Set<String> LISTS_IN_A_TEXT = Set.of("scope", "scp");

    /** How much of a wrong pattern a sentence repeats. */
    private static final int MAX_REPEATED = 64;

    ClaimsMapping {
        byGroup = Map.copyOf(byGroup);
    }

    /**
     * Reads a token whose signature, issuer, audience and times were checked.
     *
     * @throws TokenRefused if a claim has another form than it must have
     */
    VerifiedToken read(UnverifiedToken token) {
        JsonNode claims = token.claims();
        var person = new Person(token.issuer(), token.subject(), name(claims, token.subject()));
        Grants grants = rights(find(claims, rights)).or(groupGrants(claims));
        return new VerifiedToken(person, grants, token.id("jti"), token.issued(), token.expires());
    }

    private Grants rights(JsonNode rights) {
        if (isAbsent(rights)) {
            return Grants.NONE;
        }
        if (!rights.isObject()) {
            throw malformed(
                    "the claim %s is not an object such as {\"read\":[\"team.*\"]}"
                            .formatted(this.rights));
        }
        JsonNode admin = rights.path("admin");
        if (!isAbsent(admin) && !admin.isBoolean()) {
            throw malformed("%s/admin is not true or false".formatted(this.rights));
        }
        return new Grants(
                patterns(rights, "read"),
                patterns(rights, "write"),
                patterns(rights, "presence"),
                admin.asBoolean());
    }

    private List<RoomPattern> patterns(JsonNode rights, String member) {
        String claim = this.rights + "/" + member;
        JsonNode list = rights.path(member);
        if (isAbsent(list)) {
            return List.of();
        }
        if (!list.isArray()) {
            throw malformed("%s is not a list of patterns of rooms".formatted(claim));
        }
        if (list.size() > MAX_PATTERNS) {
            throw malformed("%s has more than %d patterns".formatted(claim, MAX_PATTERNS));
        }
        List<RoomPattern> patterns = new ArrayList<>();
        for (JsonNode one : list) {
            if (!one.isTextual()) {
                throw malformed("%s has a member that is not a text".formatted(claim));
            }
            patterns.add(pattern(claim, one.asText()));
        }
        return patterns;
    }

    private static RoomPattern pattern(String claim, String text) {
        if (text.length() > MAX_PATTERN) {
            throw malformed(
                    "%s has a pattern of more than %d characters".formatted(claim, MAX_PATTERN));
        }
        try {
            return new RoomPattern(text);
        } catch (IllegalArgumentException e) {
            throw malformed(
                    "%s has %s, which is not a pattern of rooms: write a room name, the beginning"
                                    .formatted(claim, printable(text))
                            + " of names and *, or a * between two dots for one part of a name");
        }
    }

    /** Returns the beginning of a text, without what could change a terminal or a log. */
    private static String printable(String text) {
        return text.substring(0, Math.min(text.length(), MAX_REPEATED)).replaceAll("[^ -~]", "?");
    }

    private Grants groupGrants(JsonNode claims) {
        if (groups.isEmpty()) {
            return Grants.NONE;
        }
        Grants grants = Grants.NONE;
        for (String group : groups(groups.get(), find(claims, groups.get()))) {
            Grants more = byGroup.get(group);
            if (more != null) {
                grants = grants.or(more);
            }
        }
        return grants;
    }

    /**
     * Reads a list of names, or a text. That is one name, which may have spaces, but for the claims
     * that are lists in a text (RFC 8693 §4.2; some issuers write {@code scp}).
     */
    private static List<String> groups(String claim, JsonNode value) {
        if (isAbsent(value)) {
            return List.of();
        }
        if (value.isTextual()) {
            String text = value.asText();
            return LISTS_IN_A_TEXT.contains(claim) ? List.of(text.split(" ", -1)) : List.of(text);
        }
        if (!value.isArray()) {
            throw malformed("the claim %s is not a list of groups".formatted(claim));
        }
        List<String> names = new ArrayList<>();
        for (JsonNode one : value) {
            if (!one.isTextual()) {
                throw malformed("the claim %s has a member that is not a text".formatted(claim));
            }
            names.add(one.asText());
        }
        return names;
    }

    /** Returns the person's name in the form that {@link Message#from} has; the subject if none. */
    private String name(JsonNode claims, String subject) {
        JsonNode value = find(claims, name);
        String named = value.isTextual() ? asFrom(value.asText()) : "";
        if (!named.isEmpty()) {
            return named;
        }
        String fallback = asFrom(subject);
        if (fallback.isEmpty()) {
            throw malformed("the token has neither a name nor a sub with a character that shows");
        }
        return fallback;
    }

    /** Removes control characters and broken surrogates, and cuts between two characters. */
    private static String asFrom(String text) {
        StringBuilder name = new StringBuilder();
        text.strip()
                .codePoints()
                .filter(c -> !Message.isControl(c) && !isSurrogate(c))
                .takeWhile(c -> name.length() + Character.charCount(c) <= Message.MAX_FROM)
                .forEach(name::appendCodePoint);
        return name.toString().strip();
    }

    private static boolean isSurrogate(int c) {
        return c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
    }

    private static boolean isAbsent(JsonNode value) {
        return value.isMissingNode() || value.isNull();
    }

    private static JsonNode find(JsonNode claims, String path) {
        JsonNode whole = claims.path(path);
        if (!whole.isMissingNode()) {
            return whole;
        }
        JsonNode found = claims;
        for (String part : path.split("/", -1)) {
            found = found.path(part);
        }
        return found;
    }

    private static TokenRefused malformed(String sentence) {
        return new TokenRefused(TokenRefused.Reason.MALFORMED, sentence);
    }
}
