package dev.parley.http;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2Error;
import io.quarkus.runtime.configuration.MemorySize;
import io.vertx.core.Future;
import io.vertx.core.VertxException;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import jakarta.ws.rs.core.MediaType;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Refuses requests before the framework sees them: those that are too large, that arrive too
 * slowly, or that the router cannot parse. The framework would answer the first without a reason,
 * wait for the second without a limit, and log the third as errors of the server. Also makes
 * pipelined requests wait for their turn ({@link PipelinedRequests}).
 */
@Singleton
final class RequestGuard {

    /** Route order that runs before every handler of the framework. */
    private static final int FIRST = Integer.MIN_VALUE;

    /**
     * Longest target of a request, in bytes, unless its query can hold a text or the position in
     * many rooms: the targets of publishes and of streams of messages are bounded by the server's
     * longest request line alone.
     */
    private static final int MAX_TARGET = 4096;

    /**
     * Most lines of headers. A browser sends each of its cookies in a line of its own on HTTP/2,
     * and has at most 180 of a site. Each line costs the filters and the router time, in which
     * their event loop serves no other client.
     */
    private static final int MAX_HEADERS = 300;

    /**
     * The answer to a request line that names another protocol than HTTP. The framework would write
     * that name into its answer.
     */
    private static final byte[] BAD_REQUEST =
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    .getBytes(StandardCharsets.US_ASCII);

    /** The value of a Content-Length. */
    private static final Pattern LENGTH = Pattern.compile("[0-9]+");

    /** The most digits with which each number is a {@code long}. */
    private static final int LONG_DIGITS = 18;

    /**
     * In seconds. Most bodies arrive within one; a slow one may hold its bytes for {@code
     * parley.publish.request-timeout}, and a request that comes again meanwhile is refused again.
     */
    private static final String OVERLOADED_RETRY_AFTER = "2";

    /** Marks a request whose body the framework reads; its handlers must not be replaced. */
    private static final String PASSED_ON = RequestGuard.class.getName() + ".passedOn";

    private static final String NO_URI =
            "bad request: the URI has a character that no URI may have, or a % without two"
                    + " hexadecimal digits; write these percent-encoded, a % as %25";

    /** The longest body that the framework takes, in bytes. */
    private final long maxBody;

    /**
     * The longest body of a call, in bytes. A body that would not have room even alone must not get
     * {@code Retry-After}.
     */
    private final long longestBody;

    /** The longest body of a publish. */
    private final long longestPublish;

    private final Duration requestTimeout;
    private final ClientAddress clientAddress;
    private final ProxyAdvice proxyAdvice;
    private final PendingPublishes publishes;
    private final PublishOutcomes outcomes;
    private final CrossOriginRefusals crossOrigin;
    private final ClosingConnections closing;

    RequestGuard(
            @ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize maxBody,
            @ConfigProperty(name = "parley.publish.request-timeout") Duration requestTimeout,
            ServerBounds bounds,
            ClientAddress clientAddress,
            ProxyAdvice proxyAdvice,
            PendingPublishes publishes,
            PublishOutcomes outcomes,
            CrossOriginRefusals crossOrigin,
            ClosingConnections closing) {
        this.closing = closing;
        this.crossOrigin = crossOrigin;
        this.proxyAdvice = proxyAdvice;
        this.publishes = publishes;
        this.outcomes = outcomes;
        this.maxBody = maxBody.asLongValue();
        this.longestBody = Math.min(this.maxBody, bounds.bodies().mostOfAddress());
        this.longestPublish = Math.min(longestBody, publishes.longestBody());
        this.requestTimeout = requestTimeout;
        this.clientAddress = clientAddress;
    }

    void guard(@Observes Router router) {
        router.route().order(FIRST).handler(this::check).failureHandler(this::failed);
    }

