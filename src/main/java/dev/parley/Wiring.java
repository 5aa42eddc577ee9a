package dev.parley;

import dev.parley.access.AccessStore;
import dev.parley.access.memory.MemoryAccessStore;
import dev.parley.access.redis.RedisAccessStore;
import dev.parley.broker.Broker;
import dev.parley.broker.LostHistories;
import dev.parley.broker.RoomHistories;
import dev.parley.broker.memory.MemoryBroker;
import dev.parley.broker.memory.MemoryConfig;
import dev.parley.broker.redis.RedisBacked;
import dev.parley.broker.redis.RedisBroker;
import dev.parley.broker.redis.ServersBroker;
import dev.parley.delivery.EventsConfig;
import dev.parley.delivery.Hub;
import dev.parley.delivery.StreamLimitsConfig;
import dev.parley.log.LogConfig;
import dev.parley.log.OpenRooms;
import dev.parley.publish.PublishConfig;
import dev.parley.redis.RedisClients;
import dev.parley.redis.RedisConfig;
import dev.parley.sse.EventStreamEncoder;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Redis;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Instance;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.time.Clock;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Puts the program's objects together. With a Redis host, or several, it is one of many pods;
 * without one it serves alone, from memory.
 */
@Singleton
final class Wiring {

    private static final Logger LOG = Logger.getLogger(Wiring.class);

    @Produces
    @Singleton
    Clock clock() {
        return Clock.systemUTC();
    }

    /** One for the broker and the rooms, so that a loss that both notice is one line of the log. */
    @Produces
    @Singleton
    LostHistories lostHistories(MeterRegistry meters) {
        return new LostHistories(meters);
    }

    @Produces
    @Singleton
    RedisBroker.Dependencies redisDependencies(
            Vertx vertx,
            RedisConfig config,
            RoomHistories histories,
            PublishConfig publish,
            LostHistories lost,
            MeterRegistry meters) {
        return new RedisBroker.Dependencies(
                vertx, config, histories, publish.maxText().asLongValue(), lost, meters);
    }

    /** The broker in Redis; empty if no Redis is configured. */
    @Produces
    @Singleton
    Optional<RedisBacked> redisBroker(
            @ConfigProperty(name = "quarkus.redis.hosts") Optional<String> redisHosts,
            @ConfigProperty(name = "quarkus.redis.client-type", defaultValue = "standalone")
                    String clientType,
            Instance<Redis> redis,
            RedisClients clients,
            RedisBroker.Dependencies given) {
        checkPlainChannel(given.config());
        if (!given.config().servers().isEmpty()) {
            return Optional.of(brokerOfServers(clientType, redis, clients, given));
        }
        if (redisHosts.filter(hosts -> !hosts.isBlank()).isPresent()) {
            return Optional.of(brokerOfOneRedis(clientType, redis, clients, given));
        }
        return Optional.empty();
    }

    private static RedisBacked brokerOfServers(
            String clientType,
            Instance<Redis> redis,
            RedisClients clients,
            RedisBroker.Dependencies given) {
        Map<String, String> addresses = given.config().servers();
        RedisServerList.check(addresses, clientType);
        LOG.infof(
                "Messages go through the Redis servers %s",
                String.join(", ", new TreeSet<>(addresses.keySet())));
        initialize(redis);
        Map<String, Supplier<Redis>> servers = new TreeMap<>();
        addresses.forEach((name, address) -> servers.put(name, clients.on(given.vertx(), address)));
        return new ServersBroker(servers, given);
    }

    private static RedisBacked brokerOfOneRedis(
            String clientType,
            Instance<Redis> redis,
            RedisClients clients,
            RedisBroker.Dependencies given) {
        LOG.info("Messages go through Redis");
        initialize(redis);
        return clientType.equalsIgnoreCase("cluster")
                ? new RedisBroker(clients.nodes(given.vertx()), given)
                : new RedisBroker(clients.on(given.vertx()), given);
    }

    /**
     * Makes the framework create its client, which stays unused: {@link RedisClients} receives the
     * options of the configuration only then.
     */
    private static void initialize(Instance<Redis> redis) {
        Objects.requireNonNull(redis.get());
    }

    /** Text that is published on one of Parley's own channels would be taken for its messages. */
    private static void checkPlainChannel(RedisConfig config) {
        String own = config.prefix() + ":";
        if (config.plainChannel().filter(channel -> channel.startsWith(own)).isPresent()) {
            throw new ConfigurationException(
                    "parley.redis.plain-channel begins with "
                            + own
                            + " as Parley's own channels do; choose another name, such as chat");
        }
    }

    @Produces
    @Singleton
    Broker broker(
            Optional<RedisBacked> redisBroker,
            MemoryConfig memoryConfig,
            RoomHistories histories,
            MeterRegistry meters,
            Clock clock) {
        if (redisBroker.isPresent()) {
            redisBroker.get().start();
            return redisBroker.get();
        }
        LOG.info("Messages stay in this process: quarkus.redis.hosts is not configured");
        return new MemoryBroker(histories, memoryConfig.maxBytes().asLongValue(), clock, meters);
    }

    void close(@Disposes Broker broker) {
        if (broker instanceof RedisBacked redis) {
            redis.close();
        }
    }

    @Produces
    @Singleton
    AccessStore accessStore(Broker broker, RedisConfig redisConfig, Clock clock) {
        return broker instanceof RedisBacked redis
                ? new RedisAccessStore(redis.redis(), redisConfig.prefix(), clock)
                : new MemoryAccessStore(clock);
    }

    @Produces
    @Singleton
    Hub hub(
            Broker broker,
            LogConfig log,
            EventsConfig events,
            StreamLimitsConfig limits,
            LostHistories lost,
            MeterRegistry meters,
            Clock clock) {
        var encoder = new EventStreamEncoder(events.minRetry(), events.maxRetry());
        var rooms = new OpenRooms(broker, encoder, log, lost, meters);
        return new Hub(rooms, encoder, events, limits, meters, clock);
    }

    void start(@Observes StartupEvent event, Hub hub, EventsConfig config, Vertx vertx) {
        long tick = Hub.tickInterval(config).toMillis();
        vertx.setPeriodic(Math.max(1, tick), id -> hub.tick(System.nanoTime()));
        Parley.onStarted();
    }
}
