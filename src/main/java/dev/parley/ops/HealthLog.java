package dev.parley.ops;

import java.util.HashSet;
import java.util.Set;
import org.jboss.logging.Logger;

/**
 * Writes one log line when the result of a health check changes, with the reason. The framework's
 * own line, which repeats the whole answer for every failed probe, is turned off in
 * application.properties. Thread-safe.
 */
final class HealthLog {

    private static final Logger LOG = Logger.getLogger(HealthLog.class);

    /** Reasons that one failure may log; a reason with a number in it could differ every time. */
    private static final int MAX_REASONS = 8;

    private final String upLine;
    private final String downLine;
    private final Set<String> loggedReasons = new HashSet<>();
    private boolean up;

    /**
     * @param upLine what is logged when the check succeeds again
     * @param downLine what is logged when it fails, followed by the reason
     * @param up the result that is assumed before the first probe, and therefore not logged
     */
    HealthLog(String upLine, String downLine, boolean up) {
        this.upLine = upLine;
        this.downLine = downLine;
        this.up = up;
    }

    synchronized void onUp() {
        if (!up) {
            up = true;
            loggedReasons.clear();
            LOG.info(upLine);
        }
    }

    /** Logs the reason, unless it was logged already since the check last succeeded. */
    synchronized void onDown(String reason) {
        up = false;
        if (loggedReasons.size() < MAX_REASONS && loggedReasons.add(reason)) {
            LOG.infof("%s: %s", downLine, reason);
        }
    }
}
