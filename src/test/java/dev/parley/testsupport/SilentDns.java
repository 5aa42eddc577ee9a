package dev.parley.testsupport;

import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Lets each look-up of a pod hang, as it does while DNS does not answer, until the test lets them
 * be answered. The pod reads names from a hosts file, which is a pipe into which nothing is
 * written.
 */
public final class SilentDns implements Closeable {

    private final Path hosts;

    /** Keeps the pipe open: a read from it would otherwise end at once. */
    private final RandomAccessFile writer;

    private SilentDns(Path hosts, RandomAccessFile writer) {
        this.hosts = hosts;
        this.writer = writer;
    }

    /** Makes the pipe in a directory of the test's. */
    public static SilentDns in(Path directory) {
        Path hosts = directory.resolve("hosts");
        Tool.named("mkfifo").run(hosts.toString());
        try {
            return new SilentDns(hosts, new RandomAccessFile(hosts.toFile(), "rw"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Makes a pod use it. */
    public ParleyProcess.Builder in(ParleyProcess.Builder pod) {
        return pod.jvmOptions("-Xmx192m", "-Djdk.net.hosts.file=" + hosts)
                // As in a container: the framework would look up the name of the machine.
                .environment("HOSTNAME", "pod");
    }

    /**
     * Answers further look-ups: these names have the address 127.0.0.1, and others do not exist.
     * The look-ups that hang find nothing.
     */
    public void answer(String... names) {
        try {
            Path file = Files.createTempFile(hosts.getParent(), "hosts", "");
            Files.writeString(
                    file,
                    List.of(names).stream()
                            .map(name -> "127.0.0.1 " + name + "\n")
                            .collect(Collectors.joining()));
            Files.move(file, hosts, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        close();
    }

    @Override
    public void close() {
        try {
            writer.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
