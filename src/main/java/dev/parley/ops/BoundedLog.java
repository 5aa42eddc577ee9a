package dev.parley.ops;

import io.quarkus.logging.LoggingFilter;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.logging.Filter;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.jboss.logmanager.ExtLogRecord;

/**
 * Bounds the warnings and errors in the log, the framework's too, so that no client can fill a disk
 * by repeating whatever provokes one. Each class may log ten a minute. The tenth says that further
 * ones are left out, and the first one after the minute says how many were. Thread-safe.
 *
 * <p>Other lines are not counted. A client can provoke three kinds of them: the line for each
 * ticket that it gets, which {@code parley.access.ticket-rate} bounds; the one that Redis takes
 * publishes again, which comes at most once in two probes; and those of an access log or of a lower
 * level, which an operator has to switch on and then wants completely.
 */
@LoggingFilter(name = "bounded")
public final class BoundedLog implements Filter {

    static final int LINES = 10;
    private static final long PERIOD = TimeUnit.MINUTES.toNanos(1);

    private final ClientErrorLogFilter clientErrors = new ClientErrorLogFilter();
    private final LongSupplier nanoTime;

    /** By the name of the logger, which is a class: their number is that of the program's. */
    private final Map<String, Window> windows = new ConcurrentHashMap<>();

    /** Called by the framework, for the handler that is configured with this filter. */
    public BoundedLog() {
        this(System::nanoTime);
    }

    BoundedLog(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    @Override
    public boolean isLoggable(LogRecord event) {
        if (!clientErrors.isLoggable(event)) {
            return false;
        }
        if (event.getLevel().intValue() < Level.WARNING.intValue()) {
            return true;
        }
        return windows.computeIfAbsent(String.valueOf(event.getLoggerName()), name -> new Window())
                .admit(event, nanoTime.getAsLong());
    }

    /** The lines of one class since the first one of the present minute. */
    private static final class Window {

        private long beganNanos;
        private int lines;
        private long leftOut;

        synchronized boolean admit(LogRecord event, long nowNanos) {
            if (lines == 0 || nowNanos - beganNanos >= PERIOD) {
                if (leftOut > 0) {
                    append(event, " (" + leftOut + " more lines of this class were left out)");
                }
                beganNanos = nowNanos;
                lines = 0;
                leftOut = 0;
            }
            if (lines == LINES) {
                leftOut++;
                return false;
            }
            lines++;
            if (lines == LINES) {
                append(event, " (further lines of this class are left out for up to a minute)");
            }
            return true;
        }

        private static void append(LogRecord event, String note) {
            if (event instanceof ExtLogRecord extended) {
                extended.setMessage(extended.getMessage() + note, extended.getFormatStyle());
            } else {
                event.setMessage(event.getMessage() + note);
            }
        }
    }
}
