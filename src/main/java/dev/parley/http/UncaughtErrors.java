package dev.parley.http;

import io.netty.channel.unix.Errors;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.vertx.core.http.HttpClosedException;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.net.SocketException;
import java.nio.channels.ClosedChannelException;
import java.util.List;
import javax.net.ssl.SSLException;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Answers a request that failed with an exception which no code expects, in a call or in a route of
 * the framework: with {@link ErrorCode#INTERNAL_ERROR}. The framework's own page would show an HTML
 * page with the message of the exception and, while developing, its stack trace.
 *
 * <p>The exception is logged, with the call that failed. The line has nothing that the client
 * wrote, and {@code BoundedLog} bounds the number of lines.
 */
@Singleton
final class UncaughtErrors {

    static final String DETAIL =
            "internal error: the server failed because of a defect; its log has the cause";

    private static final Logger LOG = Logger.getLogger(UncaughtErrors.class);

    /** Before the failure handlers of the framework. */
    private static final int FIRST = Integer.MIN_VALUE;

    void register(@Observes Router router) {
        router.route().order(FIRST).failureHandler(UncaughtErrors::answer);
    }

    private static void answer(RoutingContext exchange) {
        if (exchange.statusCode() != ErrorCode.INTERNAL_ERROR.status()) {
            exchange.next();
            return;
        }
        HttpServerResponse response = exchange.response();
        if (response.closed() || isOfConnection(exchange.failure())) {
            // The client has closed the connection or the stream, or took no bytes until the
            // stream was reset.
            return;
        }
        log(exchange, exchange.failure());
        if (response.ended()) {
            return;
        }
        if (response.headWritten()) {
            // The client must not take what it has for a whole answer.
            cut(exchange);
            return;
        }
        // Those of the answer that was not made; what filters have set, such as CORS, stays.
        List.of("Content-Length", "Content-Encoding", "Transfer-Encoding", "Event-Id")
                .forEach(response.headers()::remove);
        Problem.send(exchange, ErrorCode.INTERNAL_ERROR, DETAIL);
    }

    /**
     * Tells whether the client's connection ended. An error of a socket or of TLS counts only if it
     * is the failure itself: as a cause it may be of another connection, such as one to Redis, and
     * then the client has to be answered.
     */
    private static boolean isOfConnection(@Nullable Throwable failure) {
        if (failure instanceof Errors.NativeIoException
                || failure instanceof SocketException
                || failure instanceof SSLException) {
            return true;
        }
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof HttpClosedException
                    || cause instanceof ClosedChannelException
                    || cause instanceof Http2Exception) {
                return true;
            }
        }
        return false;
    }

    /** Logs an exception that no code expects. */
    static void log(RoutingContext exchange, @Nullable Throwable failure) {
        LOG.errorf(
                failure,
                "%s failed because of a defect in Parley",
                Endpoint.at(exchange.request().method().name(), exchange.normalizedPath())
                        .map(Endpoint::toString)
                        .orElse("A request that is not a call"));
    }

    private static void cut(RoutingContext exchange) {
        if (exchange.request().version() == HttpVersion.HTTP_2) {
            exchange.response().reset(Http2Error.INTERNAL_ERROR.code());
        } else {
            exchange.request().connection().close();
        }
    }
}
