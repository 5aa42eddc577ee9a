package dev.parley.redis;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Remembers whether Redis accepts writes. A Redis that refuses them, because its memory or its disk
 * is full, still delivers and can be read. The log has each kind of refusal once until writes are
 * accepted again: where two kinds take turns, because of publishes in different rooms, each of them
 * would otherwise write a line. Thread-safe.
 *
 * <p>Refusals end at a probe, not at a publish that Redis accepts. When its memory is nearly full,
 * Redis refuses a long publish and accepts a short one right afterwards; a client may send the two
 * in turns, and would write two lines into the log with each pair. So a refusal ends at the first
 * probe before which, since the probe before that, no publish was refused.
 */
public final class RedisWrites {

    private static final Logger LOG = Logger.getLogger(RedisWrites.class);

    /**
     * Refusals that every publish gets until an operator acts. The others are about one command or
     * about a moment, or make the pod connect to another server.
     */
    private static final Set<RedisRefusal> OF_WRITES =
            EnumSet.of(
                    RedisRefusal.MISCONF,
                    RedisRefusal.NOREPLICAS,
                    RedisRefusal.OOM,
                    RedisRefusal.NOPERM);

    private final String redis;

    /** The last refusal; null while writes are accepted. Written under the lock. */
    private volatile @Nullable RedisRefusal refusal;

    private volatile String reason = "";

    // Guarded by this.

    /** The kinds of refusal since writes were accepted last. */
    private final Set<RedisRefusal> refusals = EnumSet.noneOf(RedisRefusal.class);

    /** Whether a publish was refused since the last probe. */
    private boolean refusedSinceProbe;

    /** Whether a publish was accepted since one was refused. */
    private boolean acceptedSince;

    /**
     * @param redis what the log calls the server, such as {@code Redis}
     */
    RedisWrites(String redis) {
        this.redis = redis;
    }

    /**
     * Notes the result of the probe's write.
     *
     * @param error the text of the error reply; empty if Redis took the write
     */
    void onProbe(String error) {
        // NOPERM depends on the commands that a script uses: the probe's may be allowed although
        // those of a publish are not, and the reverse. Only a publish sets it, and before it ends a
        // publish must have been accepted. Where the probe may never write, or gets an error that
        // says nothing of publishes, that ends any other refusal too.
        RedisRefusal ofProbe = RedisRefusal.ofReply(error);
        boolean isOfPublishes = OF_WRITES.contains(ofProbe) && ofProbe != RedisRefusal.NOPERM;
        if (isOfPublishes) {
            onProbeRefused(error);
        } else if (refusal != null) {
            endUnlessRefusedSince(error.isEmpty());
        }
    }

    private synchronized void endUnlessRefusedSince(boolean probeAccepted) {
        boolean isProbeAProof = probeAccepted && !refusals.contains(RedisRefusal.NOPERM);
        boolean isOver = !refusedSinceProbe && (acceptedSince || isProbeAProof);
        refusedSinceProbe = false;
        if (refusal != null && isOver) {
            refusal = null;
            refusals.clear();
            LOG.infof("%s takes publishes again", redis);
        }
    }

    private synchronized void onProbeRefused(String text) {
        refusedSinceProbe = false;
        onRefused(text);
    }

    /** Notes that a publish failed. */
    public void onFailure(RedisUnavailable failure) {
        if (failure.refusal().isPresent() && failure.getCause() != null) {
            String text = String.valueOf(failure.getCause().getMessage());
            if (OF_WRITES.contains(RedisRefusal.ofReply(text))) {
                onPublishRefused(text);
            }
        }
    }

    private synchronized void onPublishRefused(String text) {
        refusedSinceProbe = true;
        acceptedSince = false;
        onRefused(text);
    }

    private void onRefused(String text) {
        RedisRefusal now = RedisRefusal.ofReply(text);
        if (now == refusal || !OF_WRITES.contains(now)) {
            return;
        }
        synchronized (this) {
            if (now != refusal) {
                reason = redis + " refuses to publish: " + RedisReason.ofReply(text);
                refusal = now;
                if (refusals.add(now)) {
                    LOG.warnf(
                            "%s. Publishes are answered with 503 until it takes them again; reading"
                                    + " goes on",
                            reason);
                }
            }
        }
    }

    /** Notes that Redis accepted a publish. */
    public void onAccepted() {
        if (refusal == null) {
            return;
        }
        synchronized (this) {
            acceptedSince = true;
        }
    }

    /** Returns why publishing fails, one sentence for an operator; empty while it does not. */
    public Optional<String> problem() {
        return refusal == null ? Optional.empty() : Optional.of(reason);
    }
}
