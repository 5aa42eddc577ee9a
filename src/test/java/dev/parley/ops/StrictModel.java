package dev.parley.ops;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.type.LogicalType;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscalerBehavior;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Version;
import java.util.List;
import java.util.Map;

/**
 * Reads Kubernetes objects as strictly as an API server with field validation: refuses an unknown
 * kind, an unknown field, and a number in the place of a string.
 */
final class StrictModel {
    private static final KubernetesSerialization KINDS = new KubernetesSerialization();
    private static final ObjectMapper MAPPER = mapper();

    private StrictModel() {}

    static HasMetadata read(JsonNode object) {
        String apiVersion = object.path("apiVersion").asText();
        String kind = object.path("kind").asText();
        try {
            return (HasMetadata) MAPPER.treeToValue(object, modelOf(apiVersion, kind));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(kind + ": " + e.getOriginalMessage(), e);
        }
    }

    private static Class<?> modelOf(String apiVersion, String kind) {
        if (apiVersion.equals("keda.sh/v1alpha1") && kind.equals("ScaledObject")) {
            return ScaledObject.class;
        }
        return requireNonNull(
                KINDS.getRegisteredKubernetesResource(apiVersion, kind),
                () -> "no model for " + apiVersion + " " + kind);
    }

    private static ObjectMapper mapper() {
        ObjectMapper mapper =
                JsonMapper.builder()
                        .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                        .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                        .annotationIntrospector(new WithoutAnySetters())
                        .build();
        for (CoercionInputShape shape :
                new CoercionInputShape[] {
                    CoercionInputShape.Integer, CoercionInputShape.Float, CoercionInputShape.Boolean
                }) {
            mapper.coercionConfigFor(LogicalType.Textual).setCoercion(shape, CoercionAction.Fail);
        }
        return mapper;
    }

    /**
     * Turns off the model's "additional properties", which would accept any field, so that Jackson
     * refuses unknown ones.
     */
    private static final class WithoutAnySetters extends JacksonAnnotationIntrospector {
        private static final long serialVersionUID = 1L;

        @Override
        public Boolean hasAnySetter(Annotated a) {
            return false;
        }
    }

    /**
     * KEDA's ScaledObject, field by field as its custom resource definition has it; no library
     * carries this model.
     */
    @Group("keda.sh")
    @Version("v1alpha1")
    public static final class ScaledObject extends CustomResource<ScaledObject.Spec, Void>
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
}
