package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.TextFiles;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.PodSpec;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The Dockerfiles fit the manifests, and {@code .dockerignore} sends the builder what they copy.
 */
final class DockerfileTest {

    static List<Path> dockerfiles() {
        return TextFiles.below(Path.of("src/main/docker"), "");
    }

    @ParameterizedTest
    @MethodSource("dockerfiles")
    void image_runsAsTheUserOfThePod(Path dockerfile) {
        PodSpec pod = Manifests.named("overlays/production").podsOf("parley").spec();
        PodSecurityContext security = pod.getSecurityContext();
        String ports =
                pod.getContainers().get(0).getPorts().stream()
                        .map(port -> port.getContainerPort().toString())
                        .collect(Collectors.joining(" "));

        assertThat(TextFiles.read(dockerfile).lines())
                .contains("USER " + security.getRunAsUser() + ":" + security.getRunAsGroup())
                .contains("EXPOSE " + ports);
    }

    @ParameterizedTest
    @MethodSource("dockerfiles")
    void baseImage_canBeNamedByDigest(Path dockerfile) {
        assertThat(TextFiles.read(dockerfile).lines())
                .filteredOn(line -> line.matches("(ARG|FROM) .*"))
                .satisfiesExactly(
                        line -> assertThat(line).startsWith("ARG BASE="),
                        line -> assertThat(line).isEqualTo("FROM $BASE"));
    }

    @ParameterizedTest
    @MethodSource("dockerfiles")
    void buildContext_hasWhatIsCopied(Path dockerfile) {
        List<String> sources =
                TextFiles.read(dockerfile)
                        .lines()
                        .filter(line -> line.startsWith("COPY "))
                        .map(line -> line.replaceFirst("COPY (--\\S+ )*", "").split(" ", 2)[0])
                        .toList();

        assertThat(sources).isNotEmpty().allMatch(DockerfileTest::isSent);
    }

    @Test
    void buildContext_hasNeitherSourcesNorPasswordsNorGit() {
        assertThat(List.of(".git/config", "pom.xml", "k8s/overlays/dev/" + Manifests.PASSWORDS))
                .noneMatch(DockerfileTest::isSent);
    }

    /** Applies {@code .dockerignore}: of the patterns that match a path, the last one decides. */
    private static boolean isSent(String path) {
        boolean sent = true;
        for (String line : ignoreLines()) {
            boolean exception = line.startsWith("!");
            String pattern = exception ? line.substring(1) : line;
            if (Stream.of(pattern, pattern + "/**").anyMatch(glob -> matches(glob, path))) {
                sent = exception;
            }
        }
        return sent;
    }

    private static List<String> ignoreLines() {
        return TextFiles.read(".dockerignore")
                .lines()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .toList();
    }

    private static boolean matches(String glob, String path) {
        return FileSystems.getDefault().getPathMatcher("glob:" + glob).matches(Path.of(path));
    }
}
