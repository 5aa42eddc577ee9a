package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.autoscaling.v2.PodsMetricSource;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The autoscalers steer the Deployment, alone, by the gauge of connected clients. */
final class AutoscalingTest {
    private static final String GAUGE = "parley_connected_clients";

    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void autoscaler_ownsTheNumberOfPods(Manifests manifests) {
        int autoscalers =
                manifests.all(HorizontalPodAutoscaler.class).size()
                        + manifests.all(ScaledObject.class).size();
        Integer replicas = manifests.one(Deployment.class, "parley").getSpec().getReplicas();

        assertThat(autoscalers).isLessThanOrEqualTo(1);
        assertThat(replicas == null).isEqualTo(autoscalers == 1);
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

    private static String halfTheLimit(Manifests manifests) {
        Deployment parley = manifests.one(Deployment.class, "parley");
        var container = parley.getSpec().getTemplate().getSpec().getContainers().get(0);
        String limit = manifests.environment(container).get("PARLEY_LIMITS_CONNECTIONS");
        return String.valueOf(Integer.parseInt(limit) / 2);
    }
}
