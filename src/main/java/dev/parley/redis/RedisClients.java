package dev.parley.redis;

import io.quarkus.redis.client.RedisOptionsCustomizer;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;
import jakarta.inject.Singleton;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes clients of the Redis that {@code quarkus.redis.*} describes. The framework makes one of its
 * own at start, and passes the options here before it does.
 */
@Singleton
public final class RedisClients implements RedisOptionsCustomizer {

    private volatile @Nullable RedisOptions options;

    RedisClients() {}

    /** Keeps the options, unchanged. */
    @Override
    public void customize(String clientName, RedisOptions options) {
        this.options = options;
    }

    /**
     * Makes further clients, which their users close. The framework must have made its own.
     *
     * @throws NullPointerException if no Redis is configured
     */
    public Supplier<Redis> on(Vertx vertx) {
        RedisOptions known = Objects.requireNonNull(options);
        return () -> Redis.createClient(vertx, known);
    }
}
