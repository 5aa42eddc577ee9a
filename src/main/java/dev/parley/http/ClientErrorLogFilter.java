package dev.parley.http;

import io.quarkus.logging.LoggingFilter;
import java.io.IOException;
import java.util.logging.Filter;
import java.util.logging.LogRecord;
import org.jspecify.annotations.Nullable;

/**
 * Keeps out of the log what clients do to their own connections and the framework reports as errors
 * of the server: anybody could fill the log with it.
 */
@LoggingFilter(name = "client-faults")
public final class ClientErrorLogFilter implements Filter {

    /**
     * Reports a client that goes before a stream of the framework's, such as the clock's, began.
     */
    private static final String STREAMS =
            "org.jboss.resteasy.reactive.server.handlers.PublisherResponseHandler";

    /** Reports what is not HTTP/2 on a connection that began so. */
    private static final String CONNECTIONS = "io.vertx.core.net.impl.ConnectionBase";

    /** Reports what Vert.x fails over when such a connection closes before all is written. */
    private static final String WRITES = "io.netty.util.concurrent.DefaultPromise";

    private static final String HTTP_2 = "io.vertx.core.http.impl.Http2ConnectionBase";

    @Override
    public boolean isLoggable(LogRecord event) {
        return switch (String.valueOf(event.getLoggerName())) {
            case STREAMS -> !(event.getThrown() instanceof IOException);
            case CONNECTIONS -> false;
            case WRITES -> !isThrownBy(HTTP_2, event.getThrown());
            default -> true;
        };
    }

    private static boolean isThrownBy(String className, @Nullable Throwable thrown) {
        StackTraceElement[] trace =
                thrown == null ? new StackTraceElement[0] : thrown.getStackTrace();
        return trace.length > 0 && trace[0].getClassName().equals(className);
    }
}
