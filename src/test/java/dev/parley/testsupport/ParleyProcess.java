package dev.parley.testsupport;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
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
 * parley.jvm-args} further arguments of its JVM (default none).
 */
public final class ParleyProcess implements Closeable {

    private static final Pattern LISTENING =
            Pattern.compile("Listening on:? https?://[^\\s/]*:(\\d+)");

    private static final Pattern MANAGEMENT =
            Pattern.compile("Management interface listening on https?://[^\\s/]*:(\\d+)");

    private final ParleyCommand command;
    private final OwnedProcess process;
    private final int port;
    private final int managementPort;
    private boolean terminated;

    private ParleyProcess(ParleyCommand command, OwnedProcess process, int port) {
        this.command = command;
        this.process = process;
        this.port = port;
        this.managementPort =
                portIn(process.log(), MANAGEMENT)
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
        private Path jar =
                Path.of(System.getProperty("parley.app", "target/quarkus-app/quarkus-run.jar"));

        private Builder() {
            config("quarkus.http.host", "127.0.0.1");
            config("quarkus.management.host", "127.0.0.1");
            config(ParleyCommand.PORT, "0");
            config(ParleyCommand.MANAGEMENT_PORT, "0");
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
            // The framework logs a warning when an event loop is blocked for longer than this.
            config("quarkus.vertx.max-event-loop-execute-time", "30S");
        }

        /** Uses the Redis at this address, such as {@code redis://127.0.0.1:6379}. */
        public Builder redis(String uri) {
            return config("quarkus.redis.hosts", uri);
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

        /** Listens on this port instead of one that the system chooses; see {@link Ports#free}. */
        public Builder port(int port) {
            return ports(port, Ports.free());
        }

        /**
         * Listens on these ports. The framework's metrics want either both to be named, or neither.
         */
        public Builder ports(int port, int managementPort) {
            config(ParleyCommand.PORT, Integer.toString(port));
            return config(ParleyCommand.MANAGEMENT_PORT, Integer.toString(managementPort));
        }

        /** Runs another jar than the packaged one. */
        Builder jar(Path path) {
            jar = path;
            return this;
        }

        /**
         * Replaces the JVM's options, which by default make it start fast and use little memory.
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
            return launch(new ParleyCommand(config, environment, jvmOptions, jar));
        }
    }

    private static ParleyProcess launch(ParleyCommand command) {
        OwnedProcess process = OwnedProcess.start(command.toProcess());
        Optional<Integer> port = process.awaitOutput(log -> portIn(log, LISTENING));
        if (port.isEmpty()) {
            throw startFailed(process);
        }
        return new ParleyProcess(command, process, port.get());
    }

    private static IllegalStateException startFailed(OwnedProcess process) {
        String how = "did not listen in time";
        if (process.outputEnded()) {
            how = "ended before it listened, exit code " + process.awaitExit();
        }
        process.kill();
        return new IllegalStateException("Parley %s:%n%s".formatted(how, process.log()));
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
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest probe =
                HttpRequest.newBuilder(
                                URI.create(
                                        "http://127.0.0.1:" + managementPort + "/q/health/ready"))
                        .timeout(Timeouts.LIMIT)
                        .build();
        Timeouts.await("readiness " + status)
                .ignoreExceptionsInstanceOf(IOException.class)
                .failFast(() -> assertThat(alive()).as("Parley runs; its log: %s", log()).isTrue())
                .until(() -> status(client, probe) == status);
    }

    private static int status(HttpClient client, HttpRequest request)
            throws IOException, InterruptedException {
        return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
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
     * Starts a pod with the same configuration on the same port, after this one has ended. The port
     * should come from {@link Ports#free}.
     */
    public ParleyProcess replacement() {
        return launch(command.onPort(port));
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
        if (ParleyCommand.isMeasured() && process.alive() && !terminated) {
            process.terminate();
            process.awaitExit();
        }
        process.close();
    }
}
