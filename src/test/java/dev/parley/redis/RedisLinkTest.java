package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Timeouts;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.impl.types.ErrorType;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RedisLinkTest {

    private final Vertx vertx = Vertx.vertx();
    private final Queue<ScriptedConnection> made = new ConcurrentLinkedQueue<>();

    @AfterEach
    void closeVertx() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void connection_thatEndsWhileItIsPrepared_isMadeAgain() {
        Promise<Void> prepared = Promise.promise();
        RedisLink link = link(() -> made.size() == 1 ? prepared.future() : done());

        link.start();
        awaitConnections(1);
        first().awaitPreparation();
        first().end();

        awaitConnections(2);
        awaitReady(link);
        first().awaitClosed();
        prepared.complete();
        assertThat(link.connection().orElseThrow()).isNotSameAs(first().connection());
    }

    @Test
    void connection_thatEndedAsItsPreparationSucceeded_isMadeAgain() {
        RedisLink link =
                link(
                        () -> {
                            if (made.size() == 1) {
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
    void attemptThatGetsNoAnswer_isGivenUp_andItsClientClosed() {
        Promise<Void> never = Promise.promise();
        RedisLink link =
                link(
                        () -> made.size() == 1 ? never.future() : done(),
                        RedisSettings.QUICK.withTimeout(Duration.ofMillis(50)));

        link.start();

        awaitReady(link);
        first().awaitClosed();
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

    /**
     * The end of the connection, which closing its client causes, is not a reason to close again.
     */
    @Test
    void clientOfAConnection_thatIsLeft_isClosedOnce() {
        RedisLink link = link(RedisLinkTest::done);
        link.start();
        awaitReady(link);

        link.renew("it is silent");
        awaitConnections(2);
        awaitReady(link);
        link.quit(link.connection().orElseThrow(), "it is a replica");
        awaitConnections(3);
        awaitReady(link);
        link.close();

        made.forEach(ScriptedConnection::awaitClosed);
        assertThat(made).extracting(each -> each.closes.get()).containsExactly(1, 1, 1);
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
        first().awaitClosed();
    }

    @Test
    void clientOfALink_thatIsClosedWhileItConnects_isClosedOnce() {
        Promise<Void> never = Promise.promise();
        RedisLink link = link(never::future);
        link.start();
        awaitConnections(1);
        first().awaitPreparation();

        link.close();

        first().awaitClosed();
        // What the failed attempt does comes before this on the link's event loop.
        link.eventLoop().submit(() -> {}).syncUninterruptibly();
        assertThat(first().closes).hasValue(1);
    }

    @Test
    void linkThatIsClosed_failsThoseThatWaitForItsConnection() {
        Promise<Void> never = Promise.promise();
        RedisLink link = link(never::future);
        link.start();
        Future<RedisConnection> waiting = whenReady(link, Timeouts.LIMIT);

        link.close();

        assertThat(waiting.failed()).isTrue();
        assertThat(link.waiting()).isZero();
    }

    @Test
    void callsThatWaitForAConnection_receiveIt() {
        Promise<Void> prepared = Promise.promise();
        RedisLink link = link(prepared::future);
        link.start();
        Future<RedisConnection> one = whenReady(link, Timeouts.LIMIT);
        Future<RedisConnection> two = whenReady(link, Timeouts.LIMIT);
        assertThat(link.waiting()).isEqualTo(2);

        prepared.complete();

        Timeouts.await("connection").until(() -> one.succeeded() && two.succeeded());
        assertThat(one.result()).isSameAs(first().connection());
        assertThat(whenReady(link, Timeouts.LIMIT).succeeded()).isTrue();
        assertThat(link.waiting()).isZero();
    }

    /** A node of a Cluster that the pod cannot reach may be waited for again and again. */
    @Test
    void callThatWaitsForAConnectionInVain_leavesNothingBehind() {
        Promise<Void> never = Promise.promise();
        RedisLink link = link(never::future);
        link.start();

        Future<RedisConnection> call = whenReady(link, Duration.ofMillis(1));

        Timeouts.await("the end of the wait").until(call::failed);
        Timeouts.await("nothing to be kept").until(() -> link.waiting() == 0);
    }

    @Test
    void callsThatWaitForAConnection_areBounded() {
        Promise<Void> never = Promise.promise();
        RedisLink link = link(never::future, RedisSettings.QUICK.withMaxPending(2));
        link.start();
        Future<RedisConnection> one = whenReady(link, Timeouts.LIMIT);
        whenReady(link, Timeouts.LIMIT);

        Future<RedisConnection> refused = whenReady(link, Timeouts.LIMIT);

        assertThat(refused.cause())
                .isInstanceOf(RedisUnavailable.class)
                .hasMessage("Redis is too far behind: 2 commands wait for a connection");
        assertThat(one.isComplete()).isFalse();
        assertThat(link.waiting()).isEqualTo(2);
    }

    @Test
    void linkThatWasConnected_andIsClosed_isNotBeingConnected() {
        RedisLink link = link(RedisLinkTest::done);
        link.start();
        awaitReady(link);

        link.closeAfterPending();

        assertThat(link.isFirstAttempt()).isFalse();
        assertThat(whenReady(link, Timeouts.LIMIT).failed()).isTrue();
    }

    private static Future<RedisConnection> whenReady(RedisLink link, Duration limit) {
        return link.whenReady(limit, limit);
    }

    private RedisLink link(Supplier<Future<Void>> prepare) {
        return link(prepare, RedisSettings.QUICK);
    }

    private RedisLink link(Supplier<Future<Void>> prepare, RedisConfig config) {
        return new RedisLink(
                "test", vertx, this::client, config, connection -> prepare.get(), () -> {});
    }

    private static Future<Void> done() {
        return Future.succeededFuture();
    }

    private ScriptedConnection first() {
        return made.element();
    }

    private void awaitConnections(int count) {
        Timeouts.await(count + " connections").until(() -> made.size() >= count);
    }

    private static void awaitReady(RedisLink link) {
        Timeouts.await("ready").until(() -> link.connection().isPresent());
    }

    /** A client whose one connection is scripted; closing the client closes the connection. */
    private Redis client() {
        var connection = new ScriptedConnection();
        return proxy(
                Redis.class,
                (method, argument) -> {
                    if (method.equals("close")) {
                        connection.closes.incrementAndGet();
                        connection.end();
                        return null;
                    }
                    made.add(connection);
                    return Future.succeededFuture(connection.connection());
                });
    }

    /** As the client's: code that asks for the end of a connection that has ended gets no call. */
    private static final class ScriptedConnection {

        private final RedisConnection connection = proxy(RedisConnection.class, this::call);
        private volatile Handler<Void> onEnd = end -> {};
        private volatile boolean preparing;
        private final AtomicInteger closes = new AtomicInteger();

        RedisConnection connection() {
            return connection;
        }

        void awaitClosed() {
            Timeouts.await("closed").until(() -> closes.get() > 0);
        }

        void awaitPreparation() {
            Timeouts.await("preparation").until(() -> preparing);
        }

        void end() {
            Handler<Void> last = onEnd;
            onEnd = end -> {};
            last.handle(null);
        }

        @SuppressWarnings("unchecked")
        private Object call(String method, Object argument) {
            if (method.equals("endHandler")) {
                onEnd = (Handler<Void>) argument;
            }
            if (method.equals("send")) {
                preparing = true;
                return Future.failedFuture(ErrorType.create("NOPERM no permission to ask"));
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
