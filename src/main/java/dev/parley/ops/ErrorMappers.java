package dev.parley.ops;

import dev.parley.broker.BrokerUnavailable;
import dev.parley.message.InvalidMessage;
import dev.parley.publish.TextTooLarge;
import dev.parley.publish.TooManyRequests;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import java.util.Optional;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/** Says what was wrong, and what would be right. */
public final class ErrorMappers {

    private static final Logger LOG = Logger.getLogger(ErrorMappers.class);

    /** Seconds; Redis is mostly back, or replaced, within a few. */
    private static final int RETRY_AFTER = 2;

    @ServerExceptionMapper
    public Response invalid(InvalidMessage failure, HttpHeaders headers) {
        return Problem.of(400, String.valueOf(failure.getMessage()), headers).build();
    }

    @ServerExceptionMapper
    public Response tooLarge(TextTooLarge failure, HttpHeaders headers) {
        return Problem.of(413, String.valueOf(failure.getMessage()), headers).build();
    }

    @ServerExceptionMapper
    public Response tooMany(TooManyRequests failure, HttpHeaders headers) {
        return Problem.of(429, String.valueOf(failure.getMessage()), headers)
                .header(HttpHeaders.RETRY_AFTER, failure.pause().toSeconds() + 1)
                .build();
    }

    @ServerExceptionMapper
    public Response unavailable(BrokerUnavailable failure, HttpHeaders headers) {
        LOG.debugf("refused: %s", failure.getMessage());
        return Problem.of(503, "publish failed: try again soon", headers)
                .header(HttpHeaders.RETRY_AFTER, RETRY_AFTER)
                .build();
    }

    @ServerExceptionMapper
    public Response failed(WebApplicationException failure, HttpHeaders headers) {
        Response response = failure.getResponse();
        var problem = Problem.of(response.getStatus(), detail(failure), headers);
        Optional.ofNullable(response.getHeaderString(HttpHeaders.ALLOW))
                .ifPresent(allowed -> problem.header(HttpHeaders.ALLOW, allowed));
        return problem.build();
    }

    private static String detail(WebApplicationException failure) {
        return switch (failure.getResponse().getStatus()) {
            case 415 ->
                    "unsupported media type: a form, application/json or text/plain is expected";
            case 413 -> "request too large";
            default -> String.valueOf(failure.getMessage());
        };
    }
}
