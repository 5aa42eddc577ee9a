package dev.parley.http;

import io.micrometer.core.instrument.config.MeterFilter;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Replaces paths and methods that clients invent by {@code other} in the labels of the framework's
 * HTTP metrics. Each value of a label costs some kilobytes for as long as the process runs.
 *
 * <p>A request that is refused, or whose client leaves, before it is matched with a call is counted
 * under the path that it was sent to. The framework keeps a hundred paths; after a hundred invented
 * ones, a call that was not seen before would not be counted at all.
 */
@Singleton
final class RequestTagFilter {

    /** The paths of the calls, as templates. */
    private static final Set<String> CALLS =
            Stream.of(Endpoint.values())
                    .map(Endpoint::path)
                    .collect(Collectors.toUnmodifiableSet());

    /** The framework's names for groups of requests, such as NOT_FOUND. */
    private static final Pattern GROUPS = Pattern.compile("[A-Z_]+|root|/cors-preflight");

    /** The methods of RFC 9110 and RFC 5789; a client may send any other word. */
    private static final Set<String> METHODS =
            Set.of("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH");

    @Produces
    @Singleton
    MeterFilter knownMethods() {
        return MeterFilter.replaceTagValues(
                "method", method -> METHODS.contains(method) ? method : "other");
    }

    @Produces
    @Singleton
    MeterFilter knownPaths() {
        return MeterFilter.replaceTagValues("uri", path -> isKnown(path) ? path : "other");
    }

    private static boolean isKnown(String path) {
        return CALLS.contains(path)
                || GROUPS.matcher(path).matches()
                || AllowedMethods.isPage(path);
    }
}
