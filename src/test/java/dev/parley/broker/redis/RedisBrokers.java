package dev.parley.broker.redis;

import dev.parley.broker.BlockingBroker;
import dev.parley.broker.HistorySettings;
import dev.parley.broker.LostHistories;
import dev.parley.broker.RoomHistories;
import dev.parley.redis.ClusterClients;
import dev.parley.redis.RedisConfig;
import dev.parley.redis.RedisSettings;
import dev.parley.testsupport.SettableClock;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisClientType;
import io.vertx.redis.client.RedisOptions;
import java.io.Closeable;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.Supplier;

/** Makes brokers, each as in another pod, and closes all of them with their clients. */
public final class RedisBrokers implements Closeable {

    private final Vertx vertx = Vertx.vertx();
    private final MeterRegistry meters = new SimpleMeterRegistry();
    private final ConcurrentLinkedDeque<Runnable> closing = new ConcurrentLinkedDeque<>();

    /** Opens a broker on the Redis at an address such as {@code redis://127.0.0.1:6379}. */
    BlockingBroker open(String uri) {
        return open(uri, RedisSettings.QUICK);
    }

    BlockingBroker open(String uri, RedisConfig config) {
        return open(new RedisOptions().setConnectionString(uri), config);
    }

    BlockingBroker open(RedisOptions options, RedisConfig config) {
        return BlockingBroker.open(
                create(options, config, HistorySettings.DEFAULT.ofAllRooms()),
                SettableClock.stoppedNow());
    }

    /** Opens a broker with another bound of texts that other programs publish. */
    BlockingBroker open(String uri, long maxTextBytes) {
        var broker =
                new RedisBroker(
                        () -> Redis.createClient(vertx, uri),
                        given(
                                RedisSettings.QUICK,
                                HistorySettings.DEFAULT.ofAllRooms(),
                                maxTextBytes));
        broker.start();
        closing.push(broker::close);
        return BlockingBroker.open(broker, SettableClock.stoppedNow());
    }

    /** Starts a broker, and does not wait until it is connected. */
    RedisBroker create(RedisOptions options, RedisConfig config, RoomHistories histories) {
        var broker =
                options.getType() == RedisClientType.CLUSTER
                        ? new RedisBroker(
                                new ClusterClients(vertx, options), given(config, histories))
                        : new RedisBroker(
                                () -> Redis.createClient(vertx, options), given(config, histories));
        broker.start();
        closing.push(broker::close);
        return broker;
    }

    /**
     * Starts a broker on several servers, and does not wait until it is connected.
     *
     * @param uris the servers' addresses by their names
     */
    public ServersBroker create(
            Map<String, String> uris, RedisConfig config, RoomHistories histories) {
        Map<String, Supplier<Redis>> clients = new TreeMap<>();
        uris.forEach((name, uri) -> clients.put(name, () -> Redis.createClient(vertx, uri)));
        var broker = new ServersBroker(clients, given(config, histories));
        broker.start();
        closing.push(broker::close);
        return broker;
    }

    private RedisBroker.Dependencies given(RedisConfig config, RoomHistories histories) {
        return given(config, histories, 65_536);
    }

    private RedisBroker.Dependencies given(
            RedisConfig config, RoomHistories histories, long maxTextBytes) {
        return new RedisBroker.Dependencies(
                vertx, config, histories, maxTextBytes, new LostHistories(meters), meters);
    }

    /** Opens a broker on several servers. */
    BlockingBroker open(Map<String, String> uris) {
        return BlockingBroker.open(
                create(uris, RedisSettings.QUICK, HistorySettings.DEFAULT.ofAllRooms()),
                SettableClock.stoppedNow());
    }

    /** The meters of all brokers together. */
    MeterRegistry meters() {
        return meters;
    }

    @Override
    public void close() {
        closing.forEach(Runnable::run);
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
