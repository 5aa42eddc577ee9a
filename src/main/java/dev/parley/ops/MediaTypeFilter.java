package dev.parley.ops;

import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.Optional;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/**
 * Refuses headers that should name media types and do not: the framework would fail at them late,
 * after a message is published, with a 500 and a stack trace in the log.
 */
public final class MediaTypeFilter {

    @ServerRequestFilter(preMatching = true)
    public Optional<Response> check(HttpHeaders headers) {
        if (!isReadable(headers::getAcceptableMediaTypes)) {
            return Optional.of(badAccept());
        }
        if (!isReadable(headers::getMediaType)) {
            return Optional.of(
                    Problem.of(415, "unsupported media type: Content-Type names none", headers)
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

    private static boolean isReadable(Runnable read) {
        try {
            read.run();
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
