package dev.parley.redis;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.redis.client.Response;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jboss.logging.Logger;

/**
 * Warns when Redis may delete keys to make room ({@code maxmemory-policy}), and when it does. All
 * keys of Parley expire, so every policy but {@code noeviction} can delete messages that readers
 * may ask for. Each change is logged once. Thread-safe.
 */
final class EvictionWatch {

    /** To be loaded where commands are sent. */
    static final RedisCommands.Script SCRIPT =
            RedisCommands.Script.load(EvictionWatch.class, "eviction.lua");

    private static final Logger LOG = Logger.getLogger(EvictionWatch.class);

    /** A server that has not answered yet. */
    private static final Answer UNKNOWN = new Answer("", 0, "", 0);

    private final String redis;
    private final RedisCommands commands;
    private final Counter evicted;

    // Written under the lock of this.

    private Answer last = UNKNOWN;
    private boolean wasEvicting;
    private volatile boolean mayEvict;

    /**
     * What a server says about itself.
     *
     * @param server id of its process
     * @param maxMemory bytes; 0 for no limit
     * @param evicted keys since the process started
     */
    record Answer(String server, long maxMemory, String policy, long evicted) {

        /** Reads what the script returned. */
        static Answer of(Response reply) {
            return new Answer(
                    reply.get(0).toString(),
                    number(reply.get(1).toString()),
                    reply.get(2).toString(),
                    number(reply.get(3).toString()));
        }

        private static long number(String text) {
            return text.matches("[0-9]{1,18}") ? Long.parseLong(text) : 0;
        }

        boolean mayEvict() {
            return maxMemory > 0 && !policy.isEmpty() && !policy.equals("noeviction");
        }

        private String settings() {
            return "maxmemory-policy " + policy + ", maxmemory " + maxMemory;
        }
    }

    /**
     * @param redis what the log calls the server, such as {@code Redis}
     */
    EvictionWatch(String redis, RedisCommands commands, MeterRegistry meters) {
        this.redis = redis;
        this.commands = commands;
        this.evicted =
                Counter.builder("parley.redis.evicted")
                        .description(
                                "Keys that Redis evicted while this pod watched; every pod counts"
                                        + " the same ones")
                        .register(meters);
    }

    /** Registers the gauge of a server, or of all nodes of a Cluster together. */
    static void register(BooleanSupplier mayEvict, MeterRegistry meters) {
        Gauge.builder("parley.redis.may.evict", mayEvict, may -> may.getAsBoolean() ? 1 : 0)
                .description("1 while Redis deletes keys when its memory is full, else 0")
                .strongReference(true)
                .register(meters);
    }

    /** Tells whether the server said, when it was last asked, that it may delete keys. */
    boolean mayEvict() {
        return mayEvict;
    }

    /**
     * Asks the server. One that does not answer is asked again the next time.
     *
     * @param key which the server has, if it is a node of a Cluster
     */
    void check(String key) {
        commands.send(SCRIPT, List.of(key), List.of())
                .onSuccess(reply -> onAnswer(Answer.of(reply)))
                .onFailure(failure -> LOG.debugf("not asked for evictions: %s", failure));
    }

    synchronized void onAnswer(Answer now) {
        compareSettings(now);
        // Another server, or another process, has another count.
        if (now.server().equals(last.server())) {
            compareEvictions(now);
        }
        last = now;
        mayEvict = now.mayEvict();
    }

    private void compareSettings(Answer now) {
        if (now.mayEvict() && !(mayEvict && now.policy().equals(last.policy()))) {
            LOG.warnf(
                    "%s deletes keys when its memory is full (%s): rooms would lose messages"
                            + " that readers may ask for. Set maxmemory-policy noeviction",
                    redis, now.settings());
        } else if (mayEvict && !now.mayEvict()) {
            LOG.infof("%s no longer deletes keys when its memory is full", redis);
        }
    }

    private void compareEvictions(Answer now) {
        long count = now.evicted() - last.evicted();
        boolean isEvicting = count > 0;
        if (isEvicting) {
            evicted.increment((double) count);
            if (!wasEvicting) {
                LOG.warnf(
                        "%s has evicted keys (%d since the last look), because its memory is"
                                + " full (%s): readers of rooms that lost messages get a gap."
                                + " Raise maxmemory, or keep less (PARLEY_HISTORY_SIZE,"
                                + " PARLEY_HISTORY_BYTES), and set maxmemory-policy noeviction."
                                + " Logged once until it stops; parley_redis_evicted_total counts",
                        redis, count, now.settings());
            }
        }
        wasEvicting = isEvicting;
    }
}
