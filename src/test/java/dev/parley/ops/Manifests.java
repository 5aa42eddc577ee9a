package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapEnvSource;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.EnvFromSource;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** What one overlay renders to, as {@code kubectl apply -k} would send it. */
record Manifests(String name, List<JsonNode> documents) {
    static final Path ROOT = Path.of("k8s");
    private static final YAMLMapper YAML = new YAMLMapper();

    /** Filled once, as every test looks at the same text. */
    private static List<Manifests> rendered = List.of();

    /**
     * Every overlay, those for tests included. Skipped or failed as {@link Tool} says where kubectl
     * is missing.
     */
    static synchronized List<Manifests> all() {
        if (rendered.isEmpty()) {
            rendered =
                    Stream.of("overlays", "tests")
                            .flatMap(parent -> directoriesIn(parent).stream())
                            .map(Manifests::render)
                            .toList();
        }
        return rendered;
    }

    static Manifests named(String name) {
        return all().stream().filter(m -> m.name().equals(name)).findFirst().orElseThrow();
    }

    /** Every overlay that has an object of this type, with each of them, as arguments of a test. */
    static Stream<Arguments> withEach(Class<?> type) {
        return all().stream()
                .flatMap(
                        manifests ->
                                manifests.all(type).stream()
                                        .map(object -> Arguments.of(manifests, object)));
    }

    static List<Path> directoriesIn(String parent) {
        try (Stream<Path> directories = Files.list(ROOT.resolve(parent))) {
            return directories.filter(Files::isDirectory).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static JsonNode yaml(Path file) {
        try {
            return YAML.readTree(file.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    List<HasMetadata> objects() {
        return documents.stream().map(StrictModel::read).toList();
    }

    <T> List<T> all(Class<T> type) {
        return objects().stream().filter(type::isInstance).map(type::cast).toList();
    }

    <T extends HasMetadata> T one(Class<T> type, String name) {
        List<T> found =
                all(type).stream().filter(o -> o.getMetadata().getName().equals(name)).toList();
        assertThat(found).as("%s: %s %s", this, type.getSimpleName(), name).hasSize(1);
        return found.get(0);
    }

    List<Pods> pods() {
        return Stream.concat(
                        all(Deployment.class).stream()
                                .map(d -> new Pods(d, d.getSpec().getTemplate())),
                        all(StatefulSet.class).stream()
                                .map(s -> new Pods(s, s.getSpec().getTemplate())))
                .toList();
    }

    Pods podsOf(String owner) {
        return pods().stream().filter(p -> p.name().equals(owner)).findFirst().orElseThrow();
    }

    /**
     * The pods that a selector finds; an empty selector, which would find them all, is a mistake
     * here.
     */
    Pods selected(Map<String, String> labels) {
        assertThat(labels).isNotEmpty();
        List<Pods> found =
                pods().stream()
                        .filter(p -> p.labels().entrySet().containsAll(labels.entrySet()))
                        .toList();
        assertThat(found).as("%s: pods with %s", this, labels).hasSize(1);
        return found.get(0);
    }

    /** The environment of a container, with its config maps resolved. */
    Map<String, String> environment(Container container) {
        Map<String, String> environment = new TreeMap<>();
        for (EnvFromSource source : container.getEnvFrom()) {
            ConfigMapEnvSource reference = source.getConfigMapRef();
            environment.putAll(one(ConfigMap.class, reference.getName()).getData());
        }
        for (EnvVar variable : container.getEnv()) {
            environment.put(variable.getName(), variable.getValue());
        }
        return environment;
    }

    @Override
    public String toString() {
        return name;
    }

    /** The pods of one Deployment or StatefulSet. */
    record Pods(HasMetadata owner, PodTemplateSpec template) {
        String name() {
            return owner.getMetadata().getName();
        }

        Map<String, String> labels() {
            return template.getMetadata().getLabels();
        }

        PodSpec spec() {
            return template.getSpec();
        }

        List<Container> containers() {
            return Stream.concat(
                            spec().getInitContainers().stream(), spec().getContainers().stream())
                    .toList();
        }

        List<String> portNames() {
            return containers().stream()
                    .flatMap(c -> c.getPorts().stream())
                    .map(ContainerPort::getName)
                    .toList();
        }
    }

    private static Manifests render(Path directory) {
        String text = Tool.named("kubectl").run("kustomize", directory.toString());
        try {
            List<JsonNode> documents =
                    YAML.readerFor(JsonNode.class).<JsonNode>readValues(text).readAll();
            return new Manifests(ROOT.relativize(directory).toString(), documents);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
