package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.parley.testsupport.Tool;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapEnvSource;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.EnvFromSource;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretKeySelector;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/**
 * The objects of one overlay, rendered as {@code kubectl apply -k} would send them. Rendering works
 * on a copy of {@code k8s}, with new passwords for each overlay, since the repository has none.
 */
record Manifests(String name, List<JsonNode> documents) {
    static final Path ROOT = Path.of("k8s");

    /** The file in the directory of an overlay from which its Secret is made. */
    static final String PASSWORDS = "redis-passwords.env";

    private static final YAMLMapper YAML = new YAMLMapper();

    /** Rendered once, because every test reads the same objects. */
    private static List<Manifests> rendered = List.of();

    /**
     * Renders every overlay, those for tests included. Where kubectl is missing the test is skipped
     * or fails, as {@link Tool} says.
     */
    static synchronized List<Manifests> all() {
        if (rendered.isEmpty()) {
            Path copy = copy();
            rendered =
                    Stream.of("overlays", "tests")
                            .flatMap(parent -> directoriesIn(parent).stream())
                            .map(ROOT::relativize)
                            .map(overlay -> render(overlay.toString(), copy.resolve(overlay)))
                            .toList();
        }
        return rendered;
    }

    /**
     * Renders an overlay that does not exist in the repository.
     *
     * @param kustomization the text of its kustomization.yaml; the base is {@code ../../base}
     */
    static Manifests overlay(String name, String kustomization) {
        return new Manifests(name, overlays(List.of(kustomization)).get(0).documents());
    }

    /** Renders overlays that do not exist in the repository, all with the same passwords. */
    static List<Manifests> overlays(List<String> kustomizations) {
        Path overlays = copy().resolve("overlays");
        return IntStream.range(0, kustomizations.size())
                .mapToObj(i -> overlay(overlays.resolve("overlay-" + i), kustomizations.get(i)))
                .toList();
    }

    private static Manifests overlay(Path directory, String kustomization) {
        try {
            Files.createDirectory(directory).toFile().deleteOnExit();
            Path file = Files.writeString(directory.resolve("kustomization.yaml"), kustomization);
            file.toFile().deleteOnExit();
            writePasswords(directory);
            writeSecretForTokens(directory);
            return render(directory.getFileName().toString(), directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void writeSecretForTokens(Path overlay) {
        overlay.resolve("access-secret.env").toFile().deleteOnExit();
        Path script = ROOT.resolve("components/access-secret/new-secret.sh");
        Tool.named("sh").run(script.toString(), overlay.toString());
    }

    /** Runs the script that README tells owners of an overlay to run. */
    static void writePasswords(Path overlay) {
        overlay.resolve(PASSWORDS).toFile().deleteOnExit();
        Tool.named("sh").run(ROOT.resolve("redis/new-passwords.sh").toString(), overlay.toString());
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

    /** The pods that a selector finds. An empty selector, which would find them all, fails. */
    Pods selected(Map<String, String> labels) {
        assertThat(labels).isNotEmpty();
        List<Pods> found =
                pods().stream()
                        .filter(p -> p.labels().entrySet().containsAll(labels.entrySet()))
                        .toList();
        assertThat(found).as("%s: pods with %s", this, labels).hasSize(1);
        return found.get(0);
    }

    /** The environment of a container, with references to config maps and secrets resolved. */
    Map<String, String> environment(Container container) {
        Map<String, String> environment = new TreeMap<>();
        for (EnvFromSource source : container.getEnvFrom()) {
            ConfigMapEnvSource reference = source.getConfigMapRef();
            environment.putAll(one(ConfigMap.class, reference.getName()).getData());
        }
        for (EnvVar variable : container.getEnv()) {
            if (variable.getValueFrom() == null) {
                environment.put(variable.getName(), variable.getValue());
            } else {
                secretValue(variable.getValueFrom().getSecretKeyRef())
                        .ifPresent(value -> environment.put(variable.getName(), value));
            }
        }
        return environment;
    }

    private Optional<String> secretValue(SecretKeySelector reference) {
        Map<String, String> data = one(Secret.class, reference.getName()).getData();
        if (!Boolean.TRUE.equals(reference.getOptional())) {
            assertThat(data)
                    .as("%s: secret %s", this, reference.getName())
                    .containsKey(reference.getKey());
        }
        return Optional.ofNullable(data.get(reference.getKey()))
                .map(
                        value ->
                                new String(
                                        Base64.getDecoder().decode(value), StandardCharsets.UTF_8));
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

    /** Copies k8s to a temporary directory, without passwords of the person who runs the tests. */
    private static Path copy() {
        try {
            Path copy = Files.createTempDirectory("k8s");
            copy.toFile().deleteOnExit();
            try (Stream<Path> files = Files.walk(ROOT)) {
                for (Path file : files.filter(f -> !f.endsWith(PASSWORDS)).toList()) {
                    Path target = copy.resolve(ROOT.relativize(file));
                    if (!Files.isDirectory(target)) {
                        Files.copy(file, target);
                    }
                    target.toFile().deleteOnExit();
                }
            }
            for (Path overlay : directoriesIn("overlays")) {
                writePasswords(copy.resolve(ROOT.relativize(overlay)));
            }
            return copy;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Manifests render(String name, Path directory) {
        String text = Tool.named("kubectl").run("kustomize", directory.toString());
        try {
            List<JsonNode> documents =
                    YAML.readerFor(JsonNode.class).<JsonNode>readValues(text).readAll();
            return new Manifests(name, documents);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
