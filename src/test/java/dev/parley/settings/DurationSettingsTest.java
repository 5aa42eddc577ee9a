package dev.parley.settings;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.smallrye.config.ConfigMapping;
import jakarta.validation.ConstraintViolation;
import jakarta.validation.Validation;
import jakarta.validation.ValidatorFactory;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.hibernate.validator.messageinterpolation.ParameterMessageInterpolator;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every duration among the settings has an upper bound. Many are counted in nanoseconds, of which a
 * number has room for 292 years: a longer one would be accepted, and fail where it is used.
 */
final class DurationSettingsTest {

    private static final Duration LONGEST = Duration.ofDays(36_500);

    @AutoClose
    private final ValidatorFactory validators =
            Validation.byDefaultProvider()
                    .configure()
                    .messageInterpolator(new ParameterMessageInterpolator())
                    .buildValidatorFactory();

    static Stream<Method> durations() {
        return new ClassFileImporter()
                        .withImportOption(new ImportOption.DoNotIncludeTests())
                        .importPackages("dev.parley")
                        .stream()
                        .filter(type -> isOfAMapping(type.reflect()))
                        .flatMap(type -> Stream.of(type.reflect().getDeclaredMethods()))
                        .filter(
                                method ->
                                        method.getGenericReturnType()
                                                .getTypeName()
                                                .contains(Duration.class.getName()));
    }

    private static boolean isOfAMapping(Class<?> type) {
        return type.isAnnotationPresent(ConfigMapping.class)
                || (type.getEnclosingClass() != null && isOfAMapping(type.getEnclosingClass()));
    }

    @ParameterizedTest
    @MethodSource("durations")
    void longerDuration_isRefused_withTheBound(Method setting) {
        assertThat(problems(setting, LONGEST.plusNanos(1)))
                .singleElement()
                .asString()
                .startsWith("must be shorter than");
    }

    @ParameterizedTest
    @MethodSource("durations")
    void longestDuration_isAccepted_unlessTheSettingHasALowerBound(Method setting) {
        boolean isShort = setting.getName().equals("clockSkew");
        assertThat(problems(setting, LONGEST)).hasSize(isShort ? 1 : 0);
    }

    private Set<String> problems(Method setting, Duration value) {
        Class<?> type = setting.getDeclaringClass();
        Object mapping =
                Proxy.newProxyInstance(
                        type.getClassLoader(), new Class<?>[] {type}, (proxy, method, args) -> 0);
        Object returned = setting.getReturnType() == Optional.class ? Optional.of(value) : value;
        return validators
                .getValidator()
                .forExecutables()
                .validateReturnValue(mapping, setting, returned)
                .stream()
                .map(ConstraintViolation::getMessage)
                .collect(toSet());
    }
}
