package dev.parley.ops;

import io.micrometer.core.instrument.config.MeterFilter;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.util.regex.Pattern;

/**
 * Keeps paths that callers make up out of the labels of the framework's HTTP metrics.
 *
 * <p>What is refused, or gone, before it is matched with a call is counted under its own path. The
 * framework takes a hundred labels; after that, calls not seen before would not be counted.
 */
@Singleton
final class PathLabels {

    /** The calls, the pages, and the framework's words for groups, such as NOT_FOUND. */
    private static final Pattern KNOWN =
            Pattern.compile(
                    "[A-Z_]+|root|/|/cors-preflight|/(send|events|clock|rooms/\\{room}/messages)"
                            + "|/(index|chat|clock|favicon)\\.(html|js|css|svg)");

    @Produces
    @Singleton
    MeterFilter knownPaths() {
        return MeterFilter.replaceTagValues(
                "uri", path -> KNOWN.matcher(path).matches() ? path : "other");
    }
}
