package dev.parley;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import dev.parley.testsupport.TextFiles;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.config.ConfigMapping;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What a native executable lacks unless the build names it: files that the program reads, and
 * classes whose methods it looks up.
 */
@AnalyzeClasses(packages = "dev.parley", importOptions = DoNotIncludeTests.class)
class NativeImageTest {

    private static final Path RESOURCES = Path.of("src", "main", "resources");

    @ArchTest
    static void filesThatTheProgramReads_areNamed(JavaClasses ignored) throws IOException {
        var settings = new Properties();
        try (Reader reader = Files.newBufferedReader(RESOURCES.resolve("application.properties"))) {
            settings.load(reader);
        }
        List<PathMatcher> named =
                Stream.of(settings.getProperty("quarkus.native.resources.includes").split(","))
                        .map(glob -> FileSystems.getDefault().getPathMatcher("glob:" + glob))
                        .toList();

        assertThat(TextFiles.below(RESOURCES, ".lua"))
                .isNotEmpty()
                .allSatisfy(
                        file ->
                                assertThat(named)
                                        .anyMatch(
                                                glob -> glob.matches(RESOURCES.relativize(file))));
    }

    @ArchTest
    static void settings_areRegisteredWithAllTheirGroups(JavaClasses classes) {
        Set<String> mappings =
                classes.stream()
                        .filter(one -> one.isAnnotatedWith(ConfigMapping.class))
                        .map(JavaClass::getName)
                        .collect(toSet());
        Set<String> registered =
                Stream.of(
                                UnknownSettings.class
                                        .getAnnotation(RegisterForReflection.class)
                                        .targets())
                        .map(Class::getName)
                        .collect(toSet());

        assertThat(registered).isNotEmpty().isEqualTo(mappings);
        assertThat(classes)
                .filteredOn(
                        one ->
                                one.getEnclosingClass()
                                                .filter(in -> mappings.contains(in.getName()))
                                                .isPresent()
                                        && one.isInterface())
                .isNotEmpty()
                .allMatch(
                        group -> group.isAnnotatedWith(RegisterForReflection.class),
                        "is registered");
    }
}
