package dev.parley.ops;

import dev.parley.delivery.StreamLimitsConfig;
import dev.parley.http.FileLimit;
import io.smallrye.config.SmallRyeConfig;
import jakarta.annotation.Priority;
import jakarta.enterprise.inject.Alternative;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.util.Optional;
import java.util.OptionalInt;
import org.eclipse.microprofile.config.ConfigProvider;
import org.jboss.logging.Logger;

/**
 * Lowers the limit of streams to the number of files that the process may open, since every stream
 * is one file. Without that, a pod that runs out of files stops accepting connections: readers,
 * publishers and probes wait, and the pod cannot connect to Redis again either. With it, a pod at
 * its limit says goodbye to new readers, who come back on another one.
 */
@Singleton
final class OpenFiles {

    private static final Logger LOG = Logger.getLogger(OpenFiles.class);

    private static final String SETTING = "parley.limits.connections";

    /**
     * Most files that are kept for all that is not a stream: publishers, probes, Redis, and the
     * program's own files, nearly two hundred of which are the jars of its class path.
     */
    private static final int RESERVE = 1000;

    /** Replaces the configured limits wherever they are injected. */
    @Produces
    @Singleton
    @Alternative
    @Priority(1)
    StreamLimitsConfig limits() {
        var config = ConfigProvider.getConfig().unwrap(SmallRyeConfig.class);
        StreamLimitsConfig configured = config.getConfigMapping(StreamLimitsConfig.class);
        Optional<FileLimit> limit = FileLimit.ofProcess();
        if (limit.isEmpty()) {
            return configured;
        }
        int streams = streamsWithin(limit.get());
        if (configured.connections() <= streams) {
            return configured;
        }
        boolean isDefault = config.getConfigValue(SETTING).getSourceOrdinal() == Integer.MIN_VALUE;
        LOG.logf(
                isDefault ? Logger.Level.INFO : Logger.Level.WARN,
                "The pod takes %d streams instead of the %d of %s: the process may open only %d"
                        + " files. Raise that limit to %d (ulimit -n, LimitNOFILE), or lower %s",
                streams,
                configured.connections(),
                SETTING,
                limit.get().files(),
                (long) configured.connections() + RESERVE,
                SETTING);
        return new Limits(
                streams, configured.connectionsPerAddress(), configured.roomsPerAddress());
    }

    /** Returns how many streams a process that is starting takes. */
    static int streamsWithin(FileLimit limit) {
        return limit.leaving(RESERVE, 4);
    }

    private record Limits(int connections, int connectionsPerAddress, OptionalInt roomsPerAddress)
            implements StreamLimitsConfig {}
}
