package dev.parley;

import dev.parley.access.AccessConfig;
import dev.parley.broker.HistoryConfig;
import dev.parley.broker.memory.MemoryConfig;
import dev.parley.delivery.EventsConfig;
import dev.parley.delivery.StreamLimitsConfig;
import dev.parley.http.ServerLimitsConfig;
import dev.parley.log.LogConfig;
import dev.parley.ops.DrainConfig;
import dev.parley.publish.PublishConfig;
import dev.parley.redis.RedisConfig;
import dev.parley.settings.RoomsConfig;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.WithName;
import io.smallrye.config.WithParentName;
import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
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
            AccessConfig.class,
            DrainConfig.class,
            EventsConfig.class,
            HistoryConfig.class,
            LogConfig.class,
            MemoryConfig.class,
            PublishConfig.class,
            RedisConfig.class,
            RoomsConfig.class,
            ServerLimitsConfig.class,
            StreamLimitsConfig.class
        })
final class UnknownSettings {

    /** Runs before every other observer of the startup, and so before the program is assembled. */
    private static final int FIRST = 1;

    private static final String KEYS = "parley.";
    private static final String VARIABLES = "PARLEY_";

    /** Begins the settings of some rooms, whose next part is any pattern or word. */
    private static final String ROOMS = "parley.rooms.";

    /** What is written for that part where any one is meant. */
    static final String PATTERN = "\"PATTERN\"";

    /**
     * Settings with a part that an operator chooses: in a key, a text in quotes or a word; in a
     * variable, a word.
     *
     * @param placeholder what is written for that part where any one is meant
     * @param key a key with such a part, which is the group
     * @param variable the variable for it
     */
    private record Chosen(String placeholder, Pattern key, Pattern variable) {

        private static final String KEY_PART = "(\"[^\"]*\"|[^.\"]+)";

        private static final List<Chosen> ALL =
                List.of(
                        new Chosen(
                                PATTERN,
                                Pattern.compile("parley\\.rooms\\." + KEY_PART + "\\..+"),
                                Pattern.compile("PARLEY_ROOMS_([A-Z][A-Z0-9]*)_.+")),
                        new Chosen(
                                "\"GROUP\"",
                                Pattern.compile(
                                        "parley\\.access\\.issuers\\.[^.]+\\.groups\\."
                                                + KEY_PART
                                                + "\\..+"),
                                Pattern.compile(
                                        "PARLEY_ACCESS_ISSUERS_[A-Z0-9]+_GROUPS_([A-Z][A-Z0-9]*)_.+")),
                        new Chosen(
                                "NAME",
                                Pattern.compile(
                                        "parley\\.access\\.issuers\\." + KEY_PART + "\\..+"),
                                Pattern.compile("PARLEY_ACCESS_ISSUERS_([A-Z0-9]+)_.+")));

        /** Finds the part in a name of a setting or variable. */
        Optional<MatchResult> find(String name) {
            return Stream.of(key.matcher(name), variable.matcher(name))
                    .filter(Matcher::matches)
                    .map(Matcher::toMatchResult)
                    .findFirst();
        }
    }

    /** A part of a key that an operator chooses, and what is between two of them. */
    private static final Pattern PLACEHOLDER = Pattern.compile("\"[A-Z]+\"|[^\"]+");

    /** Marks a key that counts in some profiles only, such as {@code %dev.parley.log.bytes}. */
    private static final Pattern PROFILE = Pattern.compile("^%[^.]*\\.");

    /** Suffix of a setting that exists once per name that an operator chooses. */
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

