package dev.parley;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.parley.broker.Broker;
import dev.parley.delivery.Connection;
import dev.parley.delivery.EventLoop;
import dev.parley.delivery.Hub;
import dev.parley.delivery.SubscribeRequest;
import dev.parley.log.OpenRooms;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.TimeMeter;
import jakarta.inject.Inject;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.NullMarked;

/**
 * Which package may import which. {@link #ALLOWED} is the whole list; docs/architecture.md shows it
 * as a picture.
 */
@AnalyzeClasses(packages = "dev.parley", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {

    /** For each package those that it may import; what is not listed is forbidden. */
    static final Map<String, Set<String>> ALLOWED =
            Map.ofEntries(
                    Map.entry("message", Set.of()),
                    Map.entry("retry", Set.of()),
                    Map.entry("dns", Set.of()),
                    Map.entry("settings", Set.of("message")),
                    Map.entry(
                            "access",
                            Set.of(
                                    "http",
                                    "delivery",
                                    "broker",
                                    "dns",
                                    "message",
                                    "retry",
                                    "settings")),
                    Map.entry("access.memory", Set.of("access")),
                    Map.entry("access.redis", Set.of("access", "broker", "redis")),
                    Map.entry("redis", Set.of("dns", "retry")),
                    Map.entry("broker", Set.of("message", "settings")),
                    Map.entry("broker.memory", Set.of("broker", "message", "settings")),
                    Map.entry("broker.redis", Set.of("broker", "message", "redis")),
                    Map.entry("log", Set.of("broker", "message", "retry", "settings")),
                    Map.entry("delivery", Set.of("log", "broker", "message", "retry")),
                    Map.entry("http", Set.of("broker", "delivery", "message", "settings")),
                    Map.entry("sse", Set.of("http", "delivery", "log", "message", "retry")),
                    Map.entry("publish", Set.of("access", "http", "broker", "message", "settings")),
                    Map.entry(
                            "events",
                            Set.of("access", "http", "sse", "delivery", "log", "message")),
                    Map.entry("history", Set.of("access", "http", "broker", "message")),
                    Map.entry("clock", Set.of("http", "sse", "delivery", "retry")),
                    Map.entry("cli", Set.of("access", "message")),
                    Map.entry("ops", Set.of("http", "delivery", "broker")),
                    Map.entry("training", Set.of()));

    private static final String JAX_RS = "jakarta.ws.rs..";
    private static final String NETTY = "io.netty..";
    private static final String[] CALLS_AND_EDGE = {
        "dev.parley.publish..",
        "dev.parley.events..",
        "dev.parley.history..",
        "dev.parley.clock..",
        "dev.parley.access..",
        "dev.parley.http.."
    };

    @ArchTest
    static void packages_importOnlyWhatIsListed(JavaClasses classes) {
        Set<String> forbidden = new TreeSet<>();
        Set<String> unused = new TreeSet<>();
        ALLOWED.forEach((from, tos) -> tos.forEach(to -> unused.add(from + " -> " + to)));
        for (JavaClass from : classes) {
            String importing = name(from);
            for (JavaClass to : imported(from)) {
                String arrow = importing + " -> " + name(to);
                unused.remove(arrow);
                if (!importing.isEmpty()
                        && !importing.equals(name(to))
                        && !ALLOWED.getOrDefault(importing, Set.of()).contains(name(to))) {
                    forbidden.add(arrow + " (" + from.getSimpleName() + ")");
                }
            }
        }

        assertThat(forbidden).as("imports that are not allowed").isEmpty();
        assertThat(unused).as("imports that are allowed, but not there").isEmpty();
    }

    @ArchTest
    static final ArchRule message_dependsOnTheJdkAndJsonAlone =
            noClasses()
                    .that()
                    .resideInAPackage("dev.parley.message..")
                    .should()
                    .dependOnClassesThat(
                            not(
                                    resideInAnyPackage(
                                            "dev.parley.message..",
                                            "java..",
                                            "com.fasterxml.jackson.core..",
                                            "org.jspecify.annotations..")));

    @ArchTest
    static final ArchRule redisClient_isKnownToTheRedisPackagesAndTheWiringAlone =
            noClasses()
                    .that()
                    .resideOutsideOfPackages(
                            "dev.parley.access.redis..",
                            "dev.parley.broker.redis..",
                            "dev.parley.redis..")
                    .and()
                    .doNotHaveFullyQualifiedName("dev.parley.Wiring")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage("io.quarkus.redis..", "io.vertx.redis..");

    @ArchTest
    static final ArchRule jaxRs_isKnownToTheCallsAndTheEdgeAlone =
            noClasses()
                    .that()
                    .resideOutsideOfPackages(CALLS_AND_EDGE)
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage(JAX_RS);

    @ArchTest
    static final ArchRule logAndDelivery_knowNoTransport =
            noClasses()
                    .that()
                    .resideInAnyPackage("dev.parley.log..", "dev.parley.delivery..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(NETTY, "io.vertx..", JAX_RS);

    /** Rights are checked in one place, which the calls cannot go around. */
    @ArchTest
    static final ArchRule calls_reachRoomsThroughAuthorizedRoomsAlone =
            noClasses()
                    .that()
                    .resideInAnyPackage(
                            "dev.parley.publish..",
                            "dev.parley.events..",
                            "dev.parley.history..",
                            "dev.parley.clock..",
                            "dev.parley.http..",
                            "dev.parley.cli..")
                    .should()
                    .dependOnClassesThat(assignableTo(Broker.class).or(type(OpenRooms.class)))
                    .orShould()
                    .callMethod(
                            Hub.class,
                            "subscribe",
                            SubscribeRequest.class,
                            Connection.class,
                            EventLoop.class);

    /** A denial that is audited is also counted, under the same word. */
    @ArchTest
    static final ArchRule denials_areNotedInOnePlace =
            noClasses()
                    .that()
                    .doNotHaveFullyQualifiedName("dev.parley.access.Denials")
                    .should()
                    .callMethodWhere(
                            describe(
                                    "AuditLog.denied",
                                    call ->
                                            call.getTargetOwner().getSimpleName().equals("AuditLog")
                                                    && call.getName().equals("denied")));

    /** A clock may be set: back by an hour, it would stop for an hour what is to go on by it. */
    @ArchTest
    static final ArchRule elapsedTime_isNotMeasuredByTheTimeOfDay =
            noClasses()
                    .should()
                    .accessField(TimeMeter.class, "SYSTEM_MILLISECONDS")
                    .orShould()
                    .callMethod(System.class, "currentTimeMillis");

    /** Its default for the time is {@link TimeMeter#SYSTEM_MILLISECONDS}. */
    @ArchTest
    static final ArchRule buckets_areMadeInOnePlace =
            noClasses()
                    .that()
                    .doNotHaveFullyQualifiedName("dev.parley.http.TokenBuckets")
                    .should()
                    .callMethod(Bucket.class, "builder");

    @ArchTest
    static final ArchRule packages_haveNoCycles =
            slices().matching("dev.parley.(**)").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule collaborators_comeThroughConstructors =
            fields().should()
                    .notBeAnnotatedWith(Inject.class)
                    .andShould()
                    .notBeAnnotatedWith(ConfigProperty.class);

    @ArchTest
    static void everyPackage_excludesNullByDefault(JavaClasses classes) {
        JavaPackage root = classes.getPackage("dev.parley");

        assertThat(root.getSubpackagesInTree().stream().filter(p -> !p.getClasses().isEmpty()))
                .isNotEmpty()
                .allMatch(
                        p -> p.isAnnotatedWith(NullMarked.class), "has a @NullMarked package-info");
        assertThat(root.isAnnotatedWith(NullMarked.class)).as("dev.parley is @NullMarked").isTrue();
    }

    @ArchTest
    static void everyPackage_isListed(JavaClasses classes) {
        Set<String> packages = new TreeSet<>();
        classes.forEach(one -> packages.add(name(one)));
        packages.remove("");

        assertThat(ALLOWED.keySet()).containsExactlyInAnyOrderElementsOf(List.copyOf(packages));
    }

    private static Set<JavaClass> imported(JavaClass from) {
        Set<JavaClass> imported = new LinkedHashSet<>();
        from.getDirectDependenciesFromSelf()
                .forEach(dependency -> imported.add(dependency.getTargetClass()));
        imported.removeIf(
                to ->
                        !to.getPackageName().startsWith("dev.parley")
                                || to.getPackageName().equals("dev.parley"));
        return imported;
    }

    /** The package below dev.parley; empty for the program itself. */
    private static String name(JavaClass one) {
        String whole = one.getPackageName();
        return whole.equals("dev.parley") ? "" : whole.substring("dev.parley.".length());
    }
}
