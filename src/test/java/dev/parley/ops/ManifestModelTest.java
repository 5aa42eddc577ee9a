package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every rendered object has only fields that Kubernetes knows. To show that the check works, an
 * unknown field is added in each place, and must be refused.
 */
final class ManifestModelTest {
    /**
     * The places where Kubernetes accepts any key. The selector of a Service is such a map; that of
     * a Deployment is not.
     */
    private static final Pattern FREE_MAPS =
            Pattern.compile(
                    "/(labels|annotations|matchLabels|data|requests|limits)$|^/spec/selector$|/triggers/\\d+/metadata$");

    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void everyObject_fitsItsModel(Manifests manifests) {
        assertThat(manifests.objects()).isNotEmpty();
    }

    @ParameterizedTest
    @MethodSource("dev.parley.ops.Manifests#all")
    void unknownField_inAnyPlace_isRefused(Manifests manifests) {
        for (JsonNode document : manifests.documents()) {
            Map<String, ObjectNode> places = new TreeMap<>();
            collectObjects("", document.deepCopy(), places);

            assertThat(places.keySet())
                    .filteredOn(path -> acceptsAnything(places.get(path), places.get("")))
                    .as("%s %s", manifests, document.path("kind"))
                    .allMatch(path -> FREE_MAPS.matcher(path).find());
        }
    }

    @Test
    void number_inPlaceOfText_isRefused() {
        JsonNode configMap = document("ConfigMap");

        ((ObjectNode) configMap.get("data")).put("PARLEY_HISTORY_SIZE", 10000);

        assertThatThrownBy(() -> StrictModel.read(configMap)).hasMessageContaining("String");
    }

    @Test
    void text_inPlaceOfNumber_isRefused() {
        JsonNode deployment = document("Deployment");

        ((ObjectNode) deployment.get("spec")).put("replicas", "three");

        assertThatThrownBy(() -> StrictModel.read(deployment)).hasMessageContaining("three");
    }

    @Test
    void unknownKind_isRefused() {
        JsonNode deployment = document("Deployment");

        ((ObjectNode) deployment).put("apiVersion", "apps/v2");

        assertThatThrownBy(() -> StrictModel.read(deployment)).hasMessageContaining("apps/v2");
    }

    private static JsonNode document(String kind) {
        return Manifests.named("overlays/dev").documents().stream()
                .filter(d -> d.path("kind").asText().equals(kind))
                .findFirst()
                .orElseThrow()
                .deepCopy();
    }

    private static void collectObjects(String path, JsonNode node, Map<String, ObjectNode> found) {
        if (node instanceof ObjectNode object) {
            found.put(path, object);
            object.properties()
                    .forEach(e -> collectObjects(path + "/" + e.getKey(), e.getValue(), found));
        }
        for (int i = 0; node.isArray() && i < node.size(); i++) {
            collectObjects(path + "/" + i, node.get(i), found);
        }
    }

    private static boolean acceptsAnything(ObjectNode place, ObjectNode document) {
        place.put("surprise", "1");
        try {
            StrictModel.read(document);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        } finally {
            place.remove("surprise");
        }
    }
}
