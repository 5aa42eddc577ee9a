package dev.parley.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.List;

/**
 * An error as the caller gets it: {@code application/problem+json} (RFC 9457) if it accepts JSON,
 * else the same in one line of text.
 */
public final class Problem {

    private static final MediaType JSON = new MediaType("application", "problem+json");
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private Problem() {}

    public static Response.ResponseBuilder of(int status, String detail, HttpHeaders headers) {
        return of(status, detail, headers.getAcceptableMediaTypes());
    }

    public static Response.ResponseBuilder of(int status, String detail, List<MediaType> accepted) {
        String line = detail.replaceAll("[\\r\\n]+", " ");
        if (!AcceptHeader.anyJson(accepted)) {
            return Response.status(status)
                    .type(MediaType.TEXT_PLAIN_TYPE.withCharset("utf-8"))
                    .entity(line + "\n");
        }
        var known = Response.Status.fromStatusCode(status);
        var body =
                MAPPER.createObjectNode()
                        .put("type", "about:blank")
                        .put("title", known == null ? "Error" : known.getReasonPhrase())
                        .put("status", status)
                        .put("detail", line);
        return Response.status(status).type(JSON).entity(body.toString());
    }
}
