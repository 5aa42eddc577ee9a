package dev.parley.redis;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.ResponseType;
import io.vertx.redis.client.impl.types.ErrorType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The channels that a pod receives from one server, on whichever connection it has at the moment.
 *
 * <p>A channel is subscribed to when it is first asked for and left when the last one that asked
 * for it is done. When the connection is lost, {@link #join} subscribes to all channels again on
 * the next one, and those who wait for a confirmation get it from there. A connection that takes no
 * command any more is forgotten, so that nothing is queued for it: until the next one is joined,
 * channels are only noted.
 *
 * <p><b>Which answer is whose.</b> Redis answers in the order of the commands, so the commands that
 * have no answer yet are kept in a queue. A channel that is left before it was confirmed, and asked
 * for again at once, is confirmed twice; only the second confirmation says that what is published
 * from then on arrives.
 *
 * <p><b>Channels of a Cluster's slots</b> ({@link Kind#SHARD}) are at the node that has the slot.
 * When the slot moves away the node says so without being asked ({@code sunsubscribe}); a node that
 * does not have the slot refuses the command. In both cases the channels are forgotten here and
 * reported as lost.
 *
 * <p>Thread-safe. Commands are sent by one thread, in the order in which they were queued under the
 * lock.
 */
final class RedisSubscription {

    private static final Logger LOG = Logger.getLogger(RedisSubscription.class);

    /** The types of reply as which messages arrive: push in RESP3, an array in RESP2. */
    private static final Set<ResponseType> MESSAGE_TYPES =
            EnumSet.of(ResponseType.PUSH, ResponseType.MULTI);

    /** Channels in one command. */
    private static final int BATCH = 512;

    private final Context context;
    private final BiConsumer<String, Buffer> onMessage;
    private final BiConsumer<RedisConnection, String> onRefused;
    private final Consumer<Set<String>> onLost;

    // Guarded by this.

    private final Map<String, Channel> channels = new HashMap<>();

    /** The connection that was joined last; null once it takes no command any more. */
    private @Nullable Pipeline current;

    private boolean warnedOfPattern;

    /** How a name is subscribed to. */
    enum Kind {
        CHANNEL(Command.SUBSCRIBE, Command.UNSUBSCRIBE),

        /** A channel that is in a slot of a Cluster, as keys are. */
        SHARD(Command.SSUBSCRIBE, Command.SUNSUBSCRIBE),

        /**
         * All channels that match. The pod does without if the server refuses it, because only pods
         * of version 0.1 publish on what it matches.
         */
        PATTERN(Command.PSUBSCRIBE, Command.PUNSUBSCRIBE);

        @SuppressWarnings("ImmutableEnumChecker") // A command of the client never changes.
        private final Command subscribe;

        @SuppressWarnings("ImmutableEnumChecker")
        private final Command unsubscribe;

        Kind(Command subscribe, Command unsubscribe) {
            this.subscribe = subscribe;
            this.unsubscribe = unsubscribe;
        }
    }

    /** A channel that is wanted. */
    private static final class Channel {

        private final String name;
        private final Kind kind;
        private int users;
        private boolean confirmed;
        private final List<Promise<Void>> waiting = new ArrayList<>();

        Channel(String name, Kind kind) {
            this.name = name;
            this.kind = kind;
        }

        /** Returns the number of a group: names of one group may be in one command. */
        int group() {
            return switch (kind) {
                case PATTERN -> -2;
                case CHANNEL -> -1;
                case SHARD -> ClusterSlots.slotOf(name);
            };
        }
    }

    /**
     * A command, and the channels in it that have no answer yet. They are of one kind and, if that
     * is {@link Kind#SHARD}, of one slot.
     *
     * @param isOfJoin whether {@link #join} sent it
     */
    private record Sent(Command command, Queue<Channel> channels, boolean isOfJoin) {

        static Sent whileJoining(Command command, Collection<Channel> channels) {
            return new Sent(command, new ArrayDeque<>(channels), true);
        }

        static Sent later(Command command, Channel channel) {
            return new Sent(command, new ArrayDeque<>(List.of(channel)), false);
        }

        private Channel next() {
            return channels.element();
        }

        boolean isAnsweredBy(String word, String name) {
            return command.toString().equals(word) && next().name.equals(name);
        }

        boolean subscribes() {
            return command.equals(next().kind.subscribe);
        }
    }

    /** One connection, and the commands that Redis has still to answer on it. */
    private static final class Pipeline {

        private final RedisConnection connection;
        private final Queue<Sent> unanswered = new ArrayDeque<>();

        /** How many of them {@link #join} has sent. */
        private int unansweredOfJoin;

        /** Completes when none of these is left. */
        private final Promise<Void> joined = Promise.promise();

        /** The refusal of a pattern that {@link #join} subscribed to. */
        private @Nullable ErrorType patternRefusal;

        Pipeline(RedisConnection connection) {
            this.connection = connection;
        }

        /** Removes the first command; returns whether it was the last one of {@link #join}. */
        private boolean removeFirst() {
            return unanswered.remove().isOfJoin() && --unansweredOfJoin == 0;
        }
    }

    /** What follows from an answer, done outside the lock. */
    private static final class Outcome {

        private final List<Promise<Void>> confirmed = new ArrayList<>();
        private final Map<String, Channel> lost = new HashMap<>();

        /** Whether it was the last answer that {@link #join} waited for. */
        private boolean isJoined;

        private @Nullable ErrorType refusal;
    }

    /**
     * @param onMessage takes channel and payload, on the connection's event loop
     * @param onRefused takes a connection that has to be made anew, because Redis refused a channel
     *     after the connection was joined or the connection did not take a command, and the reason
     * @param onLost takes the channels that the server no longer has
     */
    RedisSubscription(
            Vertx vertx,
            BiConsumer<String, Buffer> onMessage,
            BiConsumer<RedisConnection, String> onRefused,
            Consumer<Set<String>> onLost) {
        this.context = vertx.getOrCreateContext();
        this.onMessage = onMessage;
        this.onRefused = onRefused;
        this.onLost = onLost;
    }

    /**
     * Asks for a channel.
     *
     * @return completes once Redis has confirmed it, on the present connection or a later one: what
     *     is published from then on arrives. Fails if the channel is left or lost before. Completes
     *     at once for a channel that was confirmed before ({@link RedisConnections#subscribe}).
     */
    synchronized Future<Void> subscribe(String name, Kind kind) {
        Channel wanted = channels.get(name);
        if (wanted == null) {
            wanted = new Channel(name, kind);
            channels.put(name, wanted);
            if (current != null) {
                send(current, Sent.later(kind.subscribe, wanted));
            }
        }
        wanted.users++;
        if (wanted.confirmed) {
            return Future.succeededFuture();
        }
        Promise<Void> confirmation = Promise.promise();
        wanted.waiting.add(confirmation);
        return confirmation.future();
    }

    /**
     * Takes one {@link #subscribe} back; the last one leaves the channel. Does nothing if the
     * channel is not wanted.
     */
    void unsubscribe(String name) {
        List<Promise<Void>> waiting;
        synchronized (this) {
            Channel left = channels.get(name);
            if (left == null || --left.users > 0) {
                return;
            }
            channels.remove(name);
            waiting = List.copyOf(left.waiting);
            if (current != null) {
                send(current, Sent.later(left.kind.unsubscribe, left));
            }
        }
        waiting.forEach(one -> one.tryFail("left before it was confirmed: " + name));
    }

    /** Tells whether a channel is wanted, and not lost. */
    synchronized boolean isWanted(String name) {
        return channels.containsKey(name);
    }

    /** Returns the channels that are wanted. */
    synchronized Set<String> names() {
        return Set.copyOf(channels.keySet());
    }

    /**
     * Subscribes to all channels on a new connection. Completes once Redis has answered for every
     * one of them; fails with the error reply of Redis if it refuses one.
     */
    Future<Void> join(RedisConnection connection) {
        synchronized (this) {
            var fresh = new Pipeline(connection);
            current = fresh;
            channels.values().forEach(channel -> channel.confirmed = false);
            connection.handler(push -> handle(push, fresh));
            Map<Integer, List<Channel>> groups =
                    channels.values().stream()
                            .collect(
                                    Collectors.groupingBy(
                                            Channel::group, TreeMap::new, Collectors.toList()));
            for (List<Channel> group : groups.values()) {
                for (int i = 0; i < group.size(); i += BATCH) {
                    List<Channel> batch = group.subList(i, Math.min(i + BATCH, group.size()));
                    fresh.unansweredOfJoin++;
                    send(fresh, Sent.whileJoining(batch.get(0).kind.subscribe, batch));
                }
            }
            if (groups.isEmpty()) {
                fresh.joined.complete();
            }
            return fresh.joined.future();
        }
    }

    private void send(Pipeline on, Sent command) {
        on.unanswered.add(command);
        Request request = Request.cmd(command.command());
        command.channels().forEach(channel -> request.arg(channel.name));
        context.runOnContext(
                now -> on.connection.send(request).onFailure(failure -> onUnsent(failure, on)));
    }

    /**
     * Called when the connection did not take a command: it has ended, or Redis would not know of a
     * channel. Either way the next one is joined instead.
     */
    @SuppressWarnings("ReferenceEquality") // This very connection, not a newer one.
    private void onUnsent(Throwable failure, Pipeline on) {
        boolean isCurrent;
        synchronized (this) {
            isCurrent = current == on;
            if (isCurrent) {
                current = null;
            }
            on.unanswered.clear();
        }
        if (!on.joined.tryFail(failure) && isCurrent) {
            onRefused.accept(on.connection, RedisReason.of(failure));
        }
    }

    private void handle(Response push, Pipeline on) {
        // The client passes the answers to this handler like messages, also an error.
        if (push instanceof ErrorType error) {
            apply(onError(error, on), on);
            return;
        }
        if (push == null || !MESSAGE_TYPES.contains(push.type()) || push.size() < 3) {
            return;
        }
        String word = push.get(0).toString();
        switch (word) {
            case "message", "smessage" ->
                    onMessage.accept(push.get(1).toString(), push.get(2).toBuffer());
            case "pmessage" -> onMessage.accept(push.get(2).toString(), push.get(3).toBuffer());
            default -> apply(onAnswer(word, String.valueOf(push.get(1)), on), on);
        }
    }

    @SuppressWarnings("ReferenceEquality") // This very connection or channel, not a newer one.
    private synchronized Outcome onAnswer(String word, String name, Pipeline on) {
        var outcome = new Outcome();
        Sent first = on.unanswered.peek();
        if (current != on) {
            return outcome;
        }
        if (first != null && first.isAnsweredBy(word, name)) {
            boolean subscribes = first.subscribes();
            Channel channel = first.channels().remove();
            if (subscribes && channels.get(name) == channel) {
                confirm(channel, outcome);
            }
            outcome.isJoined = first.channels().isEmpty() && on.removeFirst();
        } else if (word.equals("sunsubscribe")) {
            // Nothing asked for it: the slot has moved away.
            Channel lost = channels.remove(name);
            if (lost != null) {
                outcome.lost.put(name, lost);
            }
        }
        return outcome;
    }

    private static void confirm(Channel channel, Outcome outcome) {
        channel.confirmed = true;
        outcome.confirmed.addAll(channel.waiting);
        channel.waiting.clear();
    }

    /** An error is the answer to all channels of a command. */
    @SuppressWarnings("ReferenceEquality") // This very connection or channel, not a newer one.
    private synchronized Outcome onError(ErrorType error, Pipeline on) {
        var outcome = new Outcome();
        if (current != on) {
            return outcome;
        }
        Sent first = on.unanswered.peek();
        if (first != null && first.next().kind == Kind.PATTERN) {
            if (first.subscribes()) {
                on.patternRefusal = error;
            }
            first.channels().forEach(pattern -> confirm(pattern, outcome));
            outcome.isJoined = on.removeFirst();
        } else if (!ClusterReply.is(error)) {
            outcome.refusal = error;
        } else if (first != null && isAnswerTo(first, error)) {
            if (first.subscribes()) {
                first.channels().stream()
                        .filter(channel -> channels.get(channel.name) == channel)
                        .forEach(channel -> outcome.lost.put(channel.name, channel));
                channels.keySet().removeAll(outcome.lost.keySet());
            }
            outcome.isJoined = on.removeFirst();
        }
        return outcome;
    }

    /**
     * Warns that the account has no right to the pattern, where all else was accepted: otherwise
     * the reason for which the connection was refused says it already. Once, because each
     * connection that is made later is refused the pattern too.
     */
    private synchronized void warnOfPattern(@Nullable ErrorType refusal) {
        if (refusal == null
                || warnedOfPattern
                || !RedisRefusal.of(refusal).equals(Optional.of(RedisRefusal.NOPERM))) {
            return;
        }
        warnedOfPattern = true;
        channels.values().stream()
                .filter(channel -> channel.kind == Kind.PATTERN)
                .forEach(
                        pattern ->
                                LOG.warnf(
                                        "Redis refuses the pattern %s: %s. While pods of version 0.1"
                                                + " run, readers of this pod receive what those"
                                                + " publish up to parley.log.audit late. Give the"
                                                + " account the rights +psubscribe and &%s (logged"
                                                + " once)",
                                        pattern.name, RedisReason.of(refusal), pattern.name));
    }

    /**
     * Tells whether a node's refusal belongs to a command. Otherwise it belongs to an earlier
     * SUNSUBSCRIBE, which an unasked {@code sunsubscribe} of the same channel seemed to answer.
     */
    private static boolean isAnswerTo(Sent command, ErrorType error) {
        if (command.next().kind != Kind.SHARD) {
            return false;
        }
        String[] words = String.valueOf(error.getMessage()).split(" ", 3);
        return !words[0].equals("MOVED")
                || words[1].equals(Integer.toString(ClusterSlots.slotOf(command.next().name)));
    }

    private void apply(Outcome outcome, Pipeline on) {
        outcome.confirmed.forEach(Promise::tryComplete);
        if (outcome.isJoined && on.joined.tryComplete()) {
            warnOfPattern(on.patternRefusal);
        }
        if (!outcome.lost.isEmpty()) {
            outcome.lost
                    .values()
                    .forEach(
                            channel ->
                                    channel.waiting.forEach(
                                            one -> one.tryFail("lost: " + channel.name)));
            onLost.accept(new HashSet<>(outcome.lost.keySet()));
        }
        if (outcome.refusal != null && !on.joined.tryFail(outcome.refusal)) {
            onRefused.accept(on.connection, RedisReason.of(outcome.refusal));
        }
    }
}
