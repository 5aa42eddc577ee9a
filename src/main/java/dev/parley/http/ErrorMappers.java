package dev.parley.http;

import dev.parley.broker.BrokerUnavailable;
import dev.parley.message.InvalidRequest;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
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
    public Response invalid(InvalidRequest failure, HttpHeaders headers) {
        return Problem.of(400, String.valueOf(failure.getMessage()), headers).build();
    }

    @ServerExceptionMapper
    public Response refused(RefusedRequest failure, HttpHeaders headers) {
        var problem = Problem.of(failure.status(), String.valueOf(failure.getMessage()), headers);
        failure.retryAfter()
                .ifPresent(pause -> problem.header(HttpHeaders.RETRY_AFTER, pause.toSeconds() + 1));
        return problem.build();
    }

    @ServerExceptionMapper
    public Response unavailable(
            BrokerUnavailable failure, HttpHeaders headers, HttpServerRequest request) {
        LOG.debugf("refused: %s", failure.getMessage());
        String what = request.method().equals(HttpMethod.POST) ? "publish" : "read";
        return Problem.of(503, what + " failed: try again soon", headers)
                .header(HttpHeaders.RETRY_AFTER, RETRY_AFTER)
                .build();
    }

    @ServerExceptionMapper
    public Response failed(
            WebApplicationException failure, HttpHeaders headers, RoutingContext routing) {
        int status = failure.getResponse().getStatus();
        Optional<Endpoint> call = Endpoint.at(routing.normalizedPath());
        var problem = Problem.of(status, detail(failure, call), headers);
        if (status == 405) {
            // A client has to be told (RFC 9110 §15.5.6), and the framework does not.
            call.ifPresent(known -> problem.header(HttpHeaders.ALLOW, known.method()));
        }
        return problem.build();
    }

    private static String detail(WebApplicationException failure, Optional<Endpoint> call) {
        String inFrameworksWords = String.valueOf(failure.getMessage());
        return switch (failure.getResponse().getStatus()) {
            case 404 -> "not found: the calls are " + Endpoint.all();
            case 405 ->
                    call.map(c -> "method not allowed: the call is " + c).orElse(inFrameworksWords);
            case 406 ->
                    call.map(c -> "not acceptable: " + c + " answers " + c.answer())
                            .orElse(inFrameworksWords);
            case 413 -> "request too large";
            case 415 ->
                    "unsupported media type: a form, application/json or text/plain is expected";
            default -> inFrameworksWords;
        };
    }
}