    private void check(RoutingContext exchange) {
        PipelinedRequests.hold(exchange.request());
        ConnectionGuard connection = ConnectionGuard.of(exchange.request());
        if (connection != null) {
            guardConnection(exchange, connection);
            long cost =
                    mayBecomeStream(exchange)
                            ? RequestCost.ofStream(exchange.request())
                            : RequestCost.of(exchange.request());
            if (cost > 0
                    && !connection.tryHold(
                            exchange.request(), clientAddress.of(exchange.request()), cost)) {
                return;
            }
        }
        if (!isHttp(exchange.request())) {
            refuseProtocol(exchange.request());
            return;
        }
        Optional<Refusal> refusal = refusal(exchange.request());
        if (refusal.isPresent()) {
            refuse(exchange, refusal.get().code(), refusal.get().detail());
            return;
        }
        closing.onRequest(exchange);
        proxyAdvice.onRequest(exchange.request());
        if (exchange.request().uri().length() > MAX_TARGET) {
            if (!mayHaveALongTarget(exchange)) {
                refuse(
                        exchange,
                        ErrorCode.URI_TOO_LONG,
                        "URI too long: at most " + MAX_TARGET + " bytes are accepted");
                return;
            }
            closeAfterwards(exchange);
        }
        if (isPost(exchange)) {
            checkBody(exchange);
        } else if (announcedLength(exchange) > maxBody) {
            // No call would read it, but the framework would refuse it without a reason.
            refuseTooLarge(exchange, maxBody);
        } else {
            discardBody(exchange);
            exchange.next();
        }
    }

    /**
     * Lets the body of a request that no call reads arrive and be dropped, once its answer begins.
     * The framework pauses every request until then, and HTTP/2 would keep 64 KB of each connection
     * until the answer has ended, which is never for a stream. Not before: the framework fails if
     * it pauses a request that has ended, and {@link StreamOpenings} passes some on later. {@link
     * PipelinedRequests} drops such bodies on HTTP/1.
     */
    private static void discardBody(RoutingContext exchange) {
        var request = exchange.request();
        if (request.version() == HttpVersion.HTTP_2) {
            exchange.addHeadersEndHandler(
                    head -> {
                        if (!request.isEnded()) {
                            request.resume();
                        }
                    });
        }
    }

    private void guardConnection(RoutingContext exchange, ConnectionGuard connection) {
        var request = exchange.request();
        if (connection.onRequest(request) && headLength(request) > ConnectionGuard.LARGE_HEAD) {
            closeAfterwards(exchange);
        }
        exchange.addEndHandler(answered -> connection.onAnswered(request));
        if (request.version() == HttpVersion.HTTP_2) {
            if (isStream(exchange)) {
                exchange.addEndHandler(
                        ended -> {
                            connection.limitAnswer(request);
                            // An error, a goodbye to a stream that was refused, or the end of one
                            // that was open: its client may not take it.
                            connection.tryHoldAgain(
                                    request, clientAddress.of(request), RequestCost.of(request));
                        });
            } else {
                exchange.addHeadersEndHandler(head -> connection.limitAnswer(request));
            }
        }
    }

    private static boolean hasTooManyHeaders(HttpServerRequest request) {
        int lines = 0;
        for (var header : request.headers()) {
            lines += header.getKey().isEmpty() ? 0 : 1;
            if (lines > MAX_HEADERS) {
                return true;
            }
        }
        return false;
    }

    private static int headLength(HttpServerRequest request) {
        int length = request.uri().length();
        for (var header : request.headers()) {
            length += header.getKey().length() + header.getValue().length();
        }
        return length;
    }

    /** Tells whether the request is for a stream, which lasts as long as its client takes bytes. */
    private static boolean isStream(RoutingContext exchange) {
        return call(exchange)
                .filter(call -> call.answer().equals(MediaType.SERVER_SENT_EVENTS))
                .isPresent();
    }

    /**
     * Tells whether the request asks for a stream and has nothing to say in a body. Once it is
     * permitted, the number of streams bounds it. A HEAD never becomes a stream.
     */
    static boolean mayBecomeStream(RoutingContext exchange) {
        return isStream(exchange) && exchange.request().method().equals(HttpMethod.GET);
    }

    private static boolean mayHaveALongTarget(RoutingContext exchange) {
        return (isPost(exchange) && isPublish(exchange))
                || call(exchange).filter(Endpoint.EVENTS::equals).isPresent();
    }

    private static boolean isPost(RoutingContext exchange) {
        return exchange.request().method().equals(HttpMethod.POST);
    }

    private static boolean isPublish(RoutingContext exchange) {
        return call(exchange).filter(Endpoint.SEND::equals).isPresent();
    }

    /** Finds the call of a request, whose path is in normal form if it has one. */
    private static Optional<Endpoint> call(RoutingContext exchange) {
        return Optional.ofNullable(exchange.request().path()).flatMap(Endpoint::at);
    }

    /**
     * Tells whether the request names a version of HTTP. Vert.x accepts any name that ends in
     * "/1.1".
     */
    private static boolean isHttp(HttpServerRequest request) {
        try {
            return request.version() != null;
        } catch (IllegalStateException e) {
            return false;
        }
    }

