package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.TextFiles;
import dev.parley.training.TrainingRun;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.PodSpec;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
        return TextFiles.below(Path.of("src/main/docker"), "").stream()
                .filter(file -> file.getFileName().toString().startsWith("Dockerfile"))
                .toList();
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
        List<String> stages =
                TextFiles.read(dockerfile)
                        .lines()
                        .filter(line -> line.matches("(ARG|FROM) .*"))
                        .map(line -> line.replaceFirst("^ARG BASE=.*", "ARG BASE"))
                        .toList();

        assertThat(stages)
                .isIn(
                        List.of("ARG BASE", "FROM $BASE"),
                        List.of(
                                "ARG BASE",
                                "FROM $BASE AS program",
                                "FROM program AS training",
                                "FROM program"));
    }

    /** A node that has an image of a name keeps it, so a build must not have that of a release. */
    @Test
    void image_isBuiltUnderTheTagOfTheOverlays_whichNoReleaseHas() {
        Pattern tag = Pattern.compile("\\bparley:(\\d[\\w.-]*)");
        Set<String> built =
                Stream.concat(
                                dockerfiles().stream(),
                                Stream.of("README.md", "k8s/README.md").map(Path::of))
                        .flatMap(file -> tag.matcher(TextFiles.read(file)).results())
                        .map(match -> match.group(1))
                        .collect(Collectors.toSet());
        Set<String> deployed =
                Manifests.all().stream()
                        .map(manifests -> manifests.podsOf("parley").containers().get(0).getImage())
                        .filter(image -> !image.contains("@"))
                        .flatMap(image -> tag.matcher(image).results())
                        .map(match -> match.group(1))
                        .collect(Collectors.toSet());

        assertThat(built).hasSize(1).isEqualTo(deployed);
        assertThat(TextFiles.read("CHANGELOG.md"))
                .doesNotContain("\n## [" + built.iterator().next() + "]");
    }

    @ParameterizedTest
    @MethodSource("dockerfiles")
    void buildContext_hasWhatIsCopied(Path dockerfile) {
        List<String> sources =
                TextFiles.read(dockerfile)
                        .lines()
                        .filter(line -> line.startsWith("COPY ") && !line.contains("--from="))
                        .map(line -> line.replaceFirst("COPY (--\\S+ )*", "").split(" ", 2)[0])
                        .toList();

        assertThat(sources).isNotEmpty().allMatch(DockerfileTest::isSent);
    }

    @Test
    void trainingRun_hasTheFlagsOfTheEntryPoint() {
        String dockerfile = TextFiles.read(Path.of("src/main/docker/Dockerfile.jvm"));

        List<String> entryPoint = words(dockerfile, "ENTRYPOINT");
        List<String> training = words(dockerfile, "RUN");

        // What the program is trained with, then how it is run: a JVM refuses a cache otherwise.
        assertThat(training)
                .containsSubsequence(
                        TrainingRun.class.getName(),
                        "/app/app.aot",
                        "/app/quarkus-run.jar",
                        "@/app/jvm.options");
        assertThat(entryPoint)
                .containsExactly(
                        "java",
                        "@/app/jvm.options",
                        "-XX:AOTCache=/app/app.aot",
                        "-jar",
                        "/app/quarkus-run.jar");
        assertThat(dockerfile)
                .contains("COPY src/main/docker/jvm.options ./")
                .contains("COPY --from=training /app/app.aot ./")
                .contains("WORKDIR /app");
    }

    /**
     * Otherwise a marking that has just ended is followed by the next one, for as long as the pod
     * runs.
     */
    @Test
    void marking_leavesLessThanBeginsTheNextOne() {
        String options = TextFiles.read(Path.of("src/main/docker/jvm.options"));

        int mostUsedAfterMarking = 100 - flag(options, "MinHeapFreeRatio");

        assertThat(flag(options, "InitiatingHeapOccupancyPercent"))
                .isGreaterThan(mostUsedAfterMarking)
                .isLessThan(100);
        assertThat(options.lines()).contains("-XX:-G1UseAdaptiveIHOP");
        assertThat(flag(options, "MaxHeapFreeRatio"))
                .isGreaterThan(flag(options, "MinHeapFreeRatio"));
    }

    @Test
    void flagsOfMemory_areTheOnesThatTheDocumentNames() {
        List<String> options =
                TextFiles.read(Path.of("src/main/docker/jvm.options")).lines().toList();
        String paragraph =
                TextFiles.read(Path.of("docs/operations.md"))
                        .lines()
                        .filter(line -> line.startsWith("**Memory comes back.**"))
                        .collect(Collectors.joining());

        // Without those with a plus: the paragraph names one that an operator may add.
        List<String> named =
                Pattern.compile("-XX:(\\w+=\\d+|-\\w+)")
                        .matcher(paragraph)
                        .results()
                        .map(MatchResult::group)
                        .toList();

        assertThat(named).hasSize(5);
        assertThat(options).containsAll(named);
    }

    private static int flag(String options, String name) {
        Matcher found =
                Pattern.compile("^-XX:" + name + "=(\\d+)$", Pattern.MULTILINE).matcher(options);
        assertThat(found.find()).as(name).isTrue();
        return Integer.parseInt(found.group(1));
    }

    /** The words of an instruction in the exec form. */
    private static List<String> words(String dockerfile, String instruction) {
        Matcher found =
                Pattern.compile("^" + instruction + " \\[([^]]*)]", Pattern.MULTILINE)
                        .matcher(dockerfile);
        assertThat(found.find()).as(instruction + " in the exec form").isTrue();
        return Pattern.compile("\"([^\"]*)\"")
                .matcher(found.group(1))
                .results()
                .map(word -> word.group(1))
                .toList();
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
