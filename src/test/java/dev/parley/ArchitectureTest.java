package dev.parley;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import jakarta.inject.Inject;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.NullMarked;

/** Who may know whom. */
@AnalyzeClasses(packages = "dev.parley", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {

    private static final String[] REDIS = {"io.quarkus.redis..", "io.vertx.redis.."};
    private static final String JAX_RS = "jakarta.ws.rs..";

    @ArchTest
    static final ArchRule message_dependsOnTheJdkAlone =
            noClasses()
                    .that()
                    .resideInAPackage("dev.parley.message..")
                    .should()
                    .dependOnClassesThat(
                            not(
                                    resideInAnyPackage(
                                            "dev.parley.message..",
                                            "java..",
                                            "org.jspecify.annotations..")));

    @ArchTest
    static final ArchRule redis_isKnownToItsBrokerAndTheWiringAlone =
            noClasses()
                    .that()
                    .resideOutsideOfPackages("dev.parley.broker.redis..", "dev.parley.redis..")
                    .and()
                    .doNotHaveFullyQualifiedName("dev.parley.Wiring")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(REDIS);

    @ArchTest
    static final ArchRule jaxRs_isKnownToResourcesAndErrorMappingAlone =
            noClasses()
                    .that()
                    .resideOutsideOfPackages(
                            "dev.parley.publish..",
                            "dev.parley.events..",
                            "dev.parley.history..",
                            "dev.parley.clock..",
                            "dev.parley.http..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage(JAX_RS);

    @ArchTest
    static final ArchRule hub_knowsNeitherRedisNorHttp =
            noClasses()
                    .that()
                    .resideInAPackage("dev.parley.delivery..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(
                            "io.quarkus.redis..",
                            "io.vertx..",
                            "dev.parley.broker.redis..",
                            "dev.parley.broker.memory..",
                            JAX_RS);

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
}
