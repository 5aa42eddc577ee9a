package dev.parley.bench;

import dev.parley.testsupport.RedisServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** A server that is measured. */
enum Contestant {
    /** Parley over Redis. */
    PARLEY(true, true) {
        @Override
        RunningServer start(Settings settings, Path directory, Optional<RedisServer> redis)
                throws IOException {
            return Quarkus.parley(settings, directory, redis);
        }
    },
    /** Parley as one node, in memory. */
    PARLEY_MEMORY(false, true) {
        @Override
        RunningServer start(Settings settings, Path directory, Optional<RedisServer> redis)
                throws IOException {
            return Quarkus.parley(settings, directory, redis);
        }
    },
    /** What one writes first in Quarkus, over Redis. */
    IDIOMATIC(true, true) {
        @Override
        RunningServer start(Settings settings, Path directory, Optional<RedisServer> redis)
                throws IOException {
            return Quarkus.idiomatic(settings, directory, redis);
        }
    },
    /** nginx with the nchan module, in memory. */
    NCHAN(false, Nchan.isInstalled()) {
        @Override
        RunningServer start(Settings settings, Path directory, Optional<RedisServer> redis)
                throws IOException {
            return Nchan.start(directory, redis);
        }
    },
    /** nginx with the nchan module, over Redis. */
    NCHAN_REDIS(true, Nchan.isInstalled()) {
        @Override
        RunningServer start(Settings settings, Path directory, Optional<RedisServer> redis)
                throws IOException {
            return Nchan.start(directory, redis);
        }
    };

    static final String DEFAULT = "parley,idiomatic,nchan";

    private final boolean needsRedis;
    private final boolean installed;

    Contestant(boolean needsRedis, boolean installed) {
        this.needsRedis = needsRedis;
        this.installed = installed;
    }

    /** Starts it; it writes what it has to say into the directory. */
    abstract RunningServer start(Settings settings, Path directory, Optional<RedisServer> redis)
            throws IOException;

    boolean needsRedis() {
        return needsRedis;
    }

    boolean isInstalled() {
        return installed;
    }

    /** Its name on the command line and in the table. */
    String key() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static Contestant named(String name) {
        return Arrays.stream(values())
                .filter(contestant -> contestant.key().equals(name))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "no server is called "
                                                + name
                                                + ", only "
                                                + List.of(values())));
    }
}
