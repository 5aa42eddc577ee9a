package dev.parley.broker.redis;

import dev.parley.broker.Broker.PublishRequest;
import dev.parley.broker.Broker.Receipt;
import dev.parley.broker.BrokerState;
import dev.parley.broker.BrokerUnavailable;
import dev.parley.broker.HistoryBounds;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import dev.parley.redis.RedisConfig;
import dev.parley.redis.RedisConnections;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.core.instrument.config.MeterFilter;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Redis;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/**
 * A broker in several independent Redis servers, each of which has a part of the rooms ({@link
 * ServerList}). Every server has a {@link RedisBroker}, with connections, a probe and metrics of
 * its own, so that a server that is away costs the rooms of the others nothing.
 *
 * <p>Text on the plain channel of any server reaches the lobby, whichever server has it.
 */
public final class ServersBroker implements RedisBacked {

    private static final Logger LOG = Logger.getLogger(ServersBroker.class);

    /** Ticks of the probe's interval between two refreshes of the lists that servers remember. */
    private static final int TICKS_PER_REFRESH = 5;

    /** Counted for all servers together, as the rooms of a pod are. */
    private static final String WITHOUT_LABEL = "parley.histories.lost";

    private final Vertx vertx;
    private final RedisConfig config;
    private final ServerList list;
    private final Map<String, Server> servers = new TreeMap<>();

    private volatile long startNanos;

    /** Whether messages flowed from all servers at a tick. */
    private volatile boolean wereAllUp;

    private volatile long timer = -1;

    /** Ticks since the last one that refreshed the lists. Used by the timer alone. */
    private int ticks;

    private record Server(String name, RedisBroker broker, Generations generations) {}

    /**
     * @param clients what makes clients of each server, by the server's name
     */
    public ServersBroker(Map<String, Supplier<Redis>> clients, RedisBroker.Dependencies given) {
        this.vertx = given.vertx();
        this.config = given.config();
        this.list = new ServerList(List.copyOf(clients.keySet()));
        clients.forEach(
                (name, client) -> {
                    var generations = new Generations(name, list, new RedisKeys(config.prefix()));
                    var broker =
                            new RedisBroker(
                                    name,
                                    client,
                                    generations::join,
                                    given.with(labelled(given.registry(), name)));
                    servers.put(name, new Server(name, broker, generations));
                });
    }

    /** Makes a registry that adds the label {@code server} to all meters but those of the pod. */
    private static MeterRegistry labelled(MeterRegistry registry, String server) {
        var labelled = new CompositeMeterRegistry();
        labelled.config()
                .meterFilter(
                        new MeterFilter() {
                            @Override
                            public Meter.Id map(Meter.Id id) {
                                return id.getName().equals(WITHOUT_LABEL)
                                        ? id
                                        : id.withTag(Tag.of("server", server));
                            }
                        });
        return labelled.add(registry);
    }

    @Override
    public List<RedisConnections> redis() {
        return servers.values().stream().map(server -> server.broker().connections()).toList();
    }

    @Override
    public void start() {
        startNanos = System.nanoTime();
        servers.values().forEach(server -> server.broker().start());
        timer = vertx.setPeriodic(config.probeInterval().toMillis(), id -> onTick());
    }

    @Override
    public void close() {
        vertx.cancelTimer(timer);
        servers.values().forEach(server -> server.broker().close());
    }

    private void onTick() {
        wereAllUp = wereAllUp || areAllUp();
        if (++ticks == TICKS_PER_REFRESH) {
            ticks = 0;
            servers.values().forEach(this::refreshLists);
        }
    }

    private void refreshLists(Server server) {
        List<Generations.View> others =
                servers.values().stream()
                        .filter(other -> !other.name().equals(server.name()))
                        .flatMap(other -> other.generations().view().stream())
                        .toList();
        server.generations()
                .refresh(server.broker().connections(), others)
                .onSuccess(
                        changed -> {
                            if (changed) {
                                server.broker().compareRooms();
                            }
                        })
                .onFailure(
                        failure ->
                                LOG.debugf(
                                        "Redis server %s: not asked for its lists: %s",
                                        server.name(), failure.getMessage()));
    }

    @Override
    public Uni<Receipt> publish(PublishRequest request) {
        Room room = request.message().room();
        Server server = serverOf(room);
        return withServerInReason(server, server.broker().publish(request))
                .map(
                        receipt ->
                                new Receipt(
                                        view(server).withMark(room, receipt.id()),
                                        receipt.duplicate()));
    }

    @Override
    public Uni<Page> read(Room room, Range range) {
        Server server = serverOf(room);
        return withServerInReason(server, server.broker().read(room, range))
                .map(page -> view(server).withMark(room, page));
    }

    @Override
    public HistoryBounds bounds(Room room) {
        return serverOf(room).broker().bounds(room);
    }

