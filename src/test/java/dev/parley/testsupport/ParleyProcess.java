package dev.parley.testsupport;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.Closeable;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A Parley pod as an operating-system process on a loopback port: the packaged application on a
 * JVM, or the native executable.
 *
 * <p>The system property {@code parley.native} names the executable to run. Without it {@code
 * parley.app} names the jar (default {@code target/quarkus-app/quarkus-run.jar}), and {@code
 * parley.jvm-args} further arguments of its JVM (default none). {@code parley.transport=jdk} makes
 * pods use the JDK's transport instead of epoll.
 */
public final class ParleyProcess implements Closeable {

    private static final String PORT = "quarkus.http.port";
    private static final String MANAGEMENT_PORT = "quarkus.management.port";

    private static final Pattern LISTENING =
            Pattern.compile("Listening on:? https?://[^\\s/]*:(\\d+)");

    private static final Pattern MANAGEMENT_LISTENING =
            Pattern.compile("Management interface listening on https?://[^\\s/]*:(\\d+)");

    /** What the framework and the JVM say of a port that another process has. */
    private static final Pattern PORT_IN_USE =
            Pattern.compile("seems to be in use by another process|Address already in use");

    private static final int PORT_ATTEMPTS = 5;

    private static final Path PACKAGED =
            Path.of(System.getProperty("parley.app", "target/quarkus-app/quarkus-run.jar"));

    private static final Path OWN_JAVA = Path.of(System.getProperty("java.home"), "bin", "java");

    private final Builder options;
    private final OwnedProcess process;
    private final int port;
    private final int managementPort;
    private boolean terminated;

