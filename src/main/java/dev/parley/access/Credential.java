package dev.parley.access;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a request brings to say who makes it.
 *
 * @param carrier how it came
 * @param secret the token or the ticket
 */
record Credential(Caller.Carrier carrier, String secret) {

    /**
     * A browser takes a cookie of this name only with {@code Secure}, {@code Path=/} and without
     * {@code Domain}, so that no other host can set it (RFC 6265bis §4.1.3.2).
     */
    static final String COOKIE = "__Host-parley";

    /** The parameter of {@code /events} that has a ticket. */
    static final String TICKET = "ticket";

    /** The parameter in which some clients send a token (RFC 6750 §2.3); it is refused. */
    static final String TOKEN_IN_URL = "access_token";

    /** A semicolon in a query is a character like any other (WHATWG URL §5.1). */
    static final boolean ONLY_AMPERSAND = true;

    private static final Pattern BEARER = Pattern.compile("(?i)bearer +([^ ].*)");

    /** The pair of {@link #COOKIE} in a header, with the value as its group. */
    private static final Pattern COOKIE_PAIR =
            Pattern.compile("(?:^|;)[ \\t]*+" + Pattern.quote(COOKIE) + "=([^;]*)");

    /**
     * Finds the credential of a request: in the header {@code Authorization}, otherwise the ticket,
     * otherwise the cookie, which a browser sends without being asked to. A header of another
     * scheme than {@code Bearer} is for a proxy.
     */
    static Optional<Credential> of(HttpServerRequest request) {
        for (String header : request.headers().getAll(HttpHeaders.AUTHORIZATION)) {
            var bearer = BEARER.matcher(header.strip());
            if (bearer.matches()) {
                return Optional.of(new Credential(Caller.Carrier.BEARER, bearer.group(1)));
            }
        }
        List<String> tickets = request.params(ONLY_AMPERSAND).getAll(TICKET);
        if (!tickets.isEmpty()) {
            return Optional.of(new Credential(Caller.Carrier.TICKET, tickets.get(0)));
        }
        return inCookie(request.headers().getAll(HttpHeaders.COOKIE))
                .map(token -> new Credential(Caller.Carrier.COOKIE, token));
    }

    /**
     * Returns the value of the first cookie whose name is exactly {@link #COOKIE}, without the
     * quotes that it may be in.
     *
     * <p>The header is read here, since the decoder of the request's cookies skips a comma before a
     * name. A browser lets every host set a cookie {@code ,__Host-parley} for all hosts of its
     * domain, because this name does not begin with the prefix. It may send that cookie before the
     * right one, and the decoder would return it as {@code __Host-parley}: the visitor would
     * publish, and read, by a token that another host has chosen.
     *
     * @param headers the headers {@code Cookie}, in their order; Vert.x joins those of HTTP/2
     */
    static Optional<String> inCookie(List<String> headers) {
        return headers.stream()
                .map(COOKIE_PAIR::matcher)
                .filter(Matcher::find)
                .map(pair -> unquoted(pair.group(1).strip()))
                .findFirst();
    }

    private static String unquoted(String value) {
        boolean isQuoted = value.length() > 1 && value.startsWith("\"") && value.endsWith("\"");
        return isQuoted ? value.substring(1, value.length() - 1) : value;
    }
}
