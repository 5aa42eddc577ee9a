package dev.parley.http;

import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Checks that the target of a request is in normal form (RFC 3986 §6.2.2, RFC 9112 §3.2).
 *
 * <p>The router would decode and shorten a path before it compares it with the calls, so that
 * {@code //events}, {@code /ev%65nts} and {@code /x/../events} would all be {@code /events} to it.
 * A proxy in front compares what the client wrote. A rule of the proxy for {@code /events} would
 * not see these, so they are refused.
 *
 * <p>A percent-encoded octet is accepted in one place, the name of a room, which old clients may
 * have encoded more than it needs: {@code /rooms/%6cobby/messages}. Slashes, backslashes and dots
 * may not be encoded there either.
 */
public final class RequestTarget {

    private static final String ROOMS = "/rooms/";

    /** The characters of a path (RFC 3986 §3.3) beside letters and digits, but for {@code ;}. */
    private static final String MARKS = "/-._~!$&'()*+,=:@";

    /** Bytes that are not ASCII, each of which is read as a character of Latin-1. */
    private static final Pattern HIGH_OCTETS = Pattern.compile("[\\x80-\\xFF]");

    private static final String EXPECTED = "; the calls are " + Endpoint.all();

    private RequestTarget() {}

    /**
     * Tells whether the target of a request is a URI (RFC 3986), or would be one if its bytes above
     * 127 were percent-encoded: curl sends what its user types as it is. The framework would answer
     * others without a reason, before this program gets them; {@link #disableFrameworkUriCheck}
     * turns that off.
     *
     * <p>A browser, which sends {@code Origin}, encodes all of these bytes. The framework reads the
     * target of such a request as a {@link URI}, which has some of these bytes as characters and
     * refuses others, so they are refused here.
     */
    static boolean isUri(HttpServerRequest request) {
        String target = request.uri();
        return isUri(target)
                || (!request.headers().contains("Origin")
                        && isUri(HIGH_OCTETS.matcher(target).replaceAll("%FF")));
    }

    private static boolean isUri(String target) {
        try {
            new URI(target);
            return true;
        } catch (URISyntaxException malformed) {
            return false;
        }
    }

    /** Lets {@link RequestGuard} get the requests whose target is not a URI. */
    public static void disableFrameworkUriCheck() {
        System.setProperty("vertx.disableURIValidation", "true");
    }

    /** Returns what is wrong with the target of a request; empty if nothing is. */
    static Optional<String> fault(HttpServerRequest request) {
        String target = request.uri();
        if (target == null) {
            // Per RFC 9113 §8.5, CONNECT has no :path on HTTP/2.
            return fault("CONNECT is for proxies only");
        }
        if (request.version() == HttpVersion.HTTP_2 && schemeEnd(target) > 0) {
            return fault("a whole URI is the target on HTTP/1 only, and here :path is expected");
        }
        return fault(request.method(), target, request.getHeader("Host"));
    }

    /**
     * Returns what is wrong with a target.
     *
     * @param host the header {@code Host}, if there is one
     */
    static Optional<String> fault(HttpMethod method, String target, @Nullable String host) {
        if (target.equals("*")) {
            return method.equals(HttpMethod.OPTIONS)
                    ? Optional.empty()
                    : fault("the target * is for OPTIONS only");
        }
        int path = pathStart(target);
        if (path < 0) {
            return fault("the target does not start with a slash");
        }
        if (path > 0 && host != null && !isSameAuthority(target, path, host)) {
            return fault("the target names another host than the header Host");
        }
        return pathFault(target, path);
    }

    /** The index at which the path begins: 0 without an authority, negative without a path. */
    private static int pathStart(String target) {
        if (target.startsWith("/")) {
            return 0;
        }
        int authority = schemeEnd(target);
        int end = authority < 0 ? -1 : authorityEnd(target, authority);
        // The router would take the first slash in a query for the beginning of the path.
        return end > authority && end < target.length() && target.charAt(end) == '/' ? end : -1;
    }

    /** The index behind {@code ://} of an absolute URI; negative if the target is not one. */
    private static int schemeEnd(String target) {
        String lower = target.substring(0, Math.min(8, target.length())).toLowerCase(Locale.ROOT);
        if (lower.startsWith("http://")) {
            return 7;
        }
        return lower.equals("https://") ? 8 : -1;
    }

    /** The index of the first character behind an authority (RFC 3986 §3.2). */
    private static int authorityEnd(String target, int start) {
        int end = start;
        while (end < target.length() && "/?#".indexOf(target.charAt(end)) < 0) {
            end++;
        }
        return end;
    }

    private static boolean isSameAuthority(String target, int path, String host) {
        int start = schemeEnd(target);
        String defaultPort = start == 8 ? ":443" : ":80";
        return withoutSuffix(target.substring(start, path), defaultPort)
                .equalsIgnoreCase(withoutSuffix(host, defaultPort));
    }

    private static String withoutSuffix(String text, String suffix) {
        return text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
    }

    private static Optional<String> pathFault(String target, int start) {
        int query = target.indexOf('?', start);
        int end = query < 0 ? target.length() : query;
        int room = target.startsWith(ROOMS, start) ? start + ROOMS.length() : end;
        int roomEnd = room < end ? segmentEnd(target, room, end) : end;
        int segment = start + 1;
        for (int i = start; i < end; i++) {
            char c = target.charAt(i);
            if (c == '%') {
                if (i < room || i >= roomEnd) {
                    return fault("the path is percent-encoded, which only a room's name may be");
                }
                if (!isHex(target, i + 1, end) || !isHex(target, i + 2, end)) {
                    return fault("a % is not followed by two hexadecimal digits");
                }
                if (isSeparator(target, i)) {
                    return fault("a slash, a backslash or a dot is percent-encoded");
                }
            } else if (!isPathCharacter(c)) {
                return fault("the path contains a character that no path of this server has");
            } else if (c == '/') {
                if (i > start && isEmptyOrDots(target, segment, i)) {
                    return fault("a part of the path is empty, . or ..");
                }
                segment = i + 1;
            }
        }
        // The last part may be empty: a trailing slash.
        boolean dots = segment < end && isEmptyOrDots(target, segment, end);
        return dots ? fault("a part of the path is empty, . or ..") : Optional.empty();
    }

    private static int segmentEnd(String target, int start, int end) {
        int slash = target.indexOf('/', start);
        return slash < 0 || slash > end ? end : slash;
    }

    private static boolean isPathCharacter(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || MARKS.indexOf(c) >= 0;
    }

    private static boolean isHex(String target, int index, int end) {
        return index < end && Character.digit(target.charAt(index), 16) >= 0;
    }

    /** Tells whether the octet encoded here is a slash, a backslash or a dot. */
    private static boolean isSeparator(String target, int percent) {
        return target.regionMatches(true, percent, "%2f", 0, 3)
                || target.regionMatches(true, percent, "%5c", 0, 3)
                || target.regionMatches(true, percent, "%2e", 0, 3);
    }

    private static boolean isEmptyOrDots(String target, int start, int end) {
        int length = end - start;
        return length == 0
                || (length <= 2 && target.charAt(start) == '.' && target.charAt(end - 1) == '.');
    }

    private static Optional<String> fault(String reason) {
        return Optional.of("bad target: " + reason + EXPECTED);
    }
}
