package dev.parley.ops;

import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscalerBehavior;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Version;
import java.util.List;
import java.util.Map;

/**
 * KEDA's ScaledObject, field by field as its custom resource definition has it; no library carries
 * this model.
 */
@Group("keda.sh")
@Version("v1alpha1")
public final class ScaledObject extends CustomResource<ScaledObject.Spec, Void>
        implements Namespaced {
    private static final long serialVersionUID = 1L;

    @Override
    protected Spec initSpec() {
        return null;
    }

    /** What to scale, by what, between which bounds. */
    public record Spec(
            Target scaleTargetRef,
            Integer pollingInterval,
            Integer cooldownPeriod,
            Integer initialCooldownPeriod,
            Integer idleReplicaCount,
            Integer minReplicaCount,
            Integer maxReplicaCount,
            Advanced advanced,
            List<Trigger> triggers,
            Fallback fallback) {}

    /** The Deployment. */
    public record Target(
            String apiVersion, String kind, String name, String envSourceContainerName) {}

    /** One source of a metric; its metadata depends on the type. */
    public record Trigger(
            String type,
            String name,
            Boolean useCachedMetrics,
            Map<String, String> metadata,
            Authentication authenticationRef,
            String metricType) {}

    /** Where a trigger's credentials are. */
    public record Authentication(String name, String kind) {}

    /** The size to take while the metric is unknown. */
    public record Fallback(Integer failureThreshold, Integer replicas, String behavior) {}

    /** Settings of the HorizontalPodAutoscaler that KEDA creates. */
    public record Advanced(
            AutoscalerConfig horizontalPodAutoscalerConfig,
            Boolean restoreToOriginalReplicaCount,
            Modifiers scalingModifiers) {}

    /** How fast to grow and to shrink. */
    public record AutoscalerConfig(String name, HorizontalPodAutoscalerBehavior behavior) {}

    /** A formula over several triggers. */
    public record Modifiers(
            String formula, String target, String activationTarget, String metricType) {}
}
