package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Timeouts;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import java.lang.reflect.Proxy;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RedisLinkTest {

    private final Vertx vertx = Vertx.vertx();
    private final Queue<ScriptedConnection> connections = new ConcurrentLinkedQueue<>();

    @AfterEach
    void closeVertx() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void connection_thatEndsWhileItIsPrepared_isMadeAgain() {
        Promise<Void> prepared = Promise.promise();
        RedisLink link = link(() -> connections.size() == 1 ? prepared.future() : done());

        link.start();
        first().end();

        awaitConnections(2);
        awaitReady(link);
        assertThat(first().isClosed()).isTrue();

        prepared.complete();
        assertThat(link.connection().orElseThrow()).isNotSameAs(first().connection());
    }

    @Test
    void connection_thatEndsWhenItsPreparationSucceeds_isMadeAgain() {
        RedisLink link =
                link(
                        () -> {
                            if (connections.size() == 1) {
                                Future<Void> done = done();
                                first().end();
                                return done;
                            }
                            return done();
                        });

        link.start();

        awaitConnections(2);
        awaitReady(link);
    }

    @Test
    void connection_thatEnds_isMadeAgain() {
        RedisLink link = link(RedisLinkTest::done);
        link.start();
        awaitReady(link);

        first().end();

        awaitConnections(2);
        awaitReady(link);
    }

    @Test
    void closedLink_staysClosed() {
        Promise<Void> prepared = Promise.promise();
        RedisLink link = link(prepared::future);
        link.start();
        awaitConnections(1);

        link.close();
        prepared.complete();

        assertThat(link.connection()).isEmpty();
        assertThat(first().isClosed()).isTrue();
    }

    private RedisLink link(Supplier<Future<Void>> prepare) {
        return new RedisLink(
                "test", vertx, redis(), RedisSettings.QUICK, connection -> prepare.get());
    }

    private static Future<Void> done() {
        return Future.succeededFuture();
    }

    private ScriptedConnection first() {
        return connections.element();
    }

    private void awaitConnections(int count) {
        Timeouts.await(count + " connections").until(() -> connections.size() >= count);
    }

    private static void awaitReady(RedisLink link) {
        Timeouts.await("ready").until(() -> link.connection().isPresent());
    }

    private Redis redis() {
        return proxy(
                Redis.class,
                (method, argument) -> {
                    var connection = new ScriptedConnection();
                    connections.add(connection);
                    return Future.succeededFuture(connection.connection());
                });
    }

    /**
     * A connection that ends when a test says so. Like the client's, it does not call an end
     * handler that is set after the end.
     */
    private static final class ScriptedConnection {

        private final RedisConnection connection = proxy(RedisConnection.class, this::call);
        private volatile Handler<Void> onEnd = end -> {};
        private volatile boolean closed;

        RedisConnection connection() {
            return connection;
        }

        boolean isClosed() {
            return closed;
        }

        void end() {
            onEnd.handle(null);
            onEnd = end -> {};
        }

        @SuppressWarnings("unchecked")
        private Object call(String method, Object argument) {
            if (method.equals("endHandler")) {
                onEnd = (Handler<Void>) argument;
            }
            if (method.equals("close")) {
                closed = true;
                return done();
            }
            return connection;
        }
    }

    private interface Call {
        Object on(String method, Object argument);
    }

    @SuppressWarnings("ReferenceEquality") // A proxy is equal to itself alone.
    private static <T> T proxy(Class<T> type, Call call) {
        return type.cast(
                Proxy.newProxyInstance(
                        type.getClassLoader(),
                        new Class<?>[] {type},
                        (proxy, method, args) -> {
                            if (method.getName().equals("equals")) {
                                return proxy == args[0];
                            }
                            return call.on(method.getName(), args == null ? null : args[0]);
                        }));
    }
}
