package dev.parley.testsupport;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import redis.embedded.core.ExecutableProvider;

/**
 * A real Redis server on a loopback port and in a temporary directory. A test can kill it, pause
 * it, start it again on the same port with or without its data, and take it back to a {@link
 * Snapshot}.
 *
 * <p>The program is the Redis or Valkey that the environment variable {@code PARLEY_TEST_REDIS}
 * names, or else Redis 6.2 from the embedded-redis library (on Linux it needs OpenSSL 3).
 */
public final class RedisServer implements Closeable {

    private static final int PORT_ATTEMPTS = 10;

    private final Builder options;
    private final Path directory;
    private final int port;
    private volatile String program = program();
    private volatile OwnedProcess process;

    private RedisServer(Builder options, Path directory, int port) {
        this.options = options;
        this.directory = directory;
        this.port = port;
        this.process = launch();
    }

    /** Starts a server that keeps its data in memory only. */
    public static RedisServer start(String... config) {
        return builder().config(config).start();
    }

    /** Starts a server that has each write on disk before it answers. */
    public static RedisServer startWithPersistence(String... config) {
        return builder().persistent().config(config).start();
    }

    /** Starts building a server that keeps its data in memory only. */
    public static Builder builder() {
        return new Builder();
    }

    /** The options of a server, which do not change once it runs. */
    public static final class Builder {

        private final List<String> config = new ArrayList<>(List.of("save \"\"", "appendonly no"));
        private List<String> login = List.of();
        private boolean replica;

        private Builder() {}

        /**
         * Adds lines of redis.conf, such as {@code "maxmemory 10mb"} or {@code "aclfile /tmp/acl"}.
         * A line replaces an earlier one for the same directive, the defaults of this class
         * included, where Redis itself lets the last one win.
         */
        public Builder config(String... lines) {
            config.addAll(List.of(lines));
            return this;
        }

        /** Writes each command to the append-only file before it is answered. */
        public Builder persistent() {
            return config("appendonly yes", "appendfsync always");
        }

        /** Replicates another server; {@link #start} then waits for the first full copy. */
        public Builder replicaOf(RedisServer master) {
            replica = true;
            return config("replicaof 127.0.0.1 " + master.port);
        }

        /** Logs in as this user for the commands of this class; for servers with ACLs. */
        public Builder login(String user, String password) {
            login = List.of("AUTH", user, password);
            return this;
        }

        /**
         * Starts a server and returns when it answers.
         *
         * @throws IllegalStateException if it does not start; the message contains its log
         */
        public RedisServer start() {
            for (int i = 1; ; i++) {
                Path directory = newDirectory();
                try {
                    var server = new RedisServer(this, directory, Ports.free());
                    server.awaitFirstCopy();
                    return server;
                } catch (PortTaken e) {
                    delete(directory);
                    if (i == PORT_ATTEMPTS) {
                        throw e;
                    }
                } catch (RuntimeException e) {
                    delete(directory);
                    throw e;
                }
            }
        }
    }

    /** The data of a server at one moment, as Redis saves it (RDB). */
    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    public record Snapshot(byte[] rdb) {}

    /** The port, which stays the same over restarts. */
    public int port() {
        return port;
    }

    /** The address as a URI, without a user. */
    public String uri() {
        return "redis://127.0.0.1:" + port;
    }

    /** The id of the current process. */
    public long pid() {
        return process.pid();
    }

    /** Whether the current process runs. */
    public boolean isAlive() {
        return process.alive();
    }

    /** The output of the current process. */
    public String log() {
        return process.log();
    }

    /** Sends SIGKILL; returns when the process has ended. */
    public void kill() {
        process.kill();
    }

    /** Sends SIGTERM; returns when the process has ended. */
    void stop() {
        process.terminate();
        process.awaitExit();
    }

    /** Starts the server again on its port with the data on its disk; stops it first if it runs. */
    public void restart() {
        if (process.alive()) {
            stop();
        }
        relaunch();
    }

    /** Starts the server again with another program, of a later version; stops it first. */
    public void upgrade(Path to) {
        stop();
        program = to.toString();
        relaunch();
    }

    /** Starts the server again on its port without data; kills it first if it runs. */
    public void restartEmpty() {
        kill();
        delete(data());
        relaunch();
    }

