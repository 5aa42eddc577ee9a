package dev.parley.testsupport;

import java.io.Closeable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A second host: a network namespace (Linux, as root) with one virtual link to this host, which a
 * test can cut. As with a real cable, neither end is notified of the cut.
 */
public final class NetworkNamespace implements Closeable {

    private final String name;
    private final String here;
    private final String there;
    private final int number;
    private final List<OwnedProcess> processes = new ArrayList<>();

    private NetworkNamespace(int number) {
        name = "parley-" + number;
        here = "parley" + number + "a";
        there = "parley" + number + "b";
        this.number = number;
    }

    /** Creates a namespace; empty where the system does not allow it. */
    public static Optional<NetworkNamespace> open() {
        var namespace = new NetworkNamespace(ThreadLocalRandom.current().nextInt(10_000));
        try {
            ip("netns", "add", namespace.name);
        } catch (RuntimeException e) {
            // Must not be removed: a test that runs at the same time may have created it.
            return Optional.empty();
        }
        try {
            namespace.link();
            return Optional.of(namespace);
        } catch (RuntimeException e) {
            namespace.close();
            return Optional.empty();
        }
    }

    private void link() {
        ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name);
        ip("addr", "add", host() + "/30", "dev", here);
        ip("link", "set", here, "up");
        ip("-n", name, "addr", "add", address(2) + "/30", "dev", there);
        ip("-n", name, "link", "set", there, "up");
    }

    /** The address under which the namespace reaches this host. */
    public String host() {
        return address(1);
    }

    /** An address in the link's /30, from the range for network tests (RFC 2544). */
    private String address(int last) {
        return "198.18.%d.%d".formatted(number / 60, number % 60 * 4 + last);
    }

    /** Starts a program in the namespace and returns when its output contains this text. */
    public void run(String awaitedOutput, String... command) {
        List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", name));
        all.addAll(List.of(command));
        OwnedProcess process = OwnedProcess.start(new ProcessBuilder(all));
        processes.add(process);
        Optional<String> found =
                process.awaitOutput(
                        log -> Optional.of(log).filter(text -> text.contains(awaitedOutput)));
        if (found.isEmpty()) {
            throw new AssertionError("no \"" + awaitedOutput + "\" in:\n" + process.log());
        }
    }

    /** Cuts the link at the far end: packets from here are lost without an error. */
    public void cut() {
        ip("-n", name, "link", "set", there, "down");
    }

    private static void ip(String... arguments) {
        List<String> command = new ArrayList<>(List.of("ip"));
        command.addAll(List.of(arguments));
        OwnedProcess process = OwnedProcess.start(new ProcessBuilder(command));
        if (process.awaitExit() != 0) {
            throw new IllegalStateException(command + ": " + process.log());
        }
    }

    @Override
    public void close() {
        processes.forEach(OwnedProcess::close);
        // The kernel deletes a namespace, and its link, only after its last connection has ended.
        remove("link", "del", here);
        remove("netns", "del", name);
    }

    private static void remove(String... arguments) {
        try {
            ip(arguments);
        } catch (RuntimeException e) {
            // It was never created.
        }
    }
}
