package dev.parley.testsupport;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An archive of the classes that a pod loads when it starts (JEP 350). A pod that uses it listens
 * after little more than half the time, and the tests start hundreds. It lies beside the directory
 * of the packaged program, and is made by the first test that starts that program on this JVM.
 */
final class StartupArchive {

    private static final Map<Path, List<String>> KNOWN = new ConcurrentHashMap<>();

    private StartupArchive() {}

    /**
     * Returns the JVM's options with which it uses the archive; none if the JVM cannot make one.
     *
     * @param jar the program
     * @param training starts a pod of it with further options of the JVM
     */
    static List<String> options(Path jar, Training training) {
        return KNOWN.computeIfAbsent(jar, program -> find(program, training));
    }

    /** Starts a pod, stops it when it is ready, and returns what it wrote. */
    interface Training {
        String run(String jvmOption);
    }

    private static List<String> find(Path jar, Training training) {
        Path archive =
                jar.toAbsolutePath()
                        .getParent()
                        .resolveSibling("startup-" + Runtime.version() + ".jsa");
        try {
            if (!isNewer(archive, jar)) {
                make(archive, training);
            }
            return isNewer(archive, jar) ? List.of("-XX:SharedArchiveFile=" + archive) : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isNewer(Path archive, Path jar) throws IOException {
        return Files.exists(archive)
                && Files.getLastModifiedTime(archive).compareTo(Files.getLastModifiedTime(jar)) > 0;
    }

    /**
     * Writes the archive under a name of this JVM's own first, since a test run may be ended
     * meanwhile, and another JVM of tests may write it too.
     */
    private static void make(Path archive, Training training) throws IOException {
        Path unfinished =
                archive.resolveSibling(
                        archive.getFileName() + "." + ProcessHandle.current().pid() + ".tmp");
        String log = training.run("-XX:ArchiveClassesAtExit=" + unfinished);
        if (Files.exists(unfinished)) {
            Files.move(unfinished, archive, StandardCopyOption.REPLACE_EXISTING);
        } else {
            System.err.printf("Pods start without an archive of their classes:%n%s%n", log);
        }
    }
}
