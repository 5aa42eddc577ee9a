package dev.parley.ops;

import io.netty.handler.codec.http2.Http2Exception;
import java.io.IOException;
import java.util.logging.Filter;
import java.util.logging.LogRecord;
import org.jspecify.annotations.Nullable;

/**
 * Drops log records about clients that break their own connection. The framework logs them as
 * errors of the server, with a stack trace, so any client could fill the log.
 */
final class ClientErrorLogFilter implements Filter {

    /**
     * The logger of an exception that is thrown when a client leaves before a stream of the
     * framework (/clock) has begun, or resets one on HTTP/2 that it did not take.
     */
    private static final String STREAMS =
            "org.jboss.resteasy.reactive.server.handlers.PublisherResponseHandler";

    /** The logger of bytes that are not HTTP/2 on a connection that began as HTTP/2. */
    private static final String CONNECTIONS = "io.vertx.core.net.impl.ConnectionBase";

    /** The logger of an exception of Vert.x when HTTP/2 closes before a write has completed. */
    private static final String WRITES = "io.netty.util.concurrent.DefaultPromise";

    private static final String HTTP_2 = "io.vertx.core.http.impl.Http2ConnectionBase";

    /**
     * The logger of a connection that comes while the server closes: Vert.x has given up its event
     * loops by then, and its listener a moment later. Drain closes the public one before; there
     * remains the management port.
     */
    private static final String ACCEPTED = "io.netty.bootstrap.ServerBootstrap";

    @Override
    public boolean isLoggable(LogRecord event) {
        return switch (String.valueOf(event.getLoggerName())) {
            case STREAMS ->
                    !(event.getThrown() instanceof IOException
                            || event.getThrown() instanceof Http2Exception);
            case CONNECTIONS -> false;
            case WRITES -> !isThrownBy(HTTP_2, event.getThrown());
            case ACCEPTED -> !(event.getThrown() instanceof IllegalStateException);
            default -> true;
        };
    }

    private static boolean isThrownBy(String className, @Nullable Throwable thrown) {
        StackTraceElement[] trace =
                thrown == null ? new StackTraceElement[0] : thrown.getStackTrace();
        return trace.length > 0 && trace[0].getClassName().equals(className);
    }
}
