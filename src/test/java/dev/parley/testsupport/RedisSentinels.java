package dev.parley.testsupport;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/**
 * Three real Redis Sentinels that watch a primary and its replicas, and promote a replica when the
 * primary has not answered for {@value #DOWN_MILLIS} ms.
 */
public final class RedisSentinels implements Closeable {

    /** The name under which the sentinels know the primary. */
    public static final String PRIMARY = "parley";

    private static final int SENTINELS = 3;
    private static final int DOWN_MILLIS = 4_000;

    /** Longer than a failover takes: the sentinels learn of it one after the other. */
    private static final int DISAGREEMENT_SECONDS = 15;

    private final Path directory;
    private final List<Integer> ports = new ArrayList<>();
    private final List<OwnedProcess> processes = new ArrayList<>();

    private RedisSentinels(Path directory) {
        this.directory = directory;
    }

    /**
     * Starts the sentinels and returns when they know each other, the primary and its replicas.
     *
     * @param replicas how many replicas the primary has
     */
    public static RedisSentinels watching(RedisServer primary, int replicas) {
        try {
            var sentinels = new RedisSentinels(Files.createTempDirectory("parley-sentinels"));
            try {
                for (int i = 0; i < SENTINELS; i++) {
                    sentinels.launch(primary);
                }
                sentinels.ports.forEach(port -> awaitComplete(port, replicas));
                return sentinels;
            } catch (RuntimeException e) {
                sentinels.close();
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The addresses of the sentinels, as {@code quarkus.redis.hosts} takes them. */
    public String hosts() {
        return String.join(",", ports.stream().map(port -> "redis://127.0.0.1:" + port).toList());
    }

    /** Stops the process of the first one: it accepts connections, and answers nothing. */
    public void pauseFirst() {
        processes.get(0).pause();
    }

    /** Waits until each sentinel names this server as the primary. */
    public void awaitPrimary(RedisServer server) {
        for (int port : ports) {
            Timeouts.await(server + " to be the primary for sentinel " + port)
                    .until(() -> primaryPort(port) == server.port());
        }
    }

    /**
     * Waits until all sentinels name one other server than this as the primary.
     *
     * <p>They may disagree for good: SENTINEL FAILOVER takes the next epoch without a vote, and a
     * failover that others vote for in the same moment takes the same one. A sentinel ignores what
     * others say of an epoch that it knows already. Only another failover, with a newer epoch, ends
     * that; it is asked for when they have disagreed for {@value #DISAGREEMENT_SECONDS} s, of one
     * sentinel after the other. One that still names a primary that is gone refuses, since it knows
     * no replica of that which is well.
     *
     * @return its port
     */
    public long awaitOtherPrimary(RedisServer former) {
        var disagreement = new AtomicLong(System.nanoTime());
        var asked = new AtomicInteger();
        return Timeouts.await("another primary than " + former)
                .until(
                        () -> {
                            Set<Long> named = primaryPorts();
                            if (named.size() == 1) {
                                disagreement.set(System.nanoTime());
                            } else if (System.nanoTime() - disagreement.get()
                                    > TimeUnit.SECONDS.toNanos(DISAGREEMENT_SECONDS)) {
                                tryFailOver(ports.get(asked.getAndIncrement() % SENTINELS));
                                disagreement.set(System.nanoTime());
                            }
                            return named;
                        },
                        named -> named.size() == 1 && !isNamed(former, named))
                .iterator()
                .next();
    }

    private static boolean isNamed(RedisServer server, Set<Long> ports) {
        return ports.contains((long) server.port());
    }

    private Set<Long> primaryPorts() {
        return ports.stream().map(RedisSentinels::primaryPort).collect(Collectors.toSet());
    }

    /**
     * Makes the sentinels replace the primary although it is well (Redis: SENTINEL FAILOVER).
     * Repeats the command while they refuse, for instance because no replica is known to be well.
     */
    public void failOver() {
        Timeouts.await("failover").until(() -> tryFailOver(ports.get(0)));
    }

    /** Asks a sentinel to replace the primary; returns false if it refuses. */
    private static boolean tryFailOver(int sentinel) {
        try {
            return command(sentinel, "SENTINEL", "FAILOVER", PRIMARY).text().equals("OK");
        } catch (RedisServer.ErrorReply refused) {
            return false;
        }
    }

    private static long primaryPort(int sentinel) {
        RedisServer.Reply address =
                command(sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", PRIMARY);
        return address.items().get(1).number();
    }

    private void launch(RedisServer primary) {
        int port = Ports.free();
        OwnedProcess sentinel =
                OwnedProcess.start(
                        new ProcessBuilder(
                                RedisServer.program(),
                                configuration(primary, port).toString(),
                                "--sentinel"));
        processes.add(sentinel);
        ports.add(port);
        Timeouts.await("answer of the sentinel on port " + port)
                .failFast("sentinel ended: " + sentinel.log(), () -> !sentinel.alive())
                .ignoreException(UncheckedIOException.class)
                .until(() -> command(port, "PING").text().equals("PONG"));
    }

    /** Writes the file, into which the sentinel also writes what it learns. */
    private Path configuration(RedisServer primary, int port) {
        List<String> lines =
                List.of(
                        "port " + port,
                        "bind 127.0.0.1",
                        "daemonize no",
                        "dir \"" + directory + "\"",
                        "sentinel monitor %s 127.0.0.1 %d 2".formatted(PRIMARY, primary.port()),
                        "sentinel down-after-milliseconds " + PRIMARY + " " + DOWN_MILLIS,
                        "sentinel failover-timeout " + PRIMARY + " 20000");
        try {
            return Files.write(directory.resolve("sentinel-" + port + ".conf"), lines);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void awaitComplete(int port, int replicas) {
        Timeouts.await("sentinel " + port + " to know the others and the replicas")
                .until(
                        () -> {
                            String known = command(port, "SENTINEL", "MASTER", PRIMARY).toString();
                            return known.contains("num-slaves, %d,".formatted(replicas))
                                    && known.contains(
                                            "num-other-sentinels, %d,".formatted(SENTINELS - 1))
                                    && known.contains("flags, master,");
                        });
    }

    private static RedisServer.Reply command(int port, String... words) {
        try (var connection = new RedisServer.Connection(port, 10_000)) {
            return connection.command(words);
        }
    }

    @Override
    public void close() {
        processes.forEach(OwnedProcess::kill);
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
            Files.delete(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
