package dev.parley.http;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * The origins in {@code quarkus.http.cors.origins}, read as the framework reads them: spaces around
 * an element do not count, and {@code /…/} is a regular expression.
 */
public final class AllowedOrigins {

    /** Origins that no page has: the domain is reserved (RFC 6761 §6.4). */
    private static final List<String> ANY =
            List.of("https://any-page.invalid", "http://any-page.invalid");

    private final List<String> listed;

    /**
     * @param configured the elements of the setting
     */
    public AllowedOrigins(Optional<List<String>> configured) {
        this.listed = configured.orElse(List.of()).stream().map(String::strip).toList();
    }

    /**
     * Tells whether any page may use the pod, or was meant to: one element is {@code *}, or a
     * regular expression that takes an origin that does not exist.
     */
    public boolean areAll() {
        return listed.contains("*") || ANY.stream().anyMatch(this::contain);
    }

    /**
     * Tells whether {@code *} has no effect: among other origins, the framework takes it for a
     * name.
     */
    boolean haveAsteriskAmongOthers() {
        return listed.size() > 1 && listed.contains("*");
    }

    /** Tells whether an origin is listed. */
    public boolean contain(String origin) {
        return listed.stream().anyMatch(one -> isSame(one, origin));
    }

    private static boolean isSame(String listed, String origin) {
        if (listed.length() > 1 && listed.startsWith("/") && listed.endsWith("/")) {
            try {
                return Pattern.matches(listed.substring(1, listed.length() - 1), origin);
            } catch (PatternSyntaxException e) {
                return false;
            }
        }
        return listed.equalsIgnoreCase(origin);
    }
}
