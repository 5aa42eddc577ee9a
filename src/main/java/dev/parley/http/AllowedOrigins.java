package dev.parley.http;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * The origins in {@code quarkus.http.cors.origins}, read as the framework reads them: spaces around
 * an element do not count, and {@code /…/} is a regular expression. Upper case in others does not
 * count either, which {@link AllowedOriginsCheck} sees to.
 */
public final class AllowedOrigins {

    /** Origins that no page has: the domain is reserved (RFC 6761 §6.4). */
    private static final List<String> ANY =
            List.of("https://any-page.invalid", "http://any-page.invalid");

    /** What browsers send: scheme, host and port; or {@code null}, for pages without an origin. */
    private static final Pattern ORIGIN =
            Pattern.compile(
                    "null|file://|[a-z][a-z0-9+.-]*://(\\[[0-9a-f:.]+]|[a-z0-9._-]+)(:\\d{1,5})?");

    /** Browsers leave the port out if it is that of the scheme (WHATWG HTML §7.1.1). */
    private static final Pattern WITH_USUAL_PORT = Pattern.compile("http:.*:80|https:.*:443");

    private final List<String> listed;

    /** The regular expressions among them. Any request with an origin is compared with them. */
    private final List<Pattern> expressions;

    /**
     * @param configured the elements of the setting
     */
    public AllowedOrigins(Optional<List<String>> configured) {
        this.listed =
                configured.orElse(List.of()).stream()
                        .map(String::strip)
                        .map(AllowedOrigins::asSent)
                        .toList();
        this.expressions =
                listed.stream()
                        .filter(one -> isExpression(one) && problem(one).isEmpty())
                        .map(one -> Pattern.compile(expression(one)))
                        .toList();
    }

    /**
     * Returns an element as browsers send it, which write scheme and host in lower case. A regular
     * expression stays as it is.
     */
    static String asSent(String element) {
        return isExpression(element.strip()) ? element : element.toLowerCase(Locale.ROOT);
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

    /**
     * Returns the elements that let no page in, because no browser sends such an origin: those with
     * a path, with the usual port of their scheme, with an asterisk, or without a scheme.
     */
    List<String> neverSent() {
        return listed.stream()
                .filter(one -> !one.isEmpty() && !one.equals("*") && !isExpression(one))
                .filter(one -> !isSent(one))
                .toList();
    }

    private static boolean isSent(String origin) {
        return ORIGIN.matcher(origin).matches() && !WITH_USUAL_PORT.matcher(origin).matches();
    }

    /** Tells whether an origin is listed, or any is allowed. */
    public boolean contain(String origin) {
        return listed.equals(List.of("*"))
                || listed.contains(origin)
                || expressions.stream().anyMatch(one -> one.matcher(origin).matches());
    }

    /** Says in one sentence why the framework cannot read an element; empty if it can. */
    static Optional<String> problem(String element) {
        String stripped = element.strip();
        if (!isExpression(stripped)) {
            return Optional.empty();
        }
        if (stripped.length() == 1) {
            return Optional.of("a regular expression is written between two slashes");
        }
        try {
            Pattern.compile(expression(stripped));
            return Optional.empty();
        } catch (PatternSyntaxException e) {
            return Optional.of(
                    "%s is not a regular expression: %s at index %d"
                            .formatted(stripped, e.getDescription(), e.getIndex() + 1));
        }
    }

    private static boolean isExpression(String element) {
        return element.startsWith("/") && element.endsWith("/");
    }

    private static String expression(String element) {
        return element.substring(1, element.length() - 1);
    }
}