    private static void refuseProtocol(HttpServerRequest request) {
        ChannelHandlerContext encoder =
                PipelinedRequests.pipeline(request).context(ServerHandlers.ENCODER);
        if (encoder == null) {
            request.connection().close();
        } else {
            encoder.writeAndFlush(Unpooled.wrappedBuffer(BAD_REQUEST))
                    .addListener(ChannelFutureListener.CLOSE);
        }
    }

    /** Why a request is refused. */
    private record Refusal(ErrorCode code, String detail) {}

    /** Returns why a request must be refused for its head; empty if it need not. */
    private static Optional<Refusal> refusal(HttpServerRequest request) {
        if (hasTooManyHeaders(request)) {
            return refusal(
                    ErrorCode.TOO_MANY_HEADERS,
                    "too many headers: at most " + MAX_HEADERS + " lines are accepted");
        }
        Optional<String> fault = RequestTarget.fault(request);
        if (fault.isPresent()) {
            return refusal(ErrorCode.BAD_TARGET, fault.get());
        }
        if (!RequestTarget.isUri(request)) {
            return refusal(ErrorCode.BAD_REQUEST, NO_URI);
        }
        return misframing(request);
    }

    /**
     * Returns why a proxy in front may have read a request differently (RFC 9112 §3.2, §6.1); empty
     * if it may not. The decoder refuses Content-Length beside Transfer-Encoding, and lengths that
     * differ.
     */
    private static Optional<Refusal> misframing(HttpServerRequest request) {
        if (request.headers().getAll("Host").size() > 1) {
            return refusal(ErrorCode.BAD_REQUEST, "bad request: it has more than one Host header");
        }
        List<String> codings = request.headers().getAll("Transfer-Encoding");
        if (!codings.isEmpty()
                && (codings.size() > 1 || !codings.get(0).strip().equalsIgnoreCase("chunked"))) {
            return refusal(
                    ErrorCode.NOT_IMPLEMENTED,
                    "not implemented: the only transfer coding is chunked");
        }
        return Optional.empty();
    }

    private static Optional<Refusal> refusal(ErrorCode code, String detail) {
        return Optional.of(new Refusal(code, detail));
    }

    private void checkBody(RoutingContext exchange) {
        long announced = announcedLength(exchange);
        boolean isPublish = isPublish(exchange);
        long longest = isPublish ? longestPublish : longestBody;
        if (announced > longest) {
            refuseTooLarge(exchange, longest);
            return;
        }
        if (announced > PendingPublishes.SHORT
                && isPublish
                && !publishes.hasRoom(exchange, announced)) {
            publishes.onRefused(exchange);
            refuseOverloaded(exchange, PendingPublishes.REFUSAL);
            return;
        }
        long timer =
                exchange.vertx()
                        .setTimer(
                                requestTimeout.toMillis(),
                                late ->
                                        refuse(
                                                exchange,
                                                ErrorCode.REQUEST_TOO_SLOW,
                                                "request too slow: it was not received and"
                                                        + " answered within "
                                                        + requestTimeout.toMillis()
                                                        + " ms"));
        exchange.addEndHandler(end -> exchange.vertx().cancelTimer(timer));
        ConnectionGuard connection = ConnectionGuard.of(exchange.request());
        if (connection != null) {
            connection.onBody(
                    exchange.request(),
                    longest,
                    clientAddress.of(exchange.request()),
                    fault -> {
                        switch (fault) {
                            case TOO_LARGE -> refuseTooLarge(exchange, longest);
                            case TOO_MANY -> refuseBody(exchange);
                        }
                    });
        }
        exchange.put(PASSED_ON, true);
        exchange.next();
    }

    private void refuseTooLarge(RoutingContext exchange, long longest) {
        refuse(exchange, ErrorCode.REQUEST_TOO_LARGE, RefusedRequest.tooLargeDetail(longest));
    }

    /**
     * Closes the connection after the answer, since its decoder keeps a buffer as large as the
     * longest request line for as long as the connection is open. A stream that takes the
     * connection over removes the decoder, and goes on.
     */
    private static void closeAfterwards(RoutingContext exchange) {
        if (exchange.request().version() == HttpVersion.HTTP_2) {
            return;
        }
        ClosingConnections.closeAfterAnswer(exchange, isStream(exchange));
    }

    private void refuseBody(RoutingContext exchange) {
        if (!exchange.response().headWritten()) {
            proxyAdvice.onLimitMet(exchange.request(), "parley.limits.body-bytes");
            refuseOverloaded(
                    exchange,
                    "overloaded: too many request bodies are arriving; repeat the request after the"
                            + " seconds in Retry-After");
        }
    }

