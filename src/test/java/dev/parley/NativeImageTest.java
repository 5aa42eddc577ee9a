package dev.parley;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.domain.JavaParameterizedType;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.parley.testsupport.TextFiles;
import io.netty.handler.ssl.SslContext;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.config.ConfigMapping;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.Reader;
import java.net.InetAddress;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * What a native executable lacks unless the build names it: files that the program reads, and
 * classes whose methods it looks up. And what must not be in it.
 */
@AnalyzeClasses(packages = "dev.parley", importOptions = DoNotIncludeTests.class)
class NativeImageTest {

    private static final Path RESOURCES = Path.of("src", "main", "resources");

    /** Classes that tell of the process, its settings, its time or its machine. */
    private static final DescribedPredicate<JavaClass> OF_THE_PROCESS =
            resideInAnyPackage("org.eclipse.microprofile.config..", "io.smallrye.config..")
                    .or(assignableTo(System.class))
                    .or(assignableTo(Runtime.class))
                    .or(assignableTo(ProcessHandle.class))
                    .or(assignableTo(Random.class))
                    .or(assignableTo(UUID.class))
                    .or(assignableTo(InetAddress.class))
                    .or(assignableTo(Clock.class))
                    .or(assignableTo(Instant.class));

    /** Their methods whose result is the same everywhere. */
    private static final Set<String> OF_ANY_PROCESS = Set.of("arraycopy", "ofEpochSecond");

    /** Services whose providers the framework looks up when it builds the program. */
    private static final PathMatcher OF_THE_FRAMEWORK =
            glob("{io.smallrye.config,org.eclipse.microprofile.config.spi}.*");

    @ArchTest
    static void filesThatTheProgramReads_areNamed(JavaClasses ignored) throws IOException {
        List<PathMatcher> named = named();

        assertThat(TextFiles.below(RESOURCES, ".lua"))
                .isNotEmpty()
                .allSatisfy(
                        file ->
                                assertThat(named)
                                        .anyMatch(
                                                glob -> glob.matches(RESOURCES.relativize(file))));
    }

    /** Their values would be those of the machine that builds the executable. */
    @ArchTest
    static void initializersOfClasses_readNeitherSettingsNorSystem(JavaClasses classes) {
        List<String> faults =
                classes.stream()
                        .flatMap(one -> one.getStaticInitializer().stream())
                        .flatMap(start -> reachable(start).stream())
                        .flatMap(unit -> unit.getMethodCallsFromSelf().stream())
                        .filter(call -> OF_THE_PROCESS.test(call.getTargetOwner()))
                        .filter(call -> !OF_ANY_PROCESS.contains(call.getName()))
                        .map(JavaMethodCall::getDescription)
                        .distinct()
                        .toList();

        assertThat(faults).isEmpty();
    }

    /** Returns what code calls in this program, with that code itself. */
    private static Set<JavaCodeUnit> reachable(JavaCodeUnit start) {
        Set<JavaCodeUnit> found = new HashSet<>();
        Deque<JavaCodeUnit> next = new ArrayDeque<>(List.of(start));
        while (!next.isEmpty()) {
            JavaCodeUnit unit = next.remove();
            if (found.add(unit)) {
                unit.getCallsFromSelf().stream()
                        .flatMap(call -> call.getTarget().resolveMember().stream())
                        .filter(JavaCodeUnit.class::isInstance)
                        .map(JavaCodeUnit.class::cast)
                        .filter(
                                called ->
                                        called.getOwner().getPackageName().startsWith("dev.parley"))
                        .forEach(next::add);
            }
        }
        return found;
    }

    /** On a JVM the program and the framework set these before the classes that read them. */
    @ArchTest
    static void systemPropertiesOfTheStart_areSetWhenTheExecutableIsBuilt(JavaClasses ignored)
            throws IOException {
        assertThat(setting("quarkus.native.additional-build-args"))
                .filteredOn(argument -> argument.startsWith("-J"))
                .containsExactlyInAnyOrder(
                        "-J-Dvertx.disableURIValidation=true", "-J-Dvertx.disableWebsockets=true");
    }