    @Override
    public Uni<Void> endEpoch(Room room, String epoch) {
        Server server = serverOf(room);
        return Uni.createFrom()
                .deferred(
                        () -> {
                            Optional<String> ended =
                                    server.generations()
                                            .view()
                                            .flatMap(view -> view.inRedis(room, epoch));
                            return ended.isEmpty()
                                    ? Uni.createFrom().voidItem()
                                    : withServerInReason(
                                            server, server.broker().endEpoch(room, ended.get()));
                        });
    }

    @Override
    public Uni<Void> subscribe(Room room, Listener listener) {
        Server server = serverOf(room);
        Uni<Void> subscribed =
                withServerInReason(
                        server,
                        server.broker().subscribe(room, new RoomListener(server, listener)));
        if (!room.equals(Room.LOBBY)) {
            return subscribed;
        }
        return Uni.createFrom()
                .deferred(
                        () -> {
                            others(server)
                                    .forEach(o -> o.listenToPlainText(new PlainTextOnly(listener)));
                            return subscribed
                                    .onFailure()
                                    .invoke(failure -> stopPlainText(server, listener));
                        });
    }

    @Override
    public void unsubscribe(Room room, Listener listener) {
        Server server = serverOf(room);
        server.broker().unsubscribe(room, new RoomListener(server, listener));
        if (room.equals(Room.LOBBY)) {
            stopPlainText(server, listener);
        }
    }

    private void stopPlainText(Server server, Listener listener) {
        others(server).forEach(other -> other.stopPlainText(new PlainTextOnly(listener)));
    }

    /**
     * Messages flow if they do from one server at least: the rooms of the others would not be
     * served any better by another pod. A pod that starts waits for all of them, up to {@code
     * parley.redis.probe-timeout}. After that time, or after a tick at which messages flowed from
     * all of them, it goes on without those that are away.
     */
    @Override
    public BrokerState state() {
        Map<String, String> silent = new LinkedHashMap<>();
        List<String> publishingProblems = new ArrayList<>();
        servers.forEach(
                (name, server) -> {
                    BrokerState state = server.broker().state();
                    if (state instanceof BrokerState.Down down) {
                        silent.put(name, down.reason());
                    } else if (state instanceof BrokerState.Up up) {
                        up.publishingProblem().ifPresent(publishingProblems::add);
                    }
                });
        if (silent.size() == servers.size() || (!silent.isEmpty() && !hasStarted())) {
            return new BrokerState.Down(
                    silent.entrySet().stream()
                            .map(one -> "server " + one.getKey() + ": " + one.getValue())
                            .collect(Collectors.joining("; ")));
        }
        return new BrokerState.Up(
                publishingProblems.isEmpty()
                        ? Optional.empty()
                        : Optional.of(String.join("; ", publishingProblems)),
                silent);
    }

    /** Tells whether the pod waits no longer for servers from which no messages flow. */
    private boolean hasStarted() {
        return wereAllUp || System.nanoTime() - startNanos > config.probeTimeout().toNanos();
    }

    private boolean areAllUp() {
        return servers.values().stream().allMatch(server -> server.broker().state().isUp());
    }

    private Server serverOf(Room room) {
        return Objects.requireNonNull(servers.get(list.serverOf(room)));
    }

    private List<RedisBroker> others(Server server) {
        return servers.values().stream()
                .filter(other -> !other.name().equals(server.name()))
                .map(Server::broker)
                .toList();
    }

    /** Returns what a server that has answered remembers. It was asked before anything else. */
    private static Generations.View view(Server server) {
        return server.generations().view().orElseThrow();
    }

    /** Names the server in the reason of a failure. */
    private static <T> Uni<T> withServerInReason(Server server, Uni<T> call) {
        return call.onFailure(BrokerUnavailable.class)
                .transform(
                        failure ->
                                new BrokerUnavailable(
                                        "server " + server.name() + ": " + failure.getMessage(),
                                        failure));
    }

    /**
     * Names the epochs of a room's messages. Before the server was asked for its lists nothing was
     * read from it either, so that a message that comes then will be read.
     */
    private record RoomListener(Server server, Listener to) implements Listener {

        @Override
        public void onMessage(StoredMessage message) {
            server.generations().view().ifPresent(view -> to.onMessage(view.withMark(message)));
        }

        @Override
        public void onPlainText(String text) {
            to.onPlainText(text);
        }

        @Override
        public void onInterrupted() {
            to.onInterrupted();
        }
    }

    /** Receives the plain texts of a server that does not have the lobby. */
    private record PlainTextOnly(Listener to) implements Listener {

        @Override
        public void onMessage(StoredMessage message) {}

        @Override
        public void onPlainText(String text) {
            to.onPlainText(text);
        }

        @Override
        public void onInterrupted() {}
    }
}
