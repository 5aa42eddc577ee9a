package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.testsupport.Timeouts;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.impl.VertxInternal;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Event loops are busy as they are with many clients: in a handler of what they have read. */
class AnswerTimeoutTest {

    private static final Duration TIMEOUT = Duration.ofMillis(50);

    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(2));
    private final ContextInternal context = ((VertxInternal) vertx).createEventLoopContext();
    private final ContextInternal other = ((VertxInternal) vertx).createEventLoopContext();

    /** Another process, as Redis is: its event loop is never busy. */
    private final Vertx remote = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));

    private final CountDownLatch answered = new CountDownLatch(1);
    private final CountDownLatch end = new CountDownLatch(1);

    @AfterEach
    void close() throws Exception {
        end.countDown();
        await(vertx.close());
        await(remote.close());
    }

    @Test
    void answerThatArrivesWhileTheCallersLoopIsBusy_isNotTooLate() throws Exception {
        Future<String> limited = callWhileBusy(context, context);

        assertThat(await(limited)).isEqualTo("answer");
    }

    @Test
    void answerThatArrivesWhileTheConnectionsLoopIsBusy_isNotTooLate() throws Exception {
        assertThat(context.nettyEventLoop()).isNotSameAs(other.nettyEventLoop());

        Future<String> limited = callWhileBusy(context, other);

        assertThat(await(limited)).isEqualTo("answer");
    }

    @Test
    void withoutAnAnswer_theWaitFails() {
        Promise<String> never = context.promise();

        Future<String> limited = AnswerTimeout.limit(vertx, never.future(), TIMEOUT);

        assertThatThrownBy(() -> await(limited))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(TimeoutException.class)
                .hasMessageContaining("no answer within 50 ms");
    }

    @Test
    void withoutAContext_theWaitFailsToo() {
        Future<String> limited =
                AnswerTimeout.limit(vertx, Promise.<String>promise().future(), TIMEOUT);

        assertThatThrownBy(() -> await(limited)).hasCauseInstanceOf(TimeoutException.class);
    }

    @Test
    void loopThatDoesNotComeBack_doesNotKeepTheWaitFromFailing() {
        other.runOnContext(now -> awaitUninterruptibly(end));
        Promise<String> never = context.promise();

        Future<String> limited = AnswerTimeout.limit(vertx, never.future(), TIMEOUT);

        assertThatThrownBy(() -> await(limited)).hasCauseInstanceOf(TimeoutException.class);
    }

    @Test
    void failure_isPassedOnAtOnce() {
        Promise<String> call = context.promise();
        Future<String> limited = AnswerTimeout.limit(vertx, call.future(), Duration.ofHours(1));

        call.fail("connection closed");

        assertThatThrownBy(() -> await(limited)).hasMessageContaining("connection closed");
    }

    /**
     * Calls the server from one event loop over a connection of a second one. That one is then busy
     * until the answer has been sent and the time is over twice. How long it is waited for after
     * that is left to the machine.
     */
    private Future<String> callWhileBusy(ContextInternal caller, ContextInternal reader)
            throws Exception {
        NetServer server = remote.createNetServer().connectHandler(this::serve);
        int port = await(server.listen(0, "127.0.0.1")).actualPort();
        NetSocket busy = await(connect(reader, port));
        NetSocket calls = await(connect(reader, port));
        Promise<String> answer = caller.promise();
        calls.handler(bytes -> answer.complete(bytes.toString()));
        Promise<Future<String>> called = Promise.promise();
        busy.handler(
                bytes -> {
                    long start = System.nanoTime();
                    calls.write(Buffer.buffer("call"));
                    called.complete(
                            AnswerTimeout.limit(vertx, answer.future(), TIMEOUT, Timeouts.LIMIT));
                    awaitUninterruptibly(answered);
                    while (System.nanoTime() - start < 2 * TIMEOUT.toNanos()) {
                        Thread.onSpinWait();
                    }
                });
        reader.runOnContext(now -> busy.write("begin"));
        return await(called.future());
    }

    private Future<NetSocket> connect(ContextInternal on, int port) {
        Promise<NetSocket> connected = Promise.promise();
        on.runOnContext(
                now -> vertx.createNetClient().connect(port, "127.0.0.1").onComplete(connected));
        return connected.future();
    }

    private void serve(NetSocket client) {
        client.handler(
                bytes -> {
                    boolean isCall = bytes.toString().equals("call");
                    client.write(isCall ? "answer" : "go")
                            .onSuccess(
                                    sent -> {
                                        if (isCall) {
                                            answered.countDown();
                                        }
                                    });
                });
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            assertThat(latch.await(Timeouts.LIMIT.toMillis(), TimeUnit.MILLISECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static <T> T await(Future<T> future) throws Exception {
        return future.toCompletionStage()
                .toCompletableFuture()
                .get(Timeouts.LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    }
}
