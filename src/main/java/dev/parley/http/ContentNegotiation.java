package dev.parley.http;

import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jboss.resteasy.reactive.common.util.MediaTypeHelper;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/**
 * Reads the headers {@code Accept} and {@code Content-Type}: refuses what is not a media type, and
 * tells the calls whether the caller reads JSON.
 */
public final class ContentNegotiation {

    /** A weight from 0 to 1 (RFC 9110 §12.4.2), with any number of digits. */
    private static final Pattern WEIGHT = Pattern.compile("0?\\.[0-9]+|0\\.?|1(\\.0*)?");

    /** The weight that means "not acceptable". */
    private static final Pattern ZERO = Pattern.compile("0(\\.0*)?");

    /** The {@code Accept} of most requests, which need not be parsed. */
    private static final Set<String> USUALLY_ACCEPTED =
            Set.of(MediaType.SERVER_SENT_EVENTS, MediaType.WILDCARD);

    /** The {@code Content-Type} of most requests with a body, which need not be parsed. */
    private static final Set<String> USUALLY_SENT =
            Set.of(
                    MediaType.APPLICATION_FORM_URLENCODED,
                    MediaType.APPLICATION_FORM_URLENCODED + ";charset=UTF-8",
                    MediaType.APPLICATION_JSON,
                    MediaType.TEXT_PLAIN,
                    MediaType.TEXT_PLAIN + ";charset=UTF-8");

    /**
     * Refuses malformed headers before a call runs. The framework would notice them only when it
     * writes the answer, after the message is published: the publisher would get a 500, and the log
     * a stack trace.
     *
     * <p>Writes into the request what it has read from {@code Accept}: the framework reads the
     * header again, and would split it at a comma in a quoted string and fail at an empty element.
     *
     * <p>Reads the headers from the exchange, because the framework's {@code HttpHeaders} would be
     * kept in memory as long as the stream is open.
     */
    @ServerRequestFilter(preMatching = true)
    public Optional<Response> check(RoutingContext exchange) {
        var headers = exchange.request().headers();
        List<String> accept = headers.getAll(HttpHeaders.ACCEPT);
        List<String> sent = headers.getAll(HttpHeaders.CONTENT_TYPE);
        if (isAbsentOrOneOf(USUALLY_ACCEPTED, accept) && isAbsentOrOneOf(USUALLY_SENT, sent)) {
            return Optional.empty();
        }
        Optional<List<MediaType>> accepted = accepted(exchange);
        if (accepted.isEmpty()) {
            return Optional.of(
                    Problem.of(
                                    ErrorCode.BAD_ACCEPT,
                                    "bad Accept: the header is not a list of media types such as"
                                            + " application/json, */*;q=0.8",
                                    List.of())
                            .build());
        }
        Optional<Endpoint> excluded = excluded(exchange, accepted.get());
        if (excluded.isPresent()) {
            return Optional.of(
                    Problem.of(
                                    ErrorCode.NOT_ACCEPTABLE,
                                    Problem.notAcceptable(excluded.get()),
                                    accepted.get())
                            .build());
        }
        boolean isPost = exchange.request().method().equals(HttpMethod.POST);
        if (sent.size() > 1 || !sent.stream().allMatch(type -> isMediaType(type, isPost))) {
            return Optional.of(
                    Problem.of(
                                    ErrorCode.UNSUPPORTED_MEDIA_TYPE,
                                    "unsupported media type: Content-Type is not one media type"
                                            + " such as application/json",
                                    accepted.get())
                            .build());
        }
        if (!isAbsentOrOneOf(USUALLY_ACCEPTED, accept)) {
            List<String> elements = elements(accept);
            if (elements.isEmpty()) {
                headers.remove(HttpHeaders.ACCEPT);
            } else {
                headers.set(HttpHeaders.ACCEPT, String.join(", ", elements));
            }
        }
        return Optional.empty();
    }

    /**
     * Returns the call of a request if the caller excludes its answer with the weight zero, which
     * the framework does not read. A publish is not refused for what it accepts.
     */
    private static Optional<Endpoint> excluded(RoutingContext exchange, List<MediaType> accepted) {
        if (accepted.stream().allMatch(ContentNegotiation::isAcceptable)) {
            return Optional.empty();
        }
        String method = exchange.request().method().name();
        return Endpoint.at(method, exchange.normalizedPath())
                .filter(call -> call.takes(method) && call != Endpoint.SEND)
                .filter(call -> !accepts(accepted, MediaType.valueOf(call.answer())));
    }

