package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.ops.StrictModel.ScaledObject;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.autoscaling.v2.PodsMetricSource;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An autoscaler alone sets the number of pods, by the gauge of connected clients, and applying the
 * manifests never takes pods away from it.
 */
final class AutoscalingTest {
    private static final String GAUGE = "parley_connected_clients";

    private static final String OVERLAY =
            """
            namespace: parley
            resources: [../../base, ../../redis]
            secretGenerator: [{name: parley-redis, envs: [redis-passwords.env]}]
            """;

    private static final String COMPONENT = "components: [../../components/%s]%n";

    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void overlayWithAutoscaler_hasOneAndSetsNoNumberOfPods(Manifests manifests) {
        List<Integer> minimums = minimums(manifests);

        assertThat(minimums).hasSizeLessThanOrEqualTo(1);
        if (!minimums.isEmpty()) {
            assertThat(replicas(manifests)).isNull();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"hpa", "keda"})
    void autoscaler_addedToARunningInstallation_leavesItsPods(String component) {
        Manifests before = Manifests.overlay("before", OVERLAY);
        Manifests after = Manifests.overlay("after", OVERLAY + COMPONENT.formatted(component));
        int running = 5;

        int pods = podsAfterApply(replicas(before), running, replicas(after));

        assertThat(minimums(after)).singleElement().isEqualTo(3);
        assertThat(pods).isEqualTo(running);
    }

    @ParameterizedTest
    @ValueSource(strings = {"hpa", "keda"})
    void everyLaterApply_leavesThePodsOfTheAutoscaler(String component) {
        Manifests manifests = Manifests.overlay("scaled", OVERLAY + COMPONENT.formatted(component));
        int running = 17;

        assertThat(podsAfterApply(replicas(manifests), running, replicas(manifests)))
                .isEqualTo(running);
    }

    @Test
    void overlayWithoutAutoscaler_setsTheNumberOfPodsWithReplicas() {
        Manifests manifests =
                Manifests.overlay("fixed", OVERLAY + "replicas: [{name: parley, count: 5}]\n");

        assertThat(replicas(manifests)).isEqualTo(5);
        assertThat(manifests.one(StatefulSet.class, "parley-redis").getSpec().getReplicas())
                .isEqualTo(1);
    }

    @Test
    void horizontalPodAutoscaler_aimsAtHalfTheConnectionLimit() {
        Manifests manifests = Manifests.named("overlays/production");
        HorizontalPodAutoscaler autoscaler = manifests.one(HorizontalPodAutoscaler.class, "parley");
        PodsMetricSource metric = autoscaler.getSpec().getMetrics().get(0).getPods();

        assertThat(autoscaler.getSpec().getMinReplicas()).isGreaterThanOrEqualTo(3);
        manifests.one(Deployment.class, autoscaler.getSpec().getScaleTargetRef().getName());
        assertThat(metric.getMetric().getName()).isEqualTo(GAUGE);
        assertThat(metric.getTarget().getAverageValue().getAmount())
                .isEqualTo(halfTheLimit(manifests));
    }

    @Test
    void prometheusAdapter_publishesTheMetricThatTheAutoscalerReads() {
        var values =
                Manifests.yaml(
                        Manifests.ROOT.resolve("components/hpa/prometheus-adapter-values.yaml"));
        var rule = values.at("/rules/custom/0");

        assertThat(rule.at("/name/as").asText()).isEqualTo(GAUGE);
        assertThat(rule.at("/seriesQuery").asText()).startsWith(GAUGE + "{");
    }

    @Test
    void scaledObject_aimsAtHalfTheConnectionLimit() {
        Manifests manifests = Manifests.named("tests/keda");
        ScaledObject.Spec spec = manifests.one(ScaledObject.class, "parley").getSpec();
        Map<String, String> trigger = spec.triggers().get(0).metadata();
        Deployment deployment = manifests.one(Deployment.class, spec.scaleTargetRef().name());

        assertThat(trigger).containsEntry("threshold", halfTheLimit(manifests));
        assertThat(trigger.get("query"))
                .contains(GAUGE)
                .contains("namespace=\"" + deployment.getMetadata().getNamespace() + "\"");
    }

    /**
     * The number of pods after {@code kubectl apply}, which compares three things: a number in the
     * new manifest is set; a number that the manifest applied last had and the new one has not is
     * removed, and Kubernetes then takes its default, 1; otherwise the number stays as it is.
     */
    private static int podsAfterApply(
            @Nullable Integer appliedLast, int running, @Nullable Integer applied) {
        if (applied != null) {
            return applied;
        }
        return appliedLast == null ? running : 1;
    }

    private static @Nullable Integer replicas(Manifests manifests) {
        return manifests.one(Deployment.class, "parley").getSpec().getReplicas();
    }

    private static List<Integer> minimums(Manifests manifests) {
        return Stream.concat(
                        manifests.all(HorizontalPodAutoscaler.class).stream()
                                .map(autoscaler -> autoscaler.getSpec().getMinReplicas()),
                        manifests.all(ScaledObject.class).stream()
                                .map(autoscaler -> autoscaler.getSpec().minReplicaCount()))
                .toList();
    }

    private static String halfTheLimit(Manifests manifests) {
        Deployment parley = manifests.one(Deployment.class, "parley");
        var container = parley.getSpec().getTemplate().getSpec().getContainers().get(0);
        String limit = manifests.environment(container).get("PARLEY_LIMITS_CONNECTIONS");
        return String.valueOf(Integer.parseInt(limit) / 2);
    }
}
