package dev.parley.testsupport;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.lang.reflect.Method;
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
     * @param name such as {@code parley.history.size}
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
        return Stream.of(mapping.getDeclaredMethods()).map(method -> key(prefix, method));
    }

    private static Key key(String prefix, Method method) {
        String name = method.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
        name += method.getReturnType() == Map.class ? ".*" : "";
        return new Key(
                prefix + "." + name,
                Optional.ofNullable(method.getAnnotation(WithDefault.class))
                        .map(WithDefault::value));
    }
}
