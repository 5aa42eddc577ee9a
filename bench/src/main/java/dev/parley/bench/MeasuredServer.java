package dev.parley.bench;

import dev.parley.bench.floor.FloorPod;
import dev.parley.bench.floor.FloorServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The servers that can be measured. */
enum MeasuredServer {
    /** Parley over Redis. */
    PARLEY(true, true) {
        @Override
        RunningServer start(
                Settings settings, Scenario scenario, Path directory, Optional<Redis> redis)
                throws IOException {
            return QuarkusServers.parley(settings, scenario, directory, redis);
        }
    },
    /** Parley over Redis, with the AOT cache of the container image. */
    PARLEY_AOT(true, AotCache.isPossible()) {
        @Override
        RunningServer start(
                Settings settings, Scenario scenario, Path directory, Optional<Redis> redis)
                throws IOException {
            return QuarkusServers.parleyWithCache(settings, scenario, directory, redis);
        }
    },
    /** Parley as one node, in memory. */
    PARLEY_MEMORY(false, true) {
        @Override
        RunningServer start(
                Settings settings, Scenario scenario, Path directory, Optional<Redis> redis)
                throws IOException {
            return QuarkusServers.parley(settings, scenario, directory, redis);
        }
    },
    /** Another version of Parley over Redis. */
    OTHER(true, true) {
        @Override
        RunningServer start(
                Settings settings, Scenario scenario, Path directory, Optional<Redis> redis)
                throws IOException {
            return QuarkusServers.other(settings, scenario, directory, redis);
        }
    },
    /** A minimal chat in idiomatic Quarkus, over Redis: {@code bench/idiomatic}. */
    IDIOMATIC(true, true) {
        @Override
        RunningServer start(
                Settings settings, Scenario scenario, Path directory, Optional<Redis> redis)
                throws IOException {
            return QuarkusServers.idiomatic(settings, directory, redis);
        }
    },
    /** A chat as one writes it first in Go, over Redis: {@code bench/go}. */
    GO(true, GoServer.isInstalled()) {
        @Override
        RunningServer start(
                Settings settings, Scenario scenario, Path directory, Optional<Redis> redis)
                throws IOException {
            return GoServer.start(directory, redis.orElseThrow());
        }
    },
    /** nginx with the nchan module, in memory. */
    NCHAN(false, NchanServer.isInstalled()) {
        @Override
        RunningServer start(
                Settings settings, Scenario scenario, Path directory, Optional<Redis> redis)
                throws IOException {
            return NchanServer.start(directory, redis);
        }
    },
    /** nginx with the nchan module, over Redis. */
    NCHAN_REDIS(true, NchanServer.isInstalled()) {
        @Override
        RunningServer start(
                Settings settings, Scenario scenario, Path directory, Optional<Redis> redis)
                throws IOException {
            return NchanServer.start(directory, redis);
        }
    },
    /** A loop with one write for each reader and message, and nothing else. */
    FLOOR(false, true) {
        @Override
        RunningServer start(
                Settings settings, Scenario scenario, Path directory, Optional<Redis> redis)
                throws IOException {
            return redis.isPresent()
                    ? floor(
                            settings,
                            directory,
                            FloorPod.class,
                            Integer.toString(redis.get().port()))
                    : floor(settings, directory, FloorServer.class);
        }
    };

    static final String DEFAULT = "parley,idiomatic,go,nchan,floor";

    private final boolean needsRedis;
    private final boolean installed;

    MeasuredServer(boolean needsRedis, boolean installed) {
        this.needsRedis = needsRedis;
        this.installed = installed;
    }

    /**
     * Starts the server and returns when it is ready.
     *
     * @param scenario whose settings it gets, if it is a Parley
     * @param directory where its log and its files go
     */
    abstract RunningServer start(
            Settings settings, Scenario scenario, Path directory, Optional<Redis> redis)
            throws IOException;

    /** Whether it is a Parley over Redis, of which several can be linked. */
    boolean isParleyOnRedis() {
        return this == PARLEY || this == PARLEY_AOT || this == OTHER;
    }

    /** Whether it is a Parley. */
    boolean isParley() {
        return isParleyOnRedis() || this == PARLEY_MEMORY;
    }

    /** The server at which messages are published when they are read at others of this kind. */
    MeasuredServer publishing() {
        return this == FLOOR ? PARLEY : this;
    }

    /** Whether it needs a Redis of its own in a scenario. */
    boolean needsRedis(Scenario scenario) {
        return needsRedis || scenario.pods() > 1;
    }

    boolean isInstalled() {
        return installed;
    }

    /** The server's name on the command line and in the tables. */
    String key() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static RunningServer floor(
            Settings settings, Path directory, Class<?> program, String... arguments)
            throws IOException {
        int port = RunningServer.freePort();
        List<String> command = QuarkusServers.java(settings);
        command.addAll(
                List.of(
                        "-cp",
                        System.getProperty("java.class.path"),
                        program.getName(),
                        Integer.toString(port)));
        command.addAll(List.of(arguments));
        return RunningServer.start(
                new ProcessBuilder(command),
                directory.resolve("server.log"),
                port,
                List.of(URI.create("http://127.0.0.1:" + port + "/ready")),
                true);
    }

    static MeasuredServer named(String name) {
        return Arrays.stream(values())
                .filter(server -> server.key().equals(name))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "bench.servers: no server is called "
                                                + name
                                                + "; there are "
                                                + Arrays.stream(values())
                                                        .map(MeasuredServer::key)
                                                        .toList()));
    }
}
