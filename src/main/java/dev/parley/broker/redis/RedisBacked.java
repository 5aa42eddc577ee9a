package dev.parley.broker.redis;

import dev.parley.broker.Broker;
import dev.parley.redis.RedisConnections;
import java.util.List;

/** A broker that keeps its rooms in Redis, on one server, a Cluster, or several servers. */
public sealed interface RedisBacked extends Broker, AutoCloseable
        permits RedisBroker, ServersBroker {

    /**
     * Begins to connect. From then on, a connection that ends is made again until {@link #close}.
     */
    void start();

    @Override
    void close();

    /** Returns the access to each server, in the order of their names. A Cluster is one server. */
    List<RedisConnections> redis();
}
