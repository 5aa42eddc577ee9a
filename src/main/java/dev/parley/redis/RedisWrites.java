package dev.parley.redis;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Whether Redis takes writes. A Redis that refuses them, because its memory or its disk is full,
 * still delivers and can be read. Each change is logged once. Thread-safe.
 */
public final class RedisWrites {

    private static final Logger LOG = Logger.getLogger(RedisWrites.class);

    /**
     * The refusals of writes as such: others depend on the command, on its key or on the moment.
     */
    private static final Set<RedisRefusal> OF_WRITES =
            EnumSet.of(
                    RedisRefusal.MISCONF,
                    RedisRefusal.NOREPLICAS,
                    RedisRefusal.OOM,
                    RedisRefusal.NOPERM);

    private volatile @Nullable RedisRefusal refusal;
    private volatile String reason = "";

    /**
     * The probe tried a write.
     *
     * @param error the text of the error reply; empty if Redis took the write
     */
    void onProbe(String error) {
        // What the account may do to one key says nothing about a publish, which takes other
        // commands: only a publish tells.
        if (error.isEmpty()) {
            if (refusal != RedisRefusal.NOPERM) {
                onAccepted();
            }
        } else if (RedisRefusal.ofReply(error) != RedisRefusal.NOPERM) {
            onRefused(error);
        }
    }

    /** A publish failed. */
    public void onFailure(RedisUnavailable failure) {
        if (failure.refusal().isPresent() && failure.getCause() != null) {
            onRefused(String.valueOf(failure.getCause().getMessage()));
        }
    }

    private void onRefused(String text) {
        RedisRefusal now = RedisRefusal.ofReply(text);
        if (now == refusal || !OF_WRITES.contains(now)) {
            return;
        }
        synchronized (this) {
            if (now != refusal) {
                reason = "Redis refuses to publish: " + RedisReason.ofReply(text);
                refusal = now;
                LOG.warnf(
                        "%s. Publishes are answered with 503 until it takes them again; reading"
                                + " goes on",
                        reason);
            }
        }
    }

    /** Redis took a publish. */
    public void onAccepted() {
        if (refusal == null) {
            return;
        }
        synchronized (this) {
            if (refusal != null) {
                refusal = null;
                LOG.info("Redis takes publishes again");
            }
        }
    }

    /** Tells an operator why publishing fails; empty while it does not. */
    public Optional<String> problem() {
        return refusal == null ? Optional.empty() : Optional.of(reason);
    }
}