    private ParleyProcess(Builder options, OwnedProcess process, int port) {
        this.options = options;
        this.process = process;
        this.port = port;
        this.managementPort =
                portIn(process.log(), MANAGEMENT_LISTENING)
                        .orElseThrow(
                                () -> new IllegalStateException("no port in " + process.log()));
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Starts a pod that keeps its messages in memory. */
    public static ParleyProcess start() {
        return builder().start();
    }

    /** Starts a pod on this Redis. */
    public static ParleyProcess start(RedisServer redis) {
        return builder().redis(redis.uri()).start();
    }

    /** The settings of a pod; one builder can start any number of pods. */
    public static final class Builder {

        private final Map<String, String> config = new LinkedHashMap<>();
        private final Map<String, String> environment = new LinkedHashMap<>();
        private List<String> jvmOptions =
                List.of("-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");
        private Path jar = PACKAGED;
        private Path java = OWN_JAVA;
        private List<String> moreJvmOptions = argumentsOfEveryJvm();
        private boolean withArchive = true;
        private int openFiles;
        private boolean fixedPort;

        private Builder(Builder other) {
            config.putAll(other.config);
            environment.putAll(other.environment);
            jvmOptions = other.jvmOptions;
            jar = other.jar;
            java = other.java;
            moreJvmOptions = other.moreJvmOptions;
            withArchive = other.withArchive;
            openFiles = other.openFiles;
            fixedPort = other.fixedPort;
        }

        private Builder() {
            config("quarkus.http.host", "127.0.0.1");
            config("quarkus.management.host", "127.0.0.1");
            config(PORT, "0");
            config(MANAGEMENT_PORT, "0");
            if (System.getProperty("parley.transport", "").equals("jdk")) {
                jdkTransport();
            }
            longDeadlines();
        }

        /**
         * Makes the program's deadlines long enough that a healthy pod misses none, however loaded
         * the machine is. A test of a deadline sets its own value.
         */
        private void longDeadlines() {
            config("parley.redis.timeout", "60S");
            config("parley.redis.probe-timeout", "60S");
            config("parley.events.slow-timeout", "5M");
            config("parley.publish.request-timeout", "5M");
            config("quarkus.shutdown.timeout", "60S");
            // A connection that a test expects to be closed must not end because it was idle.
            config("quarkus.http.idle-timeout", "1H");
            config("quarkus.management.idle-timeout", "1H");
            // The framework logs a warning when an event loop is blocked for longer than this.
            config("quarkus.vertx.max-event-loop-execute-time", "30S");
        }

        /** Uses the Redis at this address, such as {@code redis://127.0.0.1:6379}. */
        public Builder redis(String uri) {
            return config("quarkus.redis.hosts", uri);
        }

        /**
         * Listens for HTTPS too.
         *
         * @param keyStore of a {@link SelfSignedCertificate}
         */
        public Builder https(int port, Path keyStore) {
            config("quarkus.http.ssl-port", Integer.toString(port));
            config("quarkus.http.ssl.certificate.key-store-file", keyStore.toString());
            return config(
                    "quarkus.http.ssl.certificate.key-store-password",
                    SelfSignedCertificate.PASSWORD);
        }

        /** Uses the JDK's transport (NIO) also where there is epoll. */
        public Builder jdkTransport() {
            return config("quarkus.vertx.prefer-native-transport", "false");
        }

        /** Makes readers reconnect within a fraction of a second. */
        public Builder quickReconnect() {
            config("parley.events.min-retry", "50ms");
            return config("parley.events.max-retry", "200ms");
        }

        /** Makes the pod detect failures of Redis within seconds. */
        public Builder quickToDetectFaults() {
            config("parley.redis.probe-interval", "200ms");
            config("parley.redis.probe-timeout", "2S");
            return config("parley.redis.max-backoff", "200ms");
        }

        /** Sets a configuration key, as {@code -Dkey=value}. */
        public Builder config(String key, String value) {
            config.put(key, value);
            return this;
        }

        /**
         * Sets an environment variable. Variables of this JVM that would configure Parley or
         * Quarkus are not inherited.
         */
        public Builder environment(String name, String value) {
            environment.put(name, value);
            return this;
        }

        /**
         * Listens on ports of {@link Ports#free} instead of ones that the system chooses. A
         * replacement of the pod listens on the same ones.
         */
        public Builder fixedPort() {
            fixedPort = true;
            return this;
        }

        /**
         * Listens on these ports. The framework's metrics want either both to be named, or neither.
         */
        public Builder ports(int port, int managementPort) {
            config(PORT, Integer.toString(port));
            return config(MANAGEMENT_PORT, Integer.toString(managementPort));
        }

        /** Limits the number of files that the process may have open, by the shell's ulimit. */
        public Builder openFiles(int limit) {
            openFiles = limit;
            return this;
        }

        /**
         * Runs on another JVM than the tests do, without an agent that measures coverage: with an
         * agent no AOT cache fits.
         */
        public Builder java(Path path) {
            java = path;
            withArchive = false;
            moreJvmOptions = List.of();
            return this;
        }

        /** Runs another jar than the packaged one. */
        Builder jar(Path path) {
            jar = path;
            withArchive = false;
            return this;
        }

        /**
         * Replaces the JVM's options, which by default make it start fast and use little memory. A
         * native binary is given the size of the heap alone.
         */
        public Builder jvmOptions(String... options) {
            jvmOptions = List.of(options);
            return this;
        }

        /**
         * Starts a pod and returns when it listens. {@link ParleyProcess#awaitReady} waits until it
         * is ready.
         *
         * @throws IllegalStateException if it does not listen; the message contains its log
         */
        public ParleyProcess start() {
            for (int i = 1; ; i++) {
                var options = new Builder(this);
                if (fixedPort) {
                    options.ports(Ports.free(), Ports.free());
                }
                try {
                    return launch(options);
                } catch (PortTaken e) {
                    if (!fixedPort || i == PORT_ATTEMPTS) {
                        throw e;
                    }
                }
            }
        }

        /** Starts a pod and returns at once, while it does not listen yet. */
        public OwnedProcess startProcess() {
            return OwnedProcess.start(toProcess());
        }

        /** Starts a pod with a further option of its JVM, and stops it when it is ready. */
        private static String train(String jvmOption) {
            var training = new Builder().java(OWN_JAVA);
            training.moreJvmOptions = List.of(jvmOption);
            try (ParleyProcess pod = training.start().awaitReady()) {
                pod.terminate();
                pod.awaitExit();
                return pod.log();
            }
        }

        /**
         * The process to start; it inherits no variables that would configure Parley or Quarkus.
         */
        private ProcessBuilder toProcess() {
            var process = new ProcessBuilder(words());
            Map<String, String> variables = process.environment();
            variables
                    .keySet()
                    .removeIf(name -> name.startsWith("QUARKUS_") || name.startsWith("PARLEY_"));
            variables.putAll(environment);
            return process;
        }

        private List<String> words() {
            List<String> words = new ArrayList<>();
            if (openFiles > 0) {
                String limit = "ulimit -n " + openFiles + " && exec \"$@\"";
                words.addAll(List.of("sh", "-c", limit, "sh"));
            }
            List<String> options =
                    config.entrySet().stream()
                            .map(e -> "-D" + e.getKey() + "=" + e.getValue())
                            .toList();
            String executable = System.getProperty("parley.native", "");
            if (executable.isBlank()) {
                words.add(java.toString());
                words.addAll(jvmOptions);
                words.addAll(moreJvmOptions);
                if (withArchive) {
                    words.addAll(StartupArchive.options(jar, Builder::train));
                }
                words.addAll(options);
                words.addAll(List.of("-jar", jar.toAbsolutePath().toString()));
            } else {
                words.add(Path.of(executable).toAbsolutePath().toString());
                // Of the JVM's options the binary has these too.
                jvmOptions.stream()
                        .filter(option -> option.startsWith("-Xmx") || option.startsWith("-D"))
                        .forEach(words::add);
                words.addAll(options);
            }
            return words;
        }
    }

    /** Whether JVMs run with an agent (JaCoCo) that writes its results when the JVM exits. */
    private static boolean isMeasured() {
        return argumentsOfEveryJvm().stream()
                .anyMatch(argument -> argument.startsWith("-javaagent"));
    }

    private static List<String> argumentsOfEveryJvm() {
        String arguments = System.getProperty("parley.jvm-args", "");
        return arguments.isBlank() ? List.of() : List.of(arguments.strip().split("\\s+"));
    }

    private static ParleyProcess launch(Builder options) {
        OwnedProcess process = OwnedProcess.start(options.toProcess());
        Optional<Integer> port = process.awaitOutput(log -> portIn(log, LISTENING));
        if (port.isEmpty()) {
            throw startFailed(process);
        }
        return new ParleyProcess(options, process, port.get());
    }

    /** Another process took the port after {@link Ports#free} had found it free. */
    private static final class PortTaken extends IllegalStateException {

        private static final long serialVersionUID = 1;

        PortTaken(String message) {
            super(message);
        }
    }

    private static IllegalStateException startFailed(OwnedProcess process) {
        String how = "did not listen in time";
        if (process.outputEnded()) {
            how = "ended before it listened, exit code " + process.awaitExit();
        }
        process.kill();
        String message = "Parley %s:%n%s".formatted(how, process.log());
        return PORT_IN_USE.matcher(process.log()).find()
                ? new PortTaken(message)
                : new IllegalStateException(message);
    }

    private static Optional<Integer> portIn(String log, Pattern pattern) {
        Matcher matcher = pattern.matcher(log);
        return matcher.find() ? Optional.of(Integer.valueOf(matcher.group(1))) : Optional.empty();
    }

    /** The address of the start page. */
    public URI uri() {
        return uri("/");
    }

    /** The address of a path, which may have a query. */
    public URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    public int port() {
        return port;
    }

    /** The port of the management interface: health, metrics and the API description. */
    public int managementPort() {
        return managementPort;
    }

    /** A client of the management interface. */
    public Http management() {
        return new Http(URI.create("http://127.0.0.1:" + managementPort));
    }

    public boolean alive() {
        return process.alive();
    }

    /** All output so far. */
    public String log() {
        return process.log();
    }

    /** Waits until the output, earlier output included, contains this text. */
    public void awaitLog(String substring) {
        Optional<String> found =
                process.awaitOutput(
                        log -> log.contains(substring) ? Optional.of(substring) : Optional.empty());
        if (found.isEmpty()) {
            throw new AssertionError("\"" + substring + "\" is not in the log:\n" + log());
        }
    }

    /** Waits until the readiness probe reports that the pod is ready. */
    public ParleyProcess awaitReady() {
        awaitReadiness(200);
        return this;
    }

    /** Waits until the readiness probe is answered with this status. */
    public void awaitReadiness(int status) {
        Http probe = management();
        Timeouts.await("readiness " + status)
                .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                .failFast(() -> assertThat(alive()).as("Parley runs; its log: %s", log()).isTrue())
                .until(() -> probe.get("/q/health/ready").status() == status);
    }

    /** Sends SIGKILL; returns when the process has ended. */
    public void kill() {
        process.kill();
    }

    /** Sends SIGTERM, as Kubernetes does; {@link #awaitExit} waits for the end. */
    public void terminate() {
        terminated = true;
        process.terminate();
    }

    /** Waits for the end of the process and returns its exit code. */
    public int awaitExit() {
        return process.awaitExit();
    }

    /**
     * Starts a pod with the same configuration on the same port, after this one has ended. It
     * should have a {@link Builder#fixedPort}.
     */
    public ParleyProcess replacement() {
        return launch(new Builder(options).config(PORT, Integer.toString(port)));
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
     * Kills the process if it still runs. A process whose coverage is measured is terminated
     * instead and awaited, because it writes its results when it exits; one that the test has
     * terminated already has done so.
     */
    @Override
    public void close() {
        // A process that does not end on SIGTERM is killed all the same.
        try (process) {
            if (isMeasured() && process.alive() && !terminated) {
                process.terminate();
                process.awaitExit();
            }
        }
    }
}
