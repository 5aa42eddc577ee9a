package dev.parley.http;

import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jboss.resteasy.reactive.common.util.MediaTypeHelper;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/**
 * Refuses headers that should name media types and do not: the framework would fail at them late,
 * after a message is published, with a 500 and a stack trace in the log.
 */
public final class MediaTypeFilter {

    /** From 0 to 1 (RFC 9110 §12.4.2), with any number of digits. */
    private static final Pattern WEIGHT = Pattern.compile("0?\\.[0-9]+|0\\.?|1(\\.0*)?");

    /** Takes the headers from the exchange: the framework's would live as long as the stream. */
    @ServerRequestFilter(preMatching = true)
    public Optional<Response> check(RoutingContext exchange) {
        Optional<List<MediaType>> accepted = accepted(exchange);
        if (accepted.isEmpty()) {
            return Optional.of(badAccept());
        }
        List<String> sent = exchange.request().headers().getAll(HttpHeaders.CONTENT_TYPE);
        if (sent.size() > 1 || !sent.stream().allMatch(MediaTypeFilter::isType)) {
            return Optional.of(
                    Problem.of(
                                    415,
                                    "unsupported media type: Content-Type does not name one",
                                    accepted.get())
                            .build());
        }
        return Optional.empty();
    }

    private static Response badAccept() {
        return Response.status(400)
                .type(MediaType.TEXT_PLAIN_TYPE.withCharset("utf-8"))
                .entity("bad Accept: media types are expected\n")
                .build();
    }

    /** Whether it is one media type, as the framework reads it; a list is none. */
    private static boolean isType(String written) {
        try {
            MediaTypeHelper.valueOf(written);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** The media types that the caller reads, or nothing if it names something else. */
    public static Optional<List<MediaType>> accepted(RoutingContext exchange) {
        try {
            return Optional.of(
                            exchange.request().headers().getAll(HttpHeaders.ACCEPT).stream()
                                    .flatMap(line -> MediaTypeHelper.parseHeader(line).stream())
                                    .toList())
                    .filter(types -> types.stream().allMatch(MediaTypeFilter::isWeighted));
        } catch (IllegalArgumentException | WebApplicationException e) {
            return Optional.empty();
        }
    }

    private static boolean isWeighted(MediaType type) {
        return WEIGHT.matcher(type.getParameters().getOrDefault("q", "1").strip()).matches();
    }
}
