package dev.parley.broker.redis;

import dev.parley.broker.Epochs;
import dev.parley.broker.Lineage;
import dev.parley.broker.Page;
import dev.parley.message.EventId;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import dev.parley.redis.RedisCommands;
import dev.parley.redis.RedisConnections;
import io.vertx.core.Future;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Response;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The lists of servers that have been in force at one server, as that server remembers them ({@code
 * generations.lua}), and what follows from them for the epochs of its rooms.
 *
 * <p><b>Why.</b> A room moves from server {@code a} to {@code c} when {@code c} is added, and back
 * when {@code c} is removed. At {@code a} its log is as it was, and lacks what was published at
 * {@code c}. A reader that comes back with the position {@code k3f9-12} of the first time would
 * continue there, and never learn of the messages that it missed. So a room that has been elsewhere
 * is in other epochs since: {@code k3f9x3-12} says that the room has been at this server since its
 * generation 3.
 *
 * <pre>
 *   generation 1: a,b      room kitchen is at a     ids k3f9-1 … k3f9-12
 *   generation 2: a,b,c    room kitchen is at c     ids 9xx1-1 … 9xx1-5
 *   generation 3: a,b      room kitchen is at a     ids k3f9x3-1 … k3f9x3-12, then k3f9x3-13
 *                          a reader with k3f9-12 or 9xx1-5 gets a gap
 * </pre>
 *
 * <p>A room that was at {@code a} in all of them keeps its ids. The epoch of an empty room, which
 * is 0 in Redis, is named after the server too: the position 0-0 of one server says nothing at
 * another one.
 *
 * <p>While a server is off the list, nothing can be noted there. So each server also notes what the
 * others have noted ({@link #refresh}).
 *
 * <p>Redis knows nothing of this: its epochs are renamed on their way out, and back. Thread-safe.
 */
final class Generations {

    private static final Logger LOG = Logger.getLogger(Generations.class);

    private static final RedisCommands.Script SCRIPT =
            RedisCommands.Script.load(Generations.class, "generations.lua");

    private final String server;
    private final ServerList list;
    private final String key;

    /** What the server remembered when it was last asked; null before. */
    private volatile @Nullable View view;

    private volatile String otherList = "";

    /** What the script does with the list: its modes. */
    private enum Mode {
        JOIN,
        REFRESH,
        PEERS,
        RETURN;

        String argument() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** A list, and its number at the server. */
    record Generation(long number, ServerList list) {}

    /**
     * What a server remembers. The last list is the one that is in force there. In {@link
     * Generations#view} it is this pod's, because an answer with another one is not kept.
     *
     * @param server its name
     * @param id random; differs after the server has lost its data
     */
    record View(String server, String id, List<Generation> generations) {

        /**
         * Returns what is appended to the epochs of a room: nothing if the room has been at the
         * server since the first generation, else the one since when it has; if the server does not
         * remember that any more, the oldest one that it remembers.
         */
        private String mark(Room room) {
            long since = generations.get(0).number();
            for (int i = generations.size() - 1; i > 0; i--) {
                if (!generations.get(i - 1).list().serverOf(room).equals(server)) {
                    since = generations.get(i).number();
                    break;
                }
            }
            return since == 1 ? "" : 'x' + Long.toString(since, Character.MAX_RADIX);
        }

        private String nameOfEmpty(Room room) {
            return ReadScript.EMPTY_EPOCH + id + mark(room);
        }

        private String withMark(Room room, String epoch) {
            return epoch.equals(ReadScript.EMPTY_EPOCH) ? nameOfEmpty(room) : epoch + mark(room);
        }

        /** Names the epochs of a page. */
        Page withMark(Room room, Page page) {
            List<Lineage.Ended> past =
                    page.lineage().past().stream()
                            .map(e -> new Lineage.Ended(withMark(room, e.epoch()), e.last()))
                            .toList();
            return new Page(
                    new Lineage(withMark(room, page.epoch()), past),
                    page.oldest(),
                    page.newest(),
                    mark(room).isEmpty()
                            ? page.messages()
                            : page.messages().stream().map(this::withMark).toList(),
                    page.readAt());
        }

        /** Names the epoch of a message. */
        StoredMessage withMark(StoredMessage message) {
            Room room = message.message().room();
            return mark(room).isEmpty()
                    ? message
                    : new StoredMessage(withMark(room, message.id()), message.message());
        }

        /** Names the epoch of an id. */
        EventId withMark(Room room, EventId id) {
            return new EventId(withMark(room, id.epoch()), id.offset());
        }

        /** Returns the epoch in Redis; empty if it is not one that this view names. */
        Optional<String> inRedis(Room room, String epoch) {
            String mark = mark(room);
            return epoch.equals(nameOfEmpty(room)) || !epoch.endsWith(mark)
                    ? Optional.empty()
                    : Optional.of(epoch.substring(0, epoch.length() - mark.length()));
        }

        private ServerList newest() {
            return generations.get(generations.size() - 1).list();
        }

        private long number() {
            return generations.get(generations.size() - 1).number();
        }

        /** Tells whether a list without a server was in force here after a generation. */
        private boolean hadListWithout(String other, Peer since) {
            return id.equals(since.id())
                    && generations.stream()
                            .filter(generation -> generation.number() > since.number())
                            .anyMatch(generation -> !generation.list().names().contains(other));
        }
    }

    /**
     * What another server remembered at some time.
     *
     * @param id as in {@link View}
     * @param number of its newest generation
     */
    private record Peer(String id, long number) {

        /** Reads peers by their servers, such as {@code a:k3f9:2 b:9xx1:1}; may be empty. */
        static Map<String, Peer> read(String written) {
            Map<String, Peer> peers = new TreeMap<>();
            for (String one : written.isEmpty() ? new String[0] : written.split(" ")) {
                String[] parts = one.split(":", 3);
                peers.put(parts[0], new Peer(parts[1], Long.parseLong(parts[2])));
            }
            return peers;
        }

        static String write(Map<String, Peer> peers) {
            return peers.entrySet().stream()
                    .map(e -> e.getKey() + ':' + e.getValue().id() + ':' + e.getValue().number())
                    .collect(Collectors.joining(" "));
        }
    }

    /** The reply of the script. */
    private record Answer(View view, Map<String, Peer> peers) {}

    /**
     * @param server the name of the server in the list
     */
    Generations(String server, ServerList list, RedisKeys keys) {
        this.server = server;
        this.list = list;
        this.key = keys.servers();
    }

    /** Returns what the server remembered when it was last asked; empty before the first time. */
    Optional<View> view() {
        return Optional.ofNullable(view);
    }

    /** Puts the pod's list in force on a new connection, before anything else is asked there. */
    Future<Void> join(RedisConnection connection) {
        return RedisCommands.loadScripts(connection, List.of(SCRIPT))
                .compose(
                        loaded ->
                                RedisCommands.run(
                                        connection,
                                        SCRIPT,
                                        List.of(key),
                                        arguments(Mode.JOIN, "", "")))
                .onSuccess(reply -> view = read(reply).view())
                .mapEmpty();
    }

    /**
     * Asks the server whether another pod has put this pod's list in force again, after pods with
     * another one; and compares what the others remember with what they did when pods last looked.
     * If one of them has been in a list without this server since, rooms of this server were
     * elsewhere, and none of its old positions may continue.
     *
     * @param others what the other servers of the list remember
     * @return whether the view has changed, so that rooms are perhaps in other epochs
     */
    Future<Boolean> refresh(RedisConnections redis, List<View> others) {
        return send(redis, Mode.REFRESH, "", "")
                .compose(answer -> notePeers(redis, answer, others))
                .map(this::onAnswer);
    }

    /**
     * Lets the server remember what the others remember, if that has changed. If they had a list
     * without the server meanwhile, puts its rooms in new epochs too. Does neither while one of
     * them has another list than this pod.
     */
    private Future<Answer> notePeers(RedisConnections redis, Answer answer, List<View> others) {
        Map<String, Peer> known = answer.peers();
        Map<String, Peer> present = new TreeMap<>(known);
        boolean wasAway = false;
        for (View other : others) {
            if (!other.newest().equals(list)) {
                return Future.succeededFuture(answer);
            }
            Peer before = known.get(other.server());
            wasAway |= before != null && other.hadListWithout(server, before);
            present.put(other.server(), new Peer(other.id(), other.number()));
        }
        if (present.equals(known) || !answer.view().newest().equals(list)) {
            return Future.succeededFuture(answer);
        }
        if (wasAway) {
            LOG.warnf(
                    "Redis server %s: a list of servers without it was in force for a while, and its"
                            + " rooms were on others: readers of its rooms get a gap",
                    server);
        }
        return send(
                redis,
                wasAway ? Mode.RETURN : Mode.PEERS,
                Long.toString(answer.view().number()),
                Peer.write(present));
    }

    private Future<Answer> send(RedisConnections redis, Mode mode, String expected, String peers) {
        return redis.send(SCRIPT, List.of(key), arguments(mode, expected, peers)).map(this::read);
    }

    private List<String> arguments(Mode mode, String expected, String peers) {
        return List.of(server, list.toString(), Epochs.next(), mode.argument(), expected, peers);
    }

    private boolean onAnswer(Answer answer) {
        View now = answer.view();
        if (!now.newest().equals(list)) {
            warnOf(now.newest().toString());
            return false;
        }
        otherList = "";
        boolean changed = !now.equals(view);
        view = now;
        return changed;
    }

    private void warnOf(String other) {
        if (!other.equals(otherList)) {
            otherList = other;
            LOG.warnf(
                    "Redis server %s: other pods have the list of servers %s, this pod has %s. Until"
                            + " all pods have one list, rooms that are on different servers in the"
                            + " two lists are two rooms each",
                    server, other, list);
        }
    }

    private Answer read(Response reply) {
        List<Generation> generations =
                Arrays.stream(reply.get(1).toString().split(" ")).map(Generations::parse).toList();
        return new Answer(
                new View(server, reply.get(0).toString(), generations),
                Peer.read(reply.get(2).toString()));
    }

    private static Generation parse(String written) {
        int colon = written.indexOf(':');
        return new Generation(
                Long.parseLong(written.substring(0, colon)),
                ServerList.parse(written.substring(colon + 1)));
    }
}
