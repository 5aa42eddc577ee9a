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
 * Makes clients of the Redis that {@code quarkus.redis.*} describes. When the program starts, the
 * framework makes a client, which Parley does not use; before that it passes the options here.
 */
@Singleton
public final class RedisClients implements RedisOptionsCustomizer {

    private volatile @Nullable RedisOptions options;

    RedisClients() {}

    /** Remembers the options, and does not change them. */
    @Override
    public void customize(String clientName, RedisOptions options) {
        this.options = options;
    }

    /**
     * Returns what makes a further client at each call; the caller closes the client.
     *
     * @throws NullPointerException if the framework has not made its client yet, or no Redis is
     *     configured
     */
    public Supplier<Redis> on(Vertx vertx) {
        RedisOptions known = Objects.requireNonNull(options);
        return () -> Redis.createClient(vertx, known);
    }
}
