package dev.parley.testsupport;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithName;
import io.smallrye.config.WithParentName;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Lists Parley's settings, which it reads from the configuration mappings in the code. */
public final class ConfigKeys {

    private ConfigKeys() {}

    /**
     * A setting and its default.
     *
     * @param name such as {@code parley.history.size}, or {@code
     *     parley.rooms."PATTERN".history.size}
     * @param defaultValue as written in the code; empty if there is none
     */
    public record Key(String name, Optional<String> defaultValue) {

        /**
         * The name that Quarkus maps to it (MicroProfile Config, "Environment Variables Mapping
         * Rules").
         */
        public String environmentVariable() {
            return name.replaceAll("[^A-Za-z0-9]", "_").toUpperCase(Locale.ROOT);
        }
    }

    /** All settings. */
    public static List<Key> all() {
        return new ClassFileImporter()
                        .withImportOption(new ImportOption.DoNotIncludeTests())
                        .importPackages("dev.parley")
                        .stream()
                        .filter(type -> type.isAnnotatedWith(ConfigMapping.class))
                        .flatMap(type -> keys(type.reflect()))
                        .toList();
    }

    private static Stream<Key> keys(Class<?> mapping) {
        String prefix = mapping.getAnnotation(ConfigMapping.class).prefix();
        return keys(mapping, prefix);
    }

    private static Stream<Key> keys(Class<?> group, String prefix) {
        return Stream.of(group.getDeclaredMethods())
                .flatMap(
                        method ->
                                group(method)
                                        .map(nested -> keys(nested, name(prefix, method)))
                                        .orElseGet(() -> Stream.of(key(prefix, method))));
    }

    /** Returns the interface of the settings whose names begin with that of this method. */
    private static Optional<Class<?>> group(Method method) {
        Class<?> type = method.getReturnType();
        if (method.getGenericReturnType() instanceof ParameterizedType map && type == Map.class) {
            type = (Class<?>) map.getActualTypeArguments()[1];
        }
        return Optional.<Class<?>>of(type)
                .filter(Class::isInterface)
                .filter(any -> any.getEnclosingClass() != null)
                .filter(any -> any.getEnclosingClass().isAnnotationPresent(ConfigMapping.class));
    }

    private static String name(String prefix, Method method) {
        if (method.isAnnotationPresent(WithParentName.class)) {
            return prefix + ".\"PATTERN\"";
        }
        String name =
                Optional.ofNullable(method.getAnnotation(WithName.class))
                        .map(WithName::value)
                        .orElseGet(() -> kebabCase(method.getName()));
        if (method.getReturnType() != Map.class) {
            return prefix + "." + name;
        }
        String any = name.equals("issuers") ? "NAME" : "\"GROUP\"";
        return prefix + "." + name + "." + (group(method).isPresent() ? any : "*");
    }

    private static String kebabCase(String name) {
        return name.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    private static Key key(String prefix, Method method) {
        return new Key(
                name(prefix, method),
                Optional.ofNullable(method.getAnnotation(WithDefault.class))
                        .map(WithDefault::value));
    }
}
