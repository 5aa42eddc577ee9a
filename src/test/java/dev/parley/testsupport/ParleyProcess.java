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
 * One Parley pod as an operating-system process: the packaged application on a JVM, or the native
 * executable, on a loopback port.
 *
 * <p>The system property {@code parley.native} names the executable to run; without it {@code
 * parley.app} names the jar (default {@code target/quarkus-app/quarkus-run.jar}), and {@code
 * parley.jvm-args} what its JVM is started with besides, by default nothing.
 */
public final class ParleyProcess implements Closeable {

    private static final Pattern LISTENING =
            Pattern.compile("Listening on:? https?://[^\\s/]*:(\\d+)");

    private final ParleyCommand command;
    private final OwnedProcess process;
    private final int port;
    private boolean toldToEnd;

    private ParleyProcess(ParleyCommand command, OwnedProcess process, int port) {
        this.command = command;
        this.process = process;
        this.port = port;
    }

    public static Builder builder() {
        return new Builder();
    }

    /** A running pod that keeps its messages in memory. */
    public static ParleyProcess start() {
        return builder().start();
    }

    /** A running pod on this Redis. */
    public static ParleyProcess start(RedisServer redis) {
        return builder().redis(redis.uri()).start();
    }

    /** What a pod is started with; one builder can start any number of them. */
    public static final class Builder {

        private final Map<String, String> config = new LinkedHashMap<>();
        private final Map<String, String> environment = new LinkedHashMap<>();
        private List<String> jvmOptions =
                List.of("-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");
        private Path jar =
                Path.of(System.getProperty("parley.app", "target/quarkus-app/quarkus-run.jar"));

        private Builder() {
            config("quarkus.http.host", "127.0.0.1");
            port(0);
            patient();
        }

        /**
         * The program's own deadlines, so long that no load of the machine makes a healthy pod miss
         * one. Who tests a deadline sets it.
         */
        private void patient() {
            config("parley.redis.timeout", "60S");
            config("parley.redis.probe-timeout", "60S");
            config("parley.events.slow-timeout", "5M");
            config("parley.publish.request-timeout", "5M");
            config("quarkus.shutdown.timeout", "60S");
            // Above it the framework warns of an event loop that does not get on.
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
         * Sets an environment variable. Those of this JVM that would configure Parley or Quarkus
         * are not passed on.
         */
        public Builder environment(String name, String value) {
            environment.put(name, value);
            return this;
        }

        /** Listens here instead of on a port that the system chooses; see {@link Ports#free}. */
        public Builder port(int port) {
            return config(ParleyCommand.PORT, Integer.toString(port));
        }

        /** Runs this jar. */
        Builder jar(Path path) {
            jar = path;
            return this;
        }

        /** Replaces the JVM's options, which by default make it small and quick to start. */
        public Builder jvmOptions(String... options) {
            jvmOptions = List.of(options);
            return this;
        }

        /**
         * Starts a pod and returns when it listens; {@link ParleyProcess#awaitReady} waits for
         * more.
         *
         * @throws IllegalStateException if it does not come to listen; the message has its log
         */
        public ParleyProcess start() {
            return launch(new ParleyCommand(config, environment, jvmOptions, jar));
        }
    }

    private static ParleyProcess launch(ParleyCommand command) {
        OwnedProcess process = OwnedProcess.start(command.toProcess());
        Optional<Integer> port = process.awaitOutput(ParleyProcess::listeningPort);
        if (port.isEmpty()) {
            throw startFailed(process);
        }
        return new ParleyProcess(command, process, port.get());
    }

    private static IllegalStateException startFailed(OwnedProcess process) {
        String how = "was given up before it listened";
        if (process.outputEnded()) {
            how = "ended before it listened, exit code " + process.awaitExit();
        }
        process.kill();
        return new IllegalStateException("Parley %s:%n%s".formatted(how, process.log()));
    }

    private static Optional<Integer> listeningPort(String log) {
        Matcher matcher = LISTENING.matcher(log);
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

    public boolean alive() {
        return process.alive();
    }

    /** All output so far. */
    public String log() {
        return process.log();
    }

    /** Waits for a text in the output, earlier output included. */
    public void awaitLog(String substring) {
        Optional<String> found =
                process.awaitOutput(
                        log -> log.contains(substring) ? Optional.of(substring) : Optional.empty());
        if (found.isEmpty()) {
            throw new AssertionError("\"" + substring + "\" is not in the log:\n" + log());
        }
    }

    /** Waits until the pod says that it is ready for traffic. */
    public ParleyProcess awaitReady() {
        awaitReadiness(200);
        return this;
    }

    /** Waits until the readiness probe is answered with this status. */
    public void awaitReadiness(int status) {
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest probe =
                HttpRequest.newBuilder(uri("/q/health/ready")).timeout(Timeouts.LIMIT).build();
        Timeouts.await("readiness " + status)
                .ignoreExceptionsInstanceOf(IOException.class)
                .failFast(() -> assertThat(alive()).as("Parley runs; its log: %s", log()).isTrue())
                .until(() -> status(client, probe) == status);
    }

    private static int status(HttpClient client, HttpRequest request)
            throws IOException, InterruptedException {
        return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
    }

    /** SIGKILL; returns when the process is gone. */
    public void kill() {
        process.kill();
    }

    /** SIGTERM, as Kubernetes sends it; {@link #awaitExit} waits for the end. */
    public void terminate() {
        toldToEnd = true;
        process.terminate();
    }

    /** The exit code, once the process has ended. */
    public int awaitExit() {
        return process.awaitExit();
    }

    /**
     * Another pod with the same configuration on the same port, after this one has ended. Use it
     * with a port from {@link Ports#free}.
     */
    public ParleyProcess replacement() {
        return launch(command.onPort(port));
    }

    /** SIGSTOP: connections stay open and get no answer. Linux only. */
    public void pause() {
        process.pause();
    }

    /** SIGCONT. */
    public void resume() {
        process.resume();
    }

    /**
     * SIGKILL, if it still runs. One that is measured is first let end, unless it was told to
     * before: it writes its figures when it is told.
     */
    @Override
    public void close() {
        if (ParleyCommand.isMeasured() && process.alive() && !toldToEnd) {
            process.terminate();
            process.awaitExit();
        }
        process.close();
    }
}