    /** Whether the most specific range that includes a type has a weight (RFC 9110 §12.5.1). */
    private static boolean accepts(List<MediaType> accepted, MediaType answer) {
        return accepted.stream()
                .filter(range -> range.isCompatible(answer))
                .max(
                        Comparator.comparingInt(ContentNegotiation::specificity)
                                .thenComparing(ContentNegotiation::isAcceptable))
                .map(ContentNegotiation::isAcceptable)
                .orElse(false);
    }

    private static int specificity(MediaType range) {
        if (range.isWildcardType()) {
            return 0;
        }
        return range.isWildcardSubtype() ? 1 : 2;
    }

    private static boolean isAbsentOrOneOf(Set<String> usual, List<String> lines) {
        return lines.isEmpty() || (lines.size() == 1 && usual.contains(lines.get(0)));
    }

    /** Returns the media types that the caller reads; empty if the header names anything else. */
    static Optional<List<MediaType>> accepted(RoutingContext exchange) {
        try {
            List<String> lines = exchange.request().headers().getAll(HttpHeaders.ACCEPT);
            return Optional.of(elements(lines).stream().map(MediaTypeHelper::valueOf).toList())
                    .filter(types -> types.stream().allMatch(ContentNegotiation::hasWeight));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /**
     * Splits the lines of a list header at their commas, and leaves out the empty elements, which a
     * server must ignore (RFC 9110 §5.6.1.2).
     *
     * <p>What a parser that knows no quoted strings would take for a separator is replaced by a
     * space in them. No call compares the parameters in which they are.
     *
     * @throws IllegalArgumentException if a quoted string has no end
     */
    static List<String> elements(List<String> lines) {
        List<String> elements = new ArrayList<>();
        for (String line : lines) {
            var element = new StringBuilder();
            boolean isQuoted = false;
            for (int i = 0; i < line.length(); i++) {
                char c = line.charAt(i);
                if (c == '"') {
                    isQuoted = !isQuoted;
                    element.append(c);
                } else if (isQuoted && c == '\\') {
                    // The character behind it is a part of the string, even a quotation mark.
                    i++;
                    element.append(' ');
                } else if (isQuoted && c == ',') {
                    element.append(' ');
                } else if (c == ',') {
                    addUnlessBlank(elements, element.toString());
                    element.setLength(0);
                } else {
                    element.append(c);
                }
            }
            if (isQuoted) {
                throw new IllegalArgumentException("a quoted string has no end");
            }
            addUnlessBlank(elements, element.toString());
        }
        return elements;
    }

    private static void addUnlessBlank(List<String> elements, String element) {
        if (!element.isBlank()) {
            elements.add(element.strip());
        }
    }

    /**
     * Tells whether the caller names JSON, with a weight above zero. A wildcard does not name it.
     */
    public static boolean acceptsJson(List<MediaType> accepted) {
        return accepted.stream().anyMatch(type -> isJson(type) && isAcceptable(type));
    }

    /**
     * Tells whether the caller names JSON of any kind, such as {@code application/problem+json}.
     */
    static boolean acceptsProblemJson(List<MediaType> accepted) {
        return accepted.stream()
                .anyMatch(type -> (isJson(type) || isJsonBased(type)) && isAcceptable(type));
    }

    /**
     * @param isOfABody whether it may not be a range, which only {@code Accept} has
     */
    private static boolean isMediaType(String written, boolean isOfABody) {
        try {
            MediaType type = MediaTypeHelper.valueOf(written);
            return !isOfABody || specificity(type) == 2;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static boolean hasWeight(MediaType type) {
        return WEIGHT.matcher(weight(type)).matches();
    }

    private static boolean isAcceptable(MediaType type) {
        return !ZERO.matcher(weight(type)).matches();
    }

    private static String weight(MediaType type) {
        return type.getParameters().getOrDefault("q", "1").strip();
    }

    private static boolean isJson(MediaType type) {
        return isApplication(type) && type.getSubtype().equalsIgnoreCase("json");
    }

    private static boolean isJsonBased(MediaType type) {
        return isApplication(type) && type.getSubtype().endsWith("+json");
    }

    private static boolean isApplication(MediaType type) {
        return type.getType().equalsIgnoreCase("application");
    }
}
