package dev.parley.redis;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Redis;
import java.util.Optional;

/**
 * Checks every few seconds that the pod is connected to the primary that most Sentinels name.
 *
 * <p>The probe cannot tell. If only the Sentinels lose a primary, for instance because the network
 * between them breaks, they promote a replica, and make the former primary a replica once they
 * reach it again. Until then it accepts messages, and delivers them to the pods that are connected
 * to it, but not to a pod that starts meanwhile; and all of them are lost in the end.
 *
 * <p>One Sentinel may be wrong for long ({@link SentinelClients}), so the pod moves only if
 *
 * <ol>
 *   <li>more than half of the Sentinels name one address,
 *   <li>the server there answers, and does not say that it is a replica,
 *   <li>it is certainly another server, and
 *   <li>the next check, one tick later, finds the same server again.
 * </ol>
 */
final class PrimaryWatch {

    /** Ticks of the probe's interval between two checks while nothing is wrong. */
    private static final int TICKS_PER_CHECK = 5;

    private final Vertx vertx;
    private final RedisConfig config;
    private final SentinelClients sentinels;
    private final RedisNode node;
    private long timer = -1;

    // Guarded by this.

    private final Comparison comparison = new Comparison();
    private boolean checking;
    private int ticks;

    /** Checks the connections of a node whose clients these are. */
    PrimaryWatch(RedisSetup setup, SentinelClients sentinels, RedisNode node) {
        this.vertx = setup.vertx();
        this.config = setup.config();
        this.sentinels = sentinels;
        this.node = node;
    }

    /** Begins to check. */
    void start() {
        timer = vertx.setPeriodic(config.probeInterval().toMillis(), id -> onTick());
    }

    /** Ends the checks. */
    void stop() {
        vertx.cancelTimer(timer);
    }

    private void onTick() {
        Optional<RedisLink.Server> present = node.server();
        synchronized (this) {
            boolean isDue = ++ticks >= TICKS_PER_CHECK || comparison.isInDoubt();
            if (checking || !isDue || present.isEmpty()) {
                return;
            }
            ticks = 0;
            checking = true;
        }
        sentinels
                .askAll()
                .compose(address -> check(address, present.get()))
                .onComplete(done -> onChecked(done.failed()));
    }

    private synchronized void onChecked(boolean failed) {
        checking = false;
        if (failed) {
            comparison.forgetDoubt();
        }
    }

    /** Connects to the server at this address, unless it is known to be the present one. */
    private Future<Void> check(Optional<String> address, RedisLink.Server present) {
        synchronized (this) {
            if (address.isEmpty()) {
                return Future.failedFuture("the Sentinels do not agree");
            }
            if (comparison.isKnown(address.get(), present)) {
                return Future.succeededFuture();
            }
        }
        // It begins with a Sentinel that names the address.
        Redis client = sentinels.get();
        Future<RedisLink.Server> found = client.connect().compose(RedisLink::askServer);
        return AnswerTimeout.limit(vertx, found, config.timeout())
                .onComplete(done -> vertx.getOrCreateContext().runOnContext(now -> client.close()))
                .onSuccess(server -> onFound(address.get(), present, server))
                .mapEmpty();
    }

    private void onFound(String address, RedisLink.Server present, RedisLink.Server found) {
        boolean isWrong;
        synchronized (this) {
            isWrong = comparison.isWrong(address, present, found);
        }
        if (isWrong) {
            node.leave(present, "most Sentinels name another primary");
        }
    }

    /** What the checks have found so far. */
    static final class Comparison {

        private String knownAddress = "";
        private Optional<RedisLink.Server> known = Optional.empty();
        private Optional<RedisLink.Server> other = Optional.empty();

        /** Tells whether the last check found another server than the present one. */
        boolean isInDoubt() {
            return other.isPresent();
        }

        void forgetDoubt() {
            other = Optional.empty();
        }

        /** Tells whether the last check found the present server at this address. */
        boolean isKnown(String address, RedisLink.Server present) {
            return knownAddress.equals(address) && known.equals(Optional.of(present));
        }

        /**
         * Takes what a check has found.
         *
         * @param address that most Sentinels name
         * @return whether the pod is to leave the present server: it is another one than was found
         *     there, twice in a row
         */
        boolean isWrong(String address, RedisLink.Server present, RedisLink.Server found) {
            if (!found.isNot(present)) {
                knownAddress = address;
                known = Optional.of(present);
                other = Optional.empty();
                return false;
            }
            known = Optional.empty();
            boolean again = other.equals(Optional.of(found));
            other = again ? Optional.empty() : Optional.of(found);
            return again;
        }
    }
}