    /**
     * Without this bound it would be 80 %, and the kernel would end the pod before the heap is
     * full.
     */
    @ArchTest
    static void heapOfTheExecutable_hasTheShareThatItHasInTheJvmImage(JavaClasses ignored)
            throws IOException {
        assertThat(Files.readAllLines(Path.of("src", "main", "docker", "jvm.options")))
                .contains("-XX:MaxRAMPercentage=50");
        assertThat(setting("quarkus.native.additional-build-args"))
                .contains("-R:MaximumHeapSizePercent=50");
    }

    /** Otherwise it would keep its readers, and rooms that were being changed would be broken. */
    @ArchTest
    static void executableWhoseHeapIsFull_ends_asTheJvmInTheImageDoes(JavaClasses ignored)
            throws IOException {
        assertThat(Files.readAllLines(Path.of("src", "main", "docker", "jvm.options")))
                .contains("-XX:+ExitOnOutOfMemoryError");
        assertThat(setting("quarkus.native.additional-build-args"))
                .contains("-R:+ExitOnOutOfMemoryError");
    }

    /**
     * Otherwise the JDK's 30 s would be part of the executable, and a Redis that comes back under
     * another address would not be found for that long.
     */
    @ArchTest
    static void howLongAnAddressIsKept_isReadAtTheStart(JavaClasses ignored) throws IOException {
        assertThat(setting("quarkus.native.additional-build-args"))
                .contains("--initialize-at-run-time=sun.net.InetAddressCachePolicy");
    }

    /** Without its file a service is not found, and nothing says so. */
    @ArchTest
    static void servicesOfTheLibraries_areNamedAndRegistered(JavaClasses classes)
            throws IOException {
        Path services = RESOURCES.resolve(Path.of("META-INF", "services"));
        try (Stream<Path> files = Files.list(services)) {
            assertThat(files)
                    .filteredOn(file -> !OF_THE_FRAMEWORK.matches(file.getFileName()))
                    .isNotEmpty()
                    .allSatisfy(
                            file -> {
                                assertThat(named())
                                        .anyMatch(glob -> glob.matches(RESOURCES.relativize(file)));
                                assertThat(Files.readAllLines(file))
                                        .allMatch(
                                                provider ->
                                                        classes.get(provider)
                                                                .isAnnotatedWith(
                                                                        RegisterForReflection
                                                                                .class),
                                                "is registered");
                            });
        }
    }

    /**
     * Constants are made when a native executable is built. The build fails if one is of a class
     * that the framework initializes only at run time, or that has no meaning in another process.
     */
    @ArchTest
    static final ArchRule constants_canBeMadeWhenTheExecutableIsBuilt =
            noFields()
                    .that()
                    .areStatic()
                    .and()
                    .areFinal()
                    .should()
                    .haveRawType(
                            resideInAnyPackage("io.netty.buffer..", "io.netty.channel.epoll..")
                                    .or(assignableTo(Random.class))
                                    .or(assignableTo(RandomGenerator.class))
                                    .or(assignableTo(Thread.class))
                                    .or(assignableTo(ExecutorService.class))
                                    .or(assignableTo(FileDescriptor.class))
                                    .or(assignableTo(Inflater.class))
                                    .or(assignableTo(Deflater.class)));

    /**
     * An executable is linked to all that can be called, and the build fails at what is missing. A
     * JVM would only notice when it is called.
     */
    @ArchTest
    static void brotli_hasWhatNettyCalls(JavaClasses ignored) {
        JavaClasses libraries =
                new ClassFileImporter()
                        .importPackages(
                                "io.netty.handler.codec.compression", "com.aayushatharva.brotli4j");
        List<JavaMethodCall> calls =
                libraries.stream()
                        .filter(one -> one.getPackageName().startsWith("io.netty"))
                        .flatMap(one -> one.getMethodCallsFromSelf().stream())
                        .filter(call -> call.getTargetOwner().getPackageName().contains("brotli"))
                        .toList();

        assertThat(calls).isNotEmpty();
        assertThat(calls).filteredOn(call -> call.getTarget().resolveMember().isEmpty()).isEmpty();
    }