    private void refuseOverloaded(RoutingContext exchange, String detail) {
        if (isPublish(exchange)) {
            outcomes.countOverloaded();
        }
        exchange.response().putHeader("Retry-After", OVERLOADED_RETRY_AFTER);
        refuse(exchange, ErrorCode.OVERLOADED, detail);
    }

    private static long announcedLength(RoutingContext exchange) {
        String length = exchange.request().getHeader("Content-Length");
        if (length == null || !LENGTH.matcher(length).matches()) {
            return 0;
        }
        return length.length() > LONG_DIGITS ? Long.MAX_VALUE : Long.parseLong(length);
    }

    /** Answers what the router refuses before it calls any handler. */
    private void failed(RoutingContext exchange) {
        PipelinedRequests.hold(exchange.request());
        if (AllowedMethods.isAskedOfServer(exchange.request())) {
            if (exchange.statusCode() == 400) {
                refuse(exchange, ErrorCode.BAD_REQUEST, hostFault(exchange.request()));
            } else {
                AllowedMethods.answerOfServer(exchange, crossOrigin);
            }
            return;
        }
        Optional<String> fault = RequestTarget.fault(exchange.request());
        if (exchange.statusCode() == 404 && fault.isPresent()) {
            refuse(
                    exchange,
                    ErrorCode.NOT_FOUND,
                    "not found: the target does not start with a slash; the calls are "
                            + Endpoint.all());
        } else if (exchange.statusCode() != 400) {
            exchange.next();
        } else if (fault.isPresent()) {
            refuse(exchange, ErrorCode.BAD_TARGET, fault.get());
        } else if (exchange.failure() instanceof VertxException) {
            refuse(exchange, ErrorCode.BAD_REQUEST, hostFault(exchange.request()));
        } else {
            refuse(
                    exchange,
                    ErrorCode.BAD_REQUEST,
                    "bad request: the query cannot be decoded; write a % in it as %25");
        }
    }

    private static String hostFault(HttpServerRequest request) {
        if (request.version() == HttpVersion.HTTP_2) {
            return "bad request: :authority is missing, or is not a host with or without a port";
        }
        return request.getHeader("Host") == null
                ? "bad request: the Host header is missing"
                : "bad request: the Host header is not a host with or without a port, such as"
                        + " chat.example:8080";
    }

    /**
     * Answers, and closes the connection, on which the rest of the request may still arrive. On
     * HTTP/2 it only ends the stream, because others may be of other clients of a proxy.
     */
    private void refuse(RoutingContext exchange, ErrorCode code, String detail) {
        var response = exchange.response();
        if (response.headWritten()) {
            return;
        }
        var request = exchange.request();
        boolean shared = request.version() == HttpVersion.HTTP_2;
        if (!shared) {
            response.putHeader("Connection", "close");
            if (hasBody(request) && !request.isEnded()) {
                LingeringClose.begin(PipelinedRequests.pipeline(request));
            }
        }
        crossOrigin.set(exchange);
        Future<Void> answered = Future.succeededFuture();
        if (!response.ended()) {
            answered = Problem.send(exchange, code, detail);
        }
        if (shared && exchange.get(PASSED_ON) == null) {
            dropRest(exchange);
        }
        answered.onComplete(
                sent -> {
                    if (!shared) {
                        request.connection().close();
                    } else if (exchange.get(PASSED_ON) != null) {
                        // RFC 9113 §8.1: asks the client not to send the rest.
                        ConnectionGuard.giveUp(request, Http2Error.NO_ERROR);
                    }
                });
    }

    private static boolean hasBody(HttpServerRequest request) {
        String length = request.getHeader("Content-Length");
        return request.headers().contains("Transfer-Encoding")
                || (length != null && !length.equals("0"));
    }

    /**
     * Drops the rest of a body on HTTP/2, for as long and as far as {@link LingeringClose} does on
     * HTTP/1, and then resets the stream. Some clients, such as that of the JDK, do not give the
     * answer to their caller if the stream is reset while they still send.
     */
    private static void dropRest(RoutingContext exchange) {
        var request = exchange.request();
        if (request.isEnded()) {
            return;
        }
        Runnable reset = () -> ConnectionGuard.giveUp(request, Http2Error.NO_ERROR);
        long timer = exchange.vertx().setTimer(LingeringClose.MILLIS, late -> reset.run());
        request.endHandler(ended -> exchange.vertx().cancelTimer(timer));
        request.handler(
                piece -> {
                    if (request.bytesRead() > LingeringClose.MAX_BYTES) {
                        reset.run();
                    }
                });
        request.resume();
    }
}