    /**
     * Lists every setting of the program, such as {@code parley.history.size}. In those of some
     * rooms {@link #PATTERN} is in the place of the pattern.
     */
    static Set<String> known() {
        Class<?>[] mappings =
                UnknownSettings.class.getAnnotation(RegisterForReflection.class).targets();
        return Stream.of(mappings)
                .flatMap(UnknownSettings::keys)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Stream<String> keys(Class<?> mapping) {
        String prefix = mapping.getAnnotation(ConfigMapping.class).prefix();
        return keys(mapping, prefix);
    }

    private static Stream<String> keys(Class<?> group, String prefix) {
        return Stream.of(group.getMethods())
                .flatMap(
                        method -> {
                            String key = prefix + name(method);
                            Class<?> type = type(method);
                            return isGroup(type) ? keys(type, key) : Stream.of(key);
                        });
    }

    /** Returns what a method adds to the name of its group. */
    private static String name(Method method) {
        boolean isMap = method.getReturnType() == Map.class;
        if (method.isAnnotationPresent(WithParentName.class)) {
            return '.' + PATTERN;
        }
        WithName named = method.getAnnotation(WithName.class);
        String name = named == null ? kebabCase(method.getName()) : '.' + named.value();
        if (!isMap) {
            return name;
        }
        if (!isGroup(type(method))) {
            return name + ANY_NAME;
        }
        return name + (name.equals(".groups") ? ".\"GROUP\"" : ".NAME");
    }

    /** Returns the type of a setting, or of each one in a map of settings. */
    private static Class<?> type(Method method) {
        return method.getGenericReturnType() instanceof ParameterizedType map
                        && method.getReturnType() == Map.class
                        && map.getActualTypeArguments()[1] instanceof Class<?> value
                ? value
                : method.getReturnType();
    }

    private static boolean isGroup(Class<?> type) {
        Class<?> outer = type.getEnclosingClass();
        return type.isInterface()
                && outer != null
                && outer.isAnnotationPresent(ConfigMapping.class);
    }

    private static String kebabCase(String name) {
        return '.' + name.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    /**
     * Returns a sentence for each name that is Parley's by its form and does not exist.
     *
     * @param names of settings and environment variables; those of other programs are ignored
     * @param known the settings
     */
    static List<String> errors(Set<String> names, Set<String> known) {
        Set<String> variables =
                known.stream().map(UnknownSettings::variable).collect(Collectors.toSet());
        Stream<String> unknownKeys =
                names.stream()
                        .filter(name -> name.startsWith(KEYS))
                        .filter(name -> !isIn(known, general(name), ANY_NAME))
                        .map(name -> error("setting", name, known));
        // A variable also replaces the value of such a setting that is in another source.
        Set<String> replaceable =
                names.stream()
                        .filter(name -> name.startsWith(KEYS))
                        .filter(
                                name ->
                                        Chosen.ALL.stream()
                                                .anyMatch(one -> one.find(name).isPresent()))
                        .map(UnknownSettings::underscored)
                        .collect(Collectors.toSet());
        Stream<String> unknownVariables =
                names.stream()
                        .filter(name -> name.startsWith(VARIABLES))
                        .filter(name -> !isIn(variables, general(name), "__"))
                        .filter(name -> !replaceable.contains(name))
                        .filter(name -> !name.startsWith(TEST_VARIABLES))
                        .filter(name -> !isServiceLink(name, names))
                        .map(name -> error("environment variable", name, variables));
        return Stream.concat(unknownKeys, unknownVariables).toList();
    }

    /**
     * Tells whether a setting or variable exists.
     *
     * @param anyName suffix of those that exist once per name that an operator chooses
     */
    private static boolean isIn(Set<String> known, String name, String anyName) {
        return known.contains(name)
                || known.stream()
                        .filter(one -> one.endsWith(anyName))
                        .map(one -> one.substring(0, one.length() - 1))
                        .anyMatch(one -> name.startsWith(one) && name.length() > one.length());
    }

    /** Puts placeholders in the place of the parts of a name that an operator chooses. */
    private static String general(String name) {
        String general = name;
        for (Chosen chosen : Chosen.ALL) {
            Optional<MatchResult> part = chosen.find(general);
            if (part.isPresent()) {
                general = replaced(general, part.get(), chosen.placeholder());
            }
        }
        return general;
    }

    private static String replaced(String name, MatchResult part, String other) {
        return name.substring(0, part.start(1)) + other + name.substring(part.end(1));
    }

    /** Puts the parts that an operator chose in a name in the place of placeholders. */
    private static String withPartsOf(String name, String general) {
        String own = general;
        for (Chosen chosen : Chosen.ALL) {
            Optional<MatchResult> part = chosen.find(name);
            if (part.isPresent()) {
                // Only the first one: the settings of an issuer have a name-claim.
                String word = Matcher.quoteReplacement(part.get().group(1));
                own = own.replaceFirst(Pattern.quote(chosen.placeholder()), word);
            }
        }
        return own;
    }

    /** The variable that sets a key; placeholders stay as they are. */
    private static String variable(String key) {
        return PLACEHOLDER
                .matcher(key)
                .replaceAll(
                        part -> {
                            String text = part.group();
                            return text.startsWith("\"") ? text : underscored(text);
                        });
    }

    /** Writes a key as a variable (MicroProfile Config, "Environment Variables Mapping Rules"). */
    private static String underscored(String key) {
        return key.replaceAll("[^A-Za-z0-9]", "_").toUpperCase(Locale.ROOT);
    }

    private static boolean isServiceLink(String name, Set<String> names) {
        Matcher link = SERVICE_LINK.matcher(name);
        return link.matches() && names.contains(link.group(1) + "_SERVICE_HOST");
    }

    private static String error(String kind, String name, Set<String> known) {
        String written = general(name);
        Optional<String> quoted = quoted(name, known);
        if (quoted.isPresent()) {
            return "There is no %s %s; a pattern with dots is written in quotes: %s"
                    .formatted(kind, name, quoted.get());
        }
        String meant =
                known.stream()
                        .filter(other -> distance(written, other) <= MAX_DISTANCE)
                        .min(Comparator.comparingInt(other -> distance(written, other)))
                        .map(other -> withPartsOf(name, other))
                        .map(other -> ", did you mean " + other + "?")
                        .orElseGet(() -> adviceFor(name, known));
        return "There is no " + kind + " " + name + meant;
    }

    private static String adviceFor(String name, Set<String> known) {
        if (name.startsWith(underscored(ROOMS))) {
            return "; a variable cannot spell a pattern: choose a word of letters and digits, and"
                    + " set PARLEY_ROOMS_TEAMS_PATTERN=team.* and PARLEY_ROOMS_TEAMS_HISTORY_SIZE";
        }
        if (!name.startsWith(ROOMS)) {
            return "; docs/configuration.md lists the settings";
        }
        return roomSettings(known)
                .map(setting -> setting.substring(1))
                .sorted()
                .collect(Collectors.joining(", ", "; the settings of a pattern are ", ""));
    }

    /** Lists what can be set for some rooms, such as {@code .history.size}. */
    private static Stream<String> roomSettings(Set<String> known) {
        return known.stream()
                .filter(key -> key.startsWith(ROOMS))
                .map(key -> key.substring(ROOMS.length() + PATTERN.length()));
    }

    /** Puts the pattern of a setting in quotes, if it has dots and is not in quotes. */
    private static Optional<String> quoted(String name, Set<String> known) {
        if (!name.startsWith(ROOMS) || name.indexOf('"') >= 0) {
            return Optional.empty();
        }
        return roomSettings(known)
                .filter(name::endsWith)
                .map(
                        setting -> {
                            int end = name.length() - setting.length();
                            return ROOMS
                                    + '"'
                                    + name.substring(ROOMS.length(), end)
                                    + '"'
                                    + setting;
                        })
                .findFirst();
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
