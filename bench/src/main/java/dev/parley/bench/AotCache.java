package dev.parley.bench;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The AOT cache of the packaged Parley, made as in the build of the container image. */
final class AotCache {

    private static final int FIRST_JDK = 25;
    private static final Path FILE = Path.of("target/app.aot");

    /** For which JVM and which flags the cache was made. */
    private static final Path MADE_FOR = Path.of("target/app.aot.made-for");

    private static final Path LOG = Path.of("target/training.log");
    private static final String TRAINING = "dev.parley.training.TrainingRun";

    private AotCache() {}

    /** Whether this JVM can make and use one. */
    static boolean isPossible() {
        return Runtime.version().feature() >= FIRST_JDK;
    }

    /**
     * Makes the cache, unless there is one for this JVM and these flags that is newer than the
     * program.
     *
     * @param jar the program
     * @param flags of the JVM that will use it
     */
    static Path make(Path jar, List<String> flags) throws IOException {
        String madeFor = Runtime.version() + " " + String.join(" ", flags);
        if (isMadeFor(madeFor)
                && Files.getLastModifiedTime(FILE).compareTo(Files.getLastModifiedTime(jar)) > 0) {
            return FILE;
        }
        Files.deleteIfExists(MADE_FOR);
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-cp", jar.resolveSibling("app") + File.separator + "*", TRAINING));
        command.addAll(List.of(FILE.toString(), jar.toString()));
        command.addAll(flags);
        Process run =
                RunningServer.killedAtExit(
                        new ProcessBuilder(command)
                                .redirectErrorStream(true)
                                .redirectOutput(LOG.toFile())
                                .start());
        try {
            if (run.waitFor() != 0) {
                throw new IOException("the training run failed:\n" + Files.readString(LOG));
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        Files.writeString(MADE_FOR, madeFor);
        return FILE;
    }

    private static boolean isMadeFor(String jvm) throws IOException {
        return Files.exists(FILE)
                && Files.exists(MADE_FOR)
                && Files.readString(MADE_FOR).equals(jvm);
    }
}
