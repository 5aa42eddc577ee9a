package dev.parley;

import dev.parley.broker.HistoryConfig;
import dev.parley.broker.memory.MemoryConfig;
import dev.parley.delivery.EventsConfig;
import dev.parley.delivery.LimitsConfig;
import dev.parley.http.BoundsConfig;
import dev.parley.log.LogConfig;
import dev.parley.ops.DrainConfig;
import dev.parley.publish.PublishConfig;
import dev.parley.redis.RedisConfig;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.EnvConfigSource;
import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.config.spi.ConfigSource;

/**
 * Refuses to start with a setting that does not exist: a key below {@code parley.} in any source,
 * or an environment variable {@code PARLEY_…}. A misspelt name would otherwise leave the default in
 * force without a word.
 *
 * <p>The framework checks keys only below the prefix of a mapping ({@code parley.history.}) and
 * environment variables not at all; its own check is off (application.properties), so that every
 * unknown name gets the same sentence.
 */
@Singleton
@RegisterForReflection(
        targets = {
            BoundsConfig.class,
            DrainConfig.class,
            EventsConfig.class,
            HistoryConfig.class,
            LimitsConfig.class,
            LogConfig.class,
            MemoryConfig.class,
            PublishConfig.class,
            RedisConfig.class
        })
final class UnknownSettings {

    /** Runs before every other observer of the startup, and so before the program is assembled. */
    private static final int FIRST = 1;

    private static final String KEYS = "parley.";
    private static final String VARIABLES = "PARLEY_";

    /** Marks a key that counts in some profiles only, such as {@code %dev.parley.log.bytes}. */
    private static final Pattern PROFILE = Pattern.compile("^%[^.]*\\.");

    /** Ends a setting of which there is one for each name that an operator chooses. */
    private static final String ANY_NAME = ".*";

    /** Most letters by which the name that was probably meant differs. */
    private static final int MAX_DISTANCE = 2;

    /**
     * Variables of the test run (docs/configuration.md). Processes that tests start inherit them.
     */
    private static final String TEST_VARIABLES = "PARLEY_TEST_";

    /**
     * Variables that Kubernetes sets in a container for each Service of the namespace: for one
     * named parley {@code PARLEY_SERVICE_HOST}, {@code PARLEY_PORT_8080_TCP_ADDR} and others.
     */
    private static final Pattern SERVICE_LINK =
            Pattern.compile(
                    "(.*?)_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_[0-9]+_(TCP|UDP|SCTP).*)?)");

    void check(@Observes @Priority(FIRST) StartupEvent event, Config config) {
        Set<String> names = new TreeSet<>(System.getenv().keySet());
        for (ConfigSource source : config.getConfigSources()) {
            for (String name : source.getPropertyNames()) {
                // Beside each variable, the environment's source lists the key it would stand for.
                if (!(source instanceof EnvConfigSource) || name.startsWith(VARIABLES)) {
                    names.add(PROFILE.matcher(name).replaceFirst(""));
                }
            }
        }
        List<String> unknown = errors(names, known());
        if (!unknown.isEmpty()) {
            throw new ConfigurationException(String.join(System.lineSeparator(), unknown));
        }
    }

    /** Lists every setting of the program, such as {@code parley.history.size}. */
    static Set<String> known() {
        Class<?>[] mappings =
                UnknownSettings.class.getAnnotation(RegisterForReflection.class).targets();
        return Stream.of(mappings)
                .flatMap(UnknownSettings::keys)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Stream<String> keys(Class<?> mapping) {
        String prefix = mapping.getAnnotation(ConfigMapping.class).prefix();
        return Stream.of(mapping.getMethods())
                .map(
                        method ->
                                prefix
                                        + kebabCase(method.getName())
                                        + (method.getReturnType() == Map.class ? ANY_NAME : ""));
    }

    private static String kebabCase(String name) {
        return '.' + name.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    /**
     * Returns a sentence for each name of Parley's that does not exist.
     *
     * @param names of settings and environment variables, of which those of others are ignored
     * @param known the settings
     */
    static List<String> errors(Set<String> names, Set<String> known) {
        Set<String> variables =
                known.stream().map(UnknownSettings::variable).collect(Collectors.toSet());
        Stream<String> unknownKeys =
                names.stream()
                        .filter(name -> name.startsWith(KEYS) && !isIn(known, name, ANY_NAME))
                        .map(name -> error("setting", name, known));
        Stream<String> unknownVariables =
                names.stream()
                        .filter(name -> name.startsWith(VARIABLES) && !isIn(variables, name, "__"))
                        .filter(name -> !name.startsWith(TEST_VARIABLES))
                        .filter(name -> !isServiceLink(name, names))
                        .map(name -> error("environment variable", name, variables));
        return Stream.concat(unknownKeys, unknownVariables).toList();
    }

    /**
     * Tells whether a setting or variable exists.
     *
     * @param anyName how those end of which there is one for each name
     */
    private static boolean isIn(Set<String> known, String name, String anyName) {
        return known.contains(name)
                || known.stream()
                        .filter(one -> one.endsWith(anyName))
                        .map(one -> one.substring(0, one.length() - 1))
                        .anyMatch(one -> name.startsWith(one) && name.length() > one.length());
    }

    /**
     * The variable that sets a key (MicroProfile Config, "Environment Variables Mapping Rules").
     */
    private static String variable(String key) {
        return key.replaceAll("[^A-Za-z0-9]", "_").toUpperCase(Locale.ROOT);
    }

    private static boolean isServiceLink(String name, Set<String> names) {
        Matcher link = SERVICE_LINK.matcher(name);
        return link.matches() && names.contains(link.group(1) + "_SERVICE_HOST");
    }

    private static String error(String kind, String name, Set<String> known) {
        String meant =
                known.stream()
                        .filter(other -> distance(name, other) <= MAX_DISTANCE)
                        .min(Comparator.comparingInt(other -> distance(name, other)))
                        .map(other -> ", did you mean " + other + "?")
                        .orElse("; docs/configuration.md lists the settings");
        return "There is no " + kind + " " + name + meant;
    }

    /**
     * Counts the letters to insert, delete or replace in one word to get the other (Levenshtein).
     */
    private static int distance(String one, String other) {
        int[] previous = IntStream.rangeClosed(0, other.length()).toArray();
        for (int i = 1; i <= one.length(); i++) {
            int[] current = new int[previous.length];
            current[0] = i;
            for (int j = 1; j <= other.length(); j++) {
                int replaced = previous[j - 1] + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
                current[j] = Math.min(replaced, Math.min(previous[j], current[j - 1]) + 1);
            }
            previous = current;
        }
        return previous[other.length()];
    }
}
