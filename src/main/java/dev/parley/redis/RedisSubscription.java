package dev.parley.redis;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.ResponseType;
import io.vertx.redis.client.impl.types.ErrorType;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The channels that a pod receives (Redis: SUBSCRIBE), on whichever connection it has at the
 * moment.
 *
 * <p>A channel is subscribed to when it is first asked for and left when the last one that asked
 * for it is done. When the connection is lost, {@link #join} subscribes to all channels again on
 * the next one, and those who wait for a confirmation get it from there.
 *
 * <p><b>Which confirmation is whose.</b> Redis confirms in the order of the commands. A channel
 * that is left before it was confirmed, and asked for again at once, is confirmed twice; only the
 * second confirmation says that what is published from then on arrives. The first is counted as
 * stale.
 *
 * <p>Thread-safe. Commands are sent under the lock, so that Redis gets them in the order in which
 * the state changed.
 */
public final class RedisSubscription {

    private static final Logger LOG = Logger.getLogger(RedisSubscription.class);

    /** The types of reply as which messages arrive: push in RESP3, an array in RESP2. */
    private static final Set<ResponseType> MESSAGE_TYPES =
            EnumSet.of(ResponseType.PUSH, ResponseType.MULTI);

    /** Channels in one command. */
    private static final int BATCH = 512;

    private final @Nullable String pattern;
    private final BiConsumer<String, Buffer> onMessage;
    private final Consumer<String> onRefused;

    // Guarded by this.

    private final Map<String, Channel> channels = new HashMap<>();
    private @Nullable Joined joined;

    /** A channel that is wanted. */
    private static final class Channel {

        private int users;
        private boolean confirmed;
        private final List<Promise<Void>> waiting = new ArrayList<>();
    }

    /** One connection, and what Redis has still to answer on it. */
    private static final class Joined {

        private final RedisConnection connection;
        private final Promise<Void> done = Promise.promise();
        private final Map<String, Integer> stale = new HashMap<>();
        private boolean patternAnswered;

        /** Channels that were wanted when the connection was joined, and are not confirmed yet. */
        private int unconfirmed;

        Joined(RedisConnection connection, boolean patternAnswered, int unconfirmed) {
            this.connection = connection;
            this.patternAnswered = patternAnswered;
            this.unconfirmed = unconfirmed;
        }
    }

    /**
     * @param pattern received too if the account may (Redis: PSUBSCRIBE); null for none
     * @param onMessage takes channel and payload, on the connection's event loop
     * @param onRefused takes the reason why Redis refused a channel after the connection was
     *     joined; the connection has to be made anew, since the reply does not say which channel it
     *     was
     */
    public RedisSubscription(
            @Nullable String pattern,
            BiConsumer<String, Buffer> onMessage,
            Consumer<String> onRefused) {
        this.pattern = pattern;
        this.onMessage = onMessage;
        this.onRefused = onRefused;
    }

    /**
     * Asks for a channel.
     *
     * @return completes once Redis has confirmed it, on the present connection or a later one: what
     *     is published from then on arrives. Fails if the channel is left before.
     */
    public synchronized Future<Void> subscribe(String channel) {
        Channel wanted = channels.get(channel);
        if (wanted == null) {
            wanted = new Channel();
            channels.put(channel, wanted);
            send(Command.SUBSCRIBE, List.of(channel));
        }
        wanted.users++;
        if (wanted.confirmed) {
            return Future.succeededFuture();
        }
        Promise<Void> confirmation = Promise.promise();
        wanted.waiting.add(confirmation);
        return confirmation.future();
    }

    /** Takes one {@link #subscribe} back; the channel is left with the last. */
    public void unsubscribe(String channel) {
        List<Promise<Void>> waiting;
        synchronized (this) {
            Channel left = channels.get(channel);
            if (left == null || --left.users > 0) {
                return;
            }
            channels.remove(channel);
            waiting = List.copyOf(left.waiting);
            if (joined != null && !left.confirmed) {
                joined.stale.merge(channel, 1, Integer::sum);
            }
            send(Command.UNSUBSCRIBE, List.of(channel));
        }
        waiting.forEach(one -> one.tryFail("left before it was confirmed: " + channel));
    }

    /**
     * Subscribes to all channels on a new connection. Completes once Redis has confirmed every one
     * of them; fails with the error reply of Redis if it refuses one.
     */
    public Future<Void> join(RedisConnection connection) {
        synchronized (this) {
            var joining = new Joined(connection, pattern == null, channels.size());
            joined = joining;
            channels.values().forEach(channel -> channel.confirmed = false);
            connection.handler(push -> handle(push, joining));
            if (pattern != null) {
                send(Command.PSUBSCRIBE, List.of(pattern));
            }
            List<String> names = List.copyOf(channels.keySet());
            for (int i = 0; i < names.size(); i += BATCH) {
                send(Command.SUBSCRIBE, names.subList(i, Math.min(i + BATCH, names.size())));
            }
            if (names.isEmpty()) {
                joining.done.complete();
            }
            return joining.done.future();
        }
    }

    /** Sends a command; if it fails, the connection is lost and the next one is joined instead. */
    private void send(Command command, List<String> names) {
        Joined present = joined;
        if (present != null) {
            Request request = Request.cmd(command);
            names.forEach(request::arg);
            present.connection.send(request).onFailure(present.done::tryFail);
        }
    }

    private void handle(Response push, Joined on) {
        // The client passes the answer to SUBSCRIBE to this handler like a message, also an error.
        if (push instanceof ErrorType refusal) {
            onRefusal(refusal, on);
            return;
        }
        if (push == null || !MESSAGE_TYPES.contains(push.type()) || push.size() < 3) {
            return;
        }
        switch (push.get(0).toString()) {
            case "message" -> onMessage.accept(push.get(1).toString(), push.get(2).toBuffer());
            case "pmessage" -> onMessage.accept(push.get(2).toString(), push.get(3).toBuffer());
            case "subscribe" -> onConfirmation(push.get(1).toString(), on);
            case "psubscribe" -> on.patternAnswered = true;
            default -> {}
        }
    }

    @SuppressWarnings("ReferenceEquality") // This very connection: another one is a newer one.
    private void onConfirmation(String name, Joined on) {
        List<Promise<Void>> waiting = List.of();
        synchronized (this) {
            if (joined != on) {
                return;
            }
            Integer stale = on.stale.get(name);
            if (stale != null) {
                on.stale.merge(name, -1, (count, one) -> count == 1 ? null : count - 1);
            } else {
                Channel confirmed = channels.get(name);
                if (confirmed != null) {
                    confirmed.confirmed = true;
                    waiting = List.copyOf(confirmed.waiting);
                    confirmed.waiting.clear();
                }
            }
            on.unconfirmed--;
        }
        waiting.forEach(Promise::tryComplete);
        if (on.unconfirmed <= 0) {
            on.done.tryComplete();
        }
    }

    private void onRefusal(ErrorType refusal, Joined on) {
        if (!on.patternAnswered) {
            // The pattern was the first command on this connection, so this is its answer.
            on.patternAnswered = true;
            LOG.debugf("Redis refuses PSUBSCRIBE %s: %s", pattern, refusal.getMessage());
        } else if (!on.done.tryFail(refusal)) {
            onRefused.accept(RedisReason.of(refusal));
        }
    }
}
