package dev.parley.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.OwnedProcess;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.TextFiles;
import dev.parley.testsupport.Tool;
import java.io.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The AOT cache of the container image: it is made as the Dockerfile makes it, and pods start with
 * it. The tests are skipped where no JDK 25 or newer is found.
 */
class TrainingRunIT {

    private static final Path OPTIONS = Path.of("src/main/docker/jvm.options").toAbsolutePath();
    private static final Path APP =
            Path.of(System.getProperty("parley.app", "target/quarkus-app/quarkus-run.jar"))
                    .toAbsolutePath();

    @TempDir static Path directory;

    private static Path java = Path.of("none");
    private static Path cache = Path.of("none");

    @BeforeAll
    static void train() throws IOException {
        if (!System.getProperty("parley.native", "").isBlank()) {
            throw Tool.skip("a native executable has no AOT cache");
        }
        java =
                javaWithCaches()
                        .orElseThrow(
                                () ->
                                        Tool.skip(
                                                "no JDK 25 or newer in java.home, JAVA_HOME or"
                                                        + " /usr/lib/jvm, so no AOT cache was made"));
        cache = directory.resolve("app.aot");
        String classPath = APP.resolveSibling("app") + File.separator + "*";
        var training =
                new ProcessBuilder(
                        java.toString(),
                        "-cp",
                        classPath,
                        TrainingRun.class.getName(),
                        cache.toString(),
                        APP.toString(),
                        "@" + OPTIONS,
                        "-XX:MaxRAM=1g");

        try (OwnedProcess run = OwnedProcess.start(training)) {
            assertThat(run.awaitExit()).as("%s", run.log()).isZero();
        }
    }

    @AfterAll
    static void removeCache() throws IOException {
        Files.deleteIfExists(cache);
    }

    private static Optional<Path> javaWithCaches() throws IOException {
        try (Stream<Path> installed =
                Files.isDirectory(Path.of("/usr/lib/jvm"))
                        ? Files.list(Path.of("/usr/lib/jvm"))
                        : Stream.of()) {
            return Stream.of(
                            Stream.of(Path.of(System.getProperty("java.home"))),
                            Stream.ofNullable(System.getenv("JAVA_HOME")).map(Path::of),
                            installed.sorted())
                    .flatMap(homes -> homes)
                    .filter(home -> version(home) >= 25)
                    .map(home -> home.resolve("bin/java"))
                    .findFirst();
        }
    }

    /** The version of a JDK as its file {@code release} has it, 0 if there is none. */
    private static int version(Path home) {
        Path release = home.resolve("release");
        return Files.isRegularFile(release)
                ? TextFiles.read(release)
                        .lines()
                        .filter(line -> line.startsWith("JAVA_VERSION="))
                        .map(line -> line.replaceAll("\\D+(\\d+).*", "$1"))
                        .mapToInt(Integer::parseInt)
                        .findFirst()
                        .orElse(0)
                : 0;
    }

    /**
     * With {@code AOTMode=on} a JVM whose cache does not fit ends, instead of starting without it.
     */
    @Test
    void pod_startsWithTheCache() {
        try (ParleyProcess pod = pod(cache, "-XX:AOTMode=on").start().awaitReady()) {
            assertThat(publish(pod)).isEqualTo(200);
        }
    }

    @Test
    void podWhoseCacheIsCutOff_startsWithoutIt() throws IOException {
        Path cutOff = Files.copy(cache, directory.resolve("cut-off.aot"));
        assertThat(cutOff.toFile().setWritable(true)).isTrue();
        try (FileChannel file = FileChannel.open(cutOff, StandardOpenOption.WRITE)) {
            file.truncate(file.size() / 2);
        }

        try (ParleyProcess pod = pod(cutOff).start().awaitReady()) {
            assertThat(publish(pod)).isEqualTo(200);
            assertThat(pod.log()).contains("[aot]");
        }
    }

    @Test
    void podWithoutTheCacheOfTheImage_startsWithoutIt() {
        try (ParleyProcess pod = pod(directory.resolve("none.aot")).start().awaitReady()) {
            assertThat(publish(pod)).isEqualTo(200);
        }
    }

    /** A pod with the flags of the image's entry point. */
    private static ParleyProcess.Builder pod(Path aotCache, String... more) {
        List<String> options = List.of("@" + OPTIONS, "-XX:AOTCache=" + aotCache);
        return ParleyProcess.builder()
                .java(java)
                .jvmOptions(
                        Stream.concat(options.stream(), Stream.of(more)).toArray(String[]::new));
    }

    private static int publish(ParleyProcess pod) {
        return new Http(pod.uri()).post("/send?msg=hello", "text/plain", "").status();
    }
}
