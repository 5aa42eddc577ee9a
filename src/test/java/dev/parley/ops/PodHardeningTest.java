package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.parley.ops.Manifests.Pods;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.SecurityContext;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every pod has only the rights that it needs, in a namespace that refuses other pods. */
final class PodHardeningTest {
    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void pod_runsAsNumericUserWithoutToken(Manifests manifests) {
        for (Pods pods : manifests.pods()) {
            PodSecurityContext security = pods.spec().getSecurityContext();

            assertThat(security.getRunAsNonRoot()).isTrue();
            assertThat(security.getRunAsUser()).isPositive();
            assertThat(security.getRunAsGroup()).isPositive();
            assertThat(security.getSeccompProfile().getType()).isEqualTo("RuntimeDefault");
            assertThat(pods.spec().getAutomountServiceAccountToken()).isFalse();
            assertThat(pods.spec().getEnableServiceLinks()).isFalse();
        }
    }

    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void container_cannotGainPrivilegesOrWriteItsImage(Manifests manifests) {
        for (Pods pods : manifests.pods()) {
            for (Container container : pods.containers()) {
                SecurityContext security = container.getSecurityContext();

                assertThat(security.getAllowPrivilegeEscalation()).isFalse();
                assertThat(security.getPrivileged()).isFalse();
                assertThat(security.getReadOnlyRootFilesystem()).isTrue();
                assertThat(security.getCapabilities().getDrop()).containsExactly("ALL");
                assertThat(security.getCapabilities().getAdd()).isEmpty();
                assertThat(security.getRunAsUser()).as("set for the whole pod").isNull();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void container_hasRequestsAndAMemoryLimitButNoCpuLimit(Manifests manifests) {
        for (Pods pods : manifests.pods()) {
            for (Container container : pods.containers()) {
                assertThat(container.getResources().getRequests())
                        .containsOnlyKeys("cpu", "memory");
                assertThat(container.getResources().getLimits()).containsOnlyKeys("memory");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void image_isPinned(Manifests manifests) {
        for (Pods pods : manifests.pods()) {
            assertThat(pods.containers())
                    .allSatisfy(
                            c ->
                                    assertThat(c.getImage())
                                            .matches(".+:v?\\d+\\.\\d+\\.\\d+.*|.+@sha256:.+"));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void namespace_comesFirstAndIsRestricted(Manifests manifests) {
        JsonNode first = manifests.documents().get(0);
        Namespace namespace = manifests.all(Namespace.class).get(0);

        assertThat(first.path("kind").asText()).isEqualTo("Namespace");
        assertThat(namespace.getMetadata().getLabels())
                .containsAllEntriesOf(Map.of("pod-security.kubernetes.io/enforce", "restricted"));
    }

    @Test
    void images_canBeNamedByDigest() {
        assertThat(Manifests.named("tests/hpa").pods())
                .flatExtracting(Pods::containers)
                .extracting(Container::getImage)
                .hasSize(2)
                .allMatch(image -> image.matches("[^:@]+@sha256:[0-9a-f]{64}"));
    }
}
