package dev.parley.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.testsupport.Timeouts;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.net.SocketAddress;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Look-ups that the test lets hang, and answers. */
final class NameLookupsTest {

    private static final String NAME = "redis.parley.test";
    private static final Duration SHORT = Duration.ofMillis(1);

    private final Vertx vertx = Vertx.vertx();
    private final ContextInternal context = (ContextInternal) vertx.getOrCreateContext();
    private final ThreadPoolExecutor threads = (ThreadPoolExecutor) Executors.newCachedThreadPool();
    private final BlockingQueue<Question> questions = new LinkedBlockingQueue<>();
    private final AtomicLong nanos = new AtomicLong();
    private final NameLookups lookups = new NameLookups(this::ask, threads, nanos::get);

    /** A look-up that hangs until it is answered. */
    private record Question(String name, CompletableFuture<InetAddress> answer) {}

    private InetAddress ask(String name) throws UnknownHostException {
        var question = new Question(name, new CompletableFuture<>());
        questions.add(question);
        try {
            return question.answer().join();
        } catch (CompletionException e) {
            throw (UnknownHostException) e.getCause();
        }
    }

    private Question asked() throws InterruptedException {
        Question question = questions.poll(Timeouts.millis(), TimeUnit.MILLISECONDS);
        assertThat(question).as("a look-up").isNotNull();
        return question;
    }

    private static InetAddress address(int last) throws UnknownHostException {
        return InetAddress.getByAddress(NAME, new byte[] {10, 0, 0, (byte) last});
    }

    private Future<InetAddress> lookUp() {
        return lookups.lookUp(context, NAME, Timeouts.LIMIT);
    }

    private static <T> T await(Future<T> future) {
        return future.toCompletionStage()
                .toCompletableFuture()
                .orTimeout(Timeouts.millis(), TimeUnit.MILLISECONDS)
                .join();
    }

    /** Looks up with a limit that has ended when this returns. */
    private void lookUpInVain() {
        assertThatThrownBy(() -> await(lookups.lookUp(context, NAME, SHORT)))
                .hasCauseInstanceOf(LookupTimeout.class)
                .hasMessageContaining("the look-up of " + NAME + " has not ended within 1 ms");
    }

    /** Answers the only look-up, which has ended when this returns. */
    private void answerTooLate(Question hanging, InetAddress address) {
        hanging.answer().complete(address);
        Timeouts.await("the end of the look-up")
                .until(() -> threads.getCompletedTaskCount() == threads.getTaskCount());
    }

    @AfterEach
    void stop() {
        questions.forEach(question -> question.answer().cancel(false));
        threads.shutdownNow();
        await(vertx.close());
    }

    @Test
    void callersOfAName_shareOneLookup_andTheNextOneLooksItUpAgain() throws Exception {
        List<Future<InetAddress>> callers = new ArrayList<>(List.of(lookUp(), lookUp(), lookUp()));
        asked().answer().complete(address(1));

        for (Future<InetAddress> caller : callers) {
            assertThat(await(caller)).isEqualTo(address(1));
        }
        assertThat(questions).isEmpty();

        Future<InetAddress> next = lookUp();
        asked().answer().complete(address(2));
        assertThat(await(next)).isEqualTo(address(2));
    }

    @Test
    void answer_arrivesOnTheEventLoopOfTheCaller() throws Exception {
        var arrivedOn = new CompletableFuture<Context>();
        lookUp().onSuccess(found -> arrivedOn.complete(Vertx.currentContext()));
        asked().answer().complete(address(1));

        assertThat(arrivedOn).succeedsWithin(Timeouts.LIMIT).isSameAs(context);
    }

    @Test
    void nameThatHangs_delaysNoOther() throws Exception {
        lookUp();
        Question hanging = asked();
        Future<InetAddress> other = lookups.lookUp(context, "other", Timeouts.LIMIT);
        Question answered = asked();
        answered.answer().complete(address(2));

        assertThat(hanging.name()).isEqualTo(NAME);
        assertThat(answered.name()).isEqualTo("other");
        assertThat(await(other)).isEqualTo(address(2));
        hanging.answer().complete(address(1));
    }

    @Test
    void failure_isThatOfTheLookup_andIsNotKept() throws Exception {
        Future<InetAddress> caller = lookUp();
        asked().answer().completeExceptionally(new UnknownHostException(NAME));

        assertThatThrownBy(() -> await(caller))
                .hasCauseInstanceOf(UnknownHostException.class)
                .hasMessageContaining(NAME);

        Future<InetAddress> next = lookUp();
        asked().answer().complete(address(1));
        assertThat(await(next)).isEqualTo(address(1));
    }

    @Test
    void lookupThatHangs_failsEachCaller_andIsNotBegunAgain() throws Exception {
        lookUpInVain();
        Question hanging = asked();
        lookUpInVain();

        // This one does not wait: the look-up has taken as long as it allows.
        nanos.addAndGet(Timeouts.LIMIT.toNanos());
        assertThat(lookUp().cause()).isInstanceOf(LookupTimeout.class);

        assertThat(questions).isEmpty();
        hanging.answer().complete(address(1));
    }

    @Test
    void answerThatComesWhenAllHaveGivenUp_isForTheNextCaller_once() throws Exception {
        lookUpInVain();
        answerTooLate(asked(), address(1));

        assertThat(await(lookUp())).isEqualTo(address(1));
        assertThat(questions).isEmpty();

        Future<InetAddress> next = lookUp();
        asked().answer().complete(address(2));
        assertThat(await(next)).isEqualTo(address(2));
    }

    @Test
    void lateAnswerThatIsOld_isNotUsed() throws Exception {
        lookUpInVain();
        answerTooLate(asked(), address(1));

        nanos.addAndGet(NameLookups.KEPT.toNanos());

        Future<InetAddress> next = lookUp();
        asked().answer().complete(address(2));
        assertThat(await(next)).isEqualTo(address(2));
    }

    @Test
    void literalsAndPaths_needNoLookup() {
        for (SocketAddress server :
                List.of(
                        SocketAddress.inetSocketAddress(6379, "10.0.0.7"),
                        SocketAddress.inetSocketAddress(6379, "::1"),
                        SocketAddress.inetSocketAddress(6379, "[::1]"),
                        SocketAddress.domainSocketAddress("/run/redis.sock"))) {
            assertThat(NameLookups.resolve(context, server, SHORT).result())
                    .as("%s", server)
                    .isSameAs(server);
        }
    }

    @Test
    void nameOfAServer_staysBesideItsAddress() {
        SocketAddress found =
                await(
                        NameLookups.resolve(
                                context,
                                SocketAddress.inetSocketAddress(6379, "localhost"),
                                Timeouts.LIMIT));

        assertThat(found.host()).isEqualTo("localhost");
        assertThat(found.hostAddress()).isIn("127.0.0.1", "0:0:0:0:0:0:0:1");
        assertThat(found.port()).isEqualTo(6379);
    }
}
