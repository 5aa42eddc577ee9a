package dev.parley.http;

import io.micrometer.core.instrument.config.MeterFilter;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Keeps paths that callers make up out of the labels of the framework's HTTP metrics.
 *
 * <p>What is refused, or gone, before it is matched with a call is counted under its own path. The
 * framework takes a hundred labels; after that, calls not seen before would not be counted.
 */
@Singleton
final class UriTagFilter {

    /** The calls' templates. */
    private static final Set<String> CALLS =
            Stream.of(Endpoint.values())
                    .map(Endpoint::path)
                    .collect(Collectors.toUnmodifiableSet());

    /** The pages, and the framework's words for groups, such as NOT_FOUND. */
    private static final Pattern PAGES_AND_GROUPS =
            Pattern.compile(
                    "/|/(index|chat|clock|favicon)\\.(html|js|css|svg)"
                            + "|/chat/(elements|form|history|json|messages|outbox|position|refusal|storage|stream|view)\\.js"
                            + "|[A-Z_]+|root|/cors-preflight");

    @Produces
    @Singleton
    MeterFilter knownPaths() {
        return MeterFilter.replaceTagValues("uri", path -> isKnown(path) ? path : "other");
    }

    private static boolean isKnown(String path) {
        return CALLS.contains(path) || PAGES_AND_GROUPS.matcher(path).matches();
    }
}
