package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.RedisServer;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/**
 * By what a command fails when its connection has ended. Only the Redis client's words tell, which
 * another version of it may change.
 */
class ClosedConnectionIT {

    @AutoClose private final RedisServer redis = RedisServer.start();
    private final Vertx vertx = Vertx.vertx();

    @AfterEach
    void closeVertx() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void commandsBeforeAndAfterTheEndOfTheirConnection_failAsClosed() {
        RedisConnection connection = await(Redis.createClient(vertx, redis.uri()).connect());
        redis.pause();
        Future<Response> waiting = connection.send(Request.cmd(Command.PING));

        redis.kill();

        assertThat(failure(waiting)).matches(RedisCommands::isOfAClosedConnection);
        assertThat(failure(connection.send(Request.cmd(Command.PING))))
                .matches(RedisCommands::isOfAClosedConnection);
    }

    @Test
    void anErrorReply_isNotAClosedConnection() {
        RedisConnection connection = await(Redis.createClient(vertx, redis.uri()).connect());

        Request unknown = Request.cmd(Command.create("nonsense"));

        assertThat(failure(connection.send(unknown)))
                .matches(failure -> !RedisCommands.isOfAClosedConnection(failure));
    }

    private static <T> T await(Future<T> future) {
        return future.toCompletionStage().toCompletableFuture().join();
    }

    private static Throwable failure(Future<?> future) {
        try {
            throw new AssertionError("it succeeded: " + await(future));
        } catch (CompletionException failed) {
            return failed.getCause();
        }
    }
}