    /** What makes TLS contexts also refers to OpenSSL, whose classes are absent. */
    @ArchTest
    static void tlsContexts_areMadeByTheJdkAlone(JavaClasses ignored)
            throws ClassNotFoundException {
        List<Class<?>> replacements =
                List.of(
                        Class.forName("dev.parley.http.Target_io_netty_handler_ssl_SslContext"),
                        Class.forName(
                                "io.quarkus.netty.runtime.graal.Target_io_netty_handler_ssl_SslContext"));
        Set<List<Class<?>>> replaced =
                replacements.stream()
                        .flatMap(one -> Stream.of(one.getDeclaredMethods()))
                        .map(method -> List.of(method.getParameterTypes()))
                        .collect(toSet());

        assertThat(SslContext.class.getDeclaredMethods())
                .filteredOn(method -> method.getName().endsWith("ContextInternal"))
                .hasSizeGreaterThan(1)
                .allMatch(
                        method -> replaced.contains(List.of(method.getParameterTypes())),
                        "is replaced");
    }

    /**
     * An executable interprets the {@code equals} and {@code hashCode} that the compiler gives to a
     * record: a call takes ten to thirty microseconds. So a record that is a key has its own.
     */
    @ArchTest
    static void keys_compareThemselves(JavaClasses classes) {
        Set<JavaClass> keys =
                classes.stream()
                        .flatMap(one -> one.getFields().stream())
                        .flatMap(field -> keys(field.getType()))
                        .filter(key -> key.getPackageName().startsWith("dev.parley"))
                        .flatMap(
                                key ->
                                        Stream.concat(
                                                Stream.of(key), key.getAllSubclasses().stream()))
                        .filter(JavaClass::isRecord)
                        .collect(toSet());

        assertThat(keys)
                .extracting(JavaClass::getSimpleName)
                .contains("Room", "NettyEventLoop", "NodeAddress");
        assertThat(keys).allMatch(NativeImageTest::comparesItself, "compares itself");
    }

    /** Returns what a map or a set has as its keys, and what each map or set within it has. */
    private static Stream<JavaClass> keys(JavaType type) {
        if (!(type instanceof JavaParameterizedType parameterized)) {
            return Stream.empty();
        }
        List<JavaType> arguments = parameterized.getActualTypeArguments();
        JavaClass container = type.toErasure();
        Stream<JavaClass> own =
                container.isAssignableTo(Map.class) || container.isAssignableTo(Set.class)
                        ? Stream.of(arguments.get(0).toErasure())
                        : Stream.empty();
        return Stream.concat(own, arguments.stream().flatMap(NativeImageTest::keys));
    }

    /** What the compiler gives to a record calls no method of a class. */
    private static boolean comparesItself(JavaClass one) {
        return !one.getMethod("equals", Object.class).getMethodCallsFromSelf().isEmpty()
                && !one.getMethod("hashCode").getMethodCallsFromSelf().isEmpty();
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

    /** What the build adds to a native executable. */
    private static List<PathMatcher> named() throws IOException {
        return setting("quarkus.native.resources.includes").map(NativeImageTest::glob).toList();
    }

    private static Stream<String> setting(String name) throws IOException {
        var settings = new Properties();
        try (Reader reader = Files.newBufferedReader(RESOURCES.resolve("application.properties"))) {
            settings.load(reader);
        }
        return Stream.of(settings.getProperty(name).split(",", -1));
    }

    private static PathMatcher glob(String pattern) {
        return FileSystems.getDefault().getPathMatcher("glob:" + pattern);
    }
}