    /** Saves the data as it is now. */
    public Snapshot snapshot() {
        // A file that exists already is from an earlier save, or Redis started from it.
        command("SAVE");
        try {
            return new Snapshot(Files.readAllBytes(rdb()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Starts the server again on its port with the data of a snapshot, of this or another server,
     * as an operator does who restores a backup; kills it first if it runs.
     */
    public void restartFrom(Snapshot snapshot) {
        kill();
        delete(data());
        mkdir(data());
        try {
            Files.write(rdb(), snapshot.rdb());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        // A server with an append-only file does not load the RDB file, so the file is switched on
        // only when the data is loaded. Redis then rewrites it from the data.
        relaunch("--appendonly", "no");
        if (options.config.contains("appendonly yes")) {
            command("CONFIG", "SET", "appendonly", "yes");
            Timeouts.await("append-only file of " + this).until(this::isAppendOnlyFileComplete);
        }
    }

    private boolean isAppendOnlyFileComplete() {
        String info = command("INFO", "persistence").text();
        return info.contains("aof_rewrite_in_progress:0")
                && info.contains("aof_rewrite_scheduled:0");
    }

    private void relaunch(String... arguments) {
        Timeouts.await("port " + port + " to be free again")
                .ignoreException(PortTaken.class)
                .until(
                        () -> {
                            process = launch(arguments);
                            return true;
                        });
    }

    private void awaitFirstCopy() {
        try {
            if (options.replica) {
                awaitMaster();
            }
        } catch (RuntimeException e) {
            process.kill();
            throw e;
        }
    }

    /** Waits until this replica has a copy of its master's data and is connected to it. */
    public void awaitMaster() {
        Timeouts.await("replication on " + this)
                .until(
                        () ->
                                command("INFO", "replication")
                                        .text()
                                        .contains("master_link_status:up"));
    }

    /** Makes this server a replica of another, and waits until it is a copy of it. */
    public void follow(RedisServer master) {
        command("REPLICAOF", "127.0.0.1", Integer.toString(master.port));
        awaitMaster();
    }

    /** Makes this replica a master, until it is restarted. */
    public void promote() {
        command("REPLICAOF", "NO", "ONE");
    }

    /**
     * Makes this server, which was started for it, a Cluster of one node, and waits until it is.
     */
    public void takeAllSlots() {
        List<String> addSlots = new ArrayList<>(List.of("CLUSTER", "ADDSLOTS"));
        IntStream.range(0, 16_384).forEach(slot -> addSlots.add(Integer.toString(slot)));
        command(addSlots.toArray(String[]::new));
        Timeouts.await("the Cluster of " + this)
                .until(() -> command("CLUSTER", "INFO").text().contains("_state:ok"));
    }

    /** Sends SIGSTOP: connections stay open and get no answer. Linux only. */
    public void pause() {
        process.pause();
    }

    /** Sends SIGCONT. */
    public void resume() {
        process.resume();
    }

    /**
     * Sends one command on a new connection and returns the reply.
     *
     * @throws ErrorReply if Redis answers with an error
     */
    public Reply command(String... args) {
        try (Connection connection = connect(Timeouts.LIMIT)) {
            return connection.command(args);
        }
    }

    /** Subscribes to a channel, as another program would, until the result is closed. */
    public Closeable subscribe(String channel) {
        Connection connection = connect(Timeouts.LIMIT);
        connection.command("SUBSCRIBE", channel);
        return connection;
    }

    /** Connects and logs in; the timeout is for connecting and for each reply. */
    Connection connect(Duration timeout) {
        Connection connection = new Connection(port, Math.toIntExact(timeout.toMillis()));
        if (!options.login.isEmpty()) {
            connection.command(options.login.toArray(String[]::new));
        }
        return connection;
    }

    @Override
    public void close() {
        process.kill();
        delete(directory);
    }

    @Override
    public String toString() {
        return "Redis on port " + port;
    }

    private static final class PortTaken extends RuntimeException {
        private static final long serialVersionUID = 1L;

        PortTaken(String log) {
            super(log);
        }
    }

    /** Starts a process and returns when it answers; the arguments override the configuration. */
    private OwnedProcess launch(String... arguments) {
        mkdir(data());
        List<String> words = new ArrayList<>(List.of(program, writeConfig().toString()));
        words.addAll(List.of(arguments));
        OwnedProcess started = OwnedProcess.start(new ProcessBuilder(words));
        try {
            Timeouts.await("answer of " + this).until(() -> answers(started));
            return started;
        } catch (RuntimeException e) {
            started.kill();
            throw e;
        }
    }

    /** Checks the directory too: another process may have taken the port. */
    private boolean answers(OwnedProcess started) {
        if (!started.alive()) {
            started.awaitExit();
            throw startFailed(started.log());
        }
        try (Connection connection = connect(Duration.ofSeconds(2))) {
            String where = connection.command("CONFIG", "GET", "dir").items().get(1).text();
            return connection.command("PING").text().equals("PONG")
                    && where.equals(data().toString());
        } catch (UncheckedIOException | ErrorReply notYet) {
            return false;
        }
    }

    private static RuntimeException startFailed(String log) {
        return log.contains("Address already in use")
                ? new PortTaken(log)
                : new IllegalStateException("Redis did not start:\n" + log);
    }

    private Path writeConfig() {
        List<String> lines = new ArrayList<>();
        lines.add("port " + port);
        lines.add("bind 127.0.0.1");
        lines.add("daemonize no");
        lines.add("dir \"" + data() + "\"");
        lines.addAll(options.config);
        try {
            return Files.write(directory.resolve("redis.conf"), lines);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path data() {
        return directory.resolve("data");
    }

    private Path rdb() {
        return data().resolve("dump.rdb");
    }

    private static Path newDirectory() {
        try {
            return Files.createTempDirectory("parley-redis").toRealPath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void mkdir(Path directory) {
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Deletes a directory; repeats it while a child of the killed server still writes there. */
    private static void delete(Path root) {
        Timeouts.await("deletion of " + root)
                .ignoreExceptionsInstanceOf(IOException.class)
                .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                .until(() -> deleteOnce(root));
    }

    private static boolean deleteOnce(Path root) throws IOException {
        if (Files.exists(root)) {
            try (Stream<Path> paths = Files.walk(root)) {
                for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(path);
                }
            }
        }
        return true;
    }

    static String program() {
        String named = System.getenv().getOrDefault("PARLEY_TEST_REDIS", "");
        return named.isBlank() ? Embedded.PATH.orElseThrow(RedisServer::noProgram) : named;
    }

    private static RuntimeException noProgram() {
        return Tool.missing(
                "the Redis of the embedded-redis library does not start here (it needs OpenSSL 3),"
                        + " and redis-server is not on the PATH");
    }

    /** Tells whether a program runs on this machine. */
    static boolean starts(String program) {
        try (OwnedProcess version = OwnedProcess.start(new ProcessBuilder(program, "--version"))) {
            return version.awaitExit() == 0;
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    /**
     * The program in the embedded-redis library, unpacked when it is first used. On Linux, and on
     * Macs with Apple silicon, it does not start without OpenSSL 3; the one on the {@code PATH}
     * takes its place then.
     */
    private static final class Embedded {

        static final Optional<String> PATH =
                Optional.of(unpack())
                        .filter(RedisServer::starts)
                        .or(() -> Tool.find("redis-server").map(Path::toString));

        private static String unpack() {
            try {
                Path directory = Files.createTempDirectory("parley-redis-binary");
                directory.toFile().deleteOnExit();
                File binary = ExecutableProvider.newJarResourceProvider(directory.toFile()).get();
                binary.deleteOnExit();
                return binary.getAbsolutePath();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /**
     * A reply that is not an error.
     *
     * @param value a text (string, status or number), a list of replies, or null for no value
     */
    public record Reply(@Nullable Object value) {

        /** The text of a string, status or number. */
        public String text() {
            return (String) requireNonNull(value, "no value");
        }

        public long number() {
            return Long.parseLong(text());
        }

        /** The elements of an array. */
        @SuppressWarnings("unchecked")
        public List<Reply> items() {
            return (List<Reply>) requireNonNull(value, "no value");
        }

        public boolean isNil() {
            return value == null;
        }

        @Override
        public String toString() {
            return value == null ? "nil" : value.toString();
        }
    }

    /** An error reply; the message is its text. */
    static final class ErrorReply extends RuntimeException {

        private static final long serialVersionUID = 1L;

        ErrorReply(String message) {
            super(message);
        }
    }

    /** A plain connection that speaks RESP 2. */
    static final class Connection implements Closeable {

        private final Socket socket = new Socket();
        private final InputStream in;

        Connection(int port, int timeoutMillis) {
            try {
                socket.setSoTimeout(timeoutMillis);
                socket.setTcpNoDelay(true);
                var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
                socket.connect(address, timeoutMillis);
                in = new BufferedInputStream(socket.getInputStream());
            } catch (IOException e) {
                Sockets.close(socket);
                throw new UncheckedIOException(e);
            }
        }

        /**
         * Sends a command and returns its reply.
         *
         * @throws ErrorReply if Redis answers with an error
         * @throws UncheckedIOException if there is no answer in time
         */
        Reply command(String... args) {
            try {
                send(args);
                return read();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private void send(String... args) throws IOException {
            var request = new ByteArrayOutputStream();
            request.writeBytes(("*" + args.length + "\r\n").getBytes(UTF_8));
            for (String arg : args) {
                byte[] bytes = arg.getBytes(UTF_8);
                request.writeBytes(("$" + bytes.length + "\r\n").getBytes(UTF_8));
                request.writeBytes(bytes);
                request.writeBytes(new byte[] {'\r', '\n'});
            }
            request.writeTo(socket.getOutputStream());
        }

        private Reply read() throws IOException {
            String line = HttpAnswer.readLine(in);
            String rest = line.substring(1);
            return switch (line.charAt(0)) {
                case '+', ':' -> new Reply(rest);
                case '-' -> throw new ErrorReply(rest);
                case '$' -> bulk(Integer.parseInt(rest));
                case '*' -> array(Integer.parseInt(rest));
                default -> throw new IOException("not RESP 2: " + line);
            };
        }

        private Reply bulk(int length) throws IOException {
            if (length < 0) {
                return new Reply(null);
            }
            byte[] bytes = in.readNBytes(length);
            if (bytes.length < length || in.skip(2) < 2) {
                throw new EOFException("Redis closed the connection");
            }
            return new Reply(new String(bytes, UTF_8));
        }

        private Reply array(int length) throws IOException {
            if (length < 0) {
                return new Reply(null);
            }
            List<Reply> items = new ArrayList<>();
            for (int i = 0; i < length; i++) {
                items.add(read());
            }
            return new Reply(List.copyOf(items));
        }

        @Override
        public void close() {
            Sockets.close(socket);
        }
    }
}
