package dev.parley.broker.redis;

import dev.parley.broker.Epochs;
import dev.parley.broker.Lineage;
import dev.parley.broker.Page;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import dev.parley.redis.RedisCommands;
import io.vertx.core.Future;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Response;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
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
 * <p>Redis knows nothing of this: its epochs are renamed on their way out, and back. Thread-safe.
 */
final class Generations {

    private static final Logger LOG = Logger.getLogger(Generations.class);

    private static final RedisCommands.Script SCRIPT =
            RedisCommands.Script.load(Generations.class, "generations.lua");

    /** The epoch of a room without messages in Redis: see read.lua. */
    private static final String EMPTY = "0";

    private final String server;
    private final ServerList list;
    private final String key;

    /** What the server remembered when it was last asked; null before. */
    private volatile @Nullable View view;

    private volatile String otherList = "";

    /** A list, and its number at the server. */
    record Generation(long number, ServerList list) {}

    /**
     * What a server remembers. The last list is the one of this pod.
     *
     * @param server its name
     * @param id random; differs after the server has lost its data
     */
    record View(String server, String id, List<Generation> generations) {

        /**
         * Returns what is appended to the epochs of a room: nothing if the room has been at the
         * server in all generations, else the first one since when it has.
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
            return EMPTY + id + mark(room);
        }

        private String named(Room room, String epoch) {
            return epoch.equals(EMPTY) ? nameOfEmpty(room) : epoch + mark(room);
        }

        /** Names the epochs of a page. */
        Page named(Room room, Page page) {
            List<Lineage.Ended> past =
                    page.lineage().past().stream()
                            .map(e -> new Lineage.Ended(named(room, e.epoch()), e.last()))
                            .toList();
            return new Page(
                    new Lineage(named(room, page.epoch()), past),
                    page.oldest(),
                    page.newest(),
                    mark(room).isEmpty()
                            ? page.messages()
                            : page.messages().stream().map(this::named).toList());
        }

        /** Names the epoch of a message. */
        StoredMessage named(StoredMessage message) {
            Room room = message.message().room();
            return mark(room).isEmpty()
                    ? message
                    : new StoredMessage(named(room, message.id()), message.message());
        }

        /** Names the epoch of an id. */
        EventId named(Room room, EventId id) {
            return new EventId(named(room, id.epoch()), id.offset());
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
    }

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
                                        connection, SCRIPT, List.of(key), arguments("join")))
                .onSuccess(reply -> view = read(reply))
                .mapEmpty();
    }

    /**
     * Asks the server whether another pod has put this pod's list in force again, after pods with
     * another one.
     *
     * @return whether the view has changed, so that rooms are perhaps in other epochs
     */
    Future<Boolean> look(RedisCommands commands) {
        return commands.send(SCRIPT, List.of(key), arguments("look")).map(r -> onLook(read(r)));
    }

    private List<String> arguments(String mode) {
        return List.of(server, list.toString(), Epochs.next(), mode);
    }

    private boolean onLook(View now) {
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

    private View read(Response reply) {
        List<Generation> generations =
                Arrays.stream(reply.get(1).toString().split(" ")).map(Generations::parse).toList();
        return new View(server, reply.get(0).toString(), generations);
    }

    private static Generation parse(String written) {
        int colon = written.indexOf(':');
        return new Generation(
                Long.parseLong(written.substring(0, colon)),
                ServerList.parse(written.substring(colon + 1)));
    }
}
