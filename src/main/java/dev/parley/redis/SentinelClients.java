package dev.parley.redis;

import io.vertx.core.Future;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.impl.types.ErrorType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/**
 * Makes clients that ask Sentinels where the primary is.
 *
 * <p>A client asks them in the order of its list, goes on to the next one when one refuses or errs,
 * and connects to the server that the first answer names. Two Sentinels lead it nowhere, however
 * well the others know the primary:
 *
 * <ul>
 *   <li>One that accepts the connection and never answers, such as a process that hangs. The client
 *       waits for it until the attempt to connect is given up and the client closed.
 *   <li>One that names a server which is not the primary any more. If a Sentinel is started again
 *       from its first configuration, after a failover and while the former primary is dead, it
 *       names that one, and cannot learn of the present one, since Sentinels find each other
 *       through the primary that they know. A former primary that came back is a replica.
 * </ul>
 *
 * <p>If each attempt began with that Sentinel again, the pod would have no Redis for as long as it
 * is so. So after an attempt that found no primary the next clients begin with the Sentinel that
 * follows, for a minute. Then the order is the configured one again: where Sentinels disagree, all
 * pods should go by the same one.
 *
 * <p>{@link #askAll} asks every Sentinel. From then on, for a minute, clients begin with the first
 * one that says what most of them say. Thread-safe.
 */
final class SentinelClients implements Supplier<Redis> {

    private static final Logger LOG = Logger.getLogger(SentinelClients.class);

    static final Duration PASSED_OVER = Duration.ofMinutes(1);

    private final List<String> sentinels;
    private final Function<List<String>, Redis> clients;
    private final Function<String, Future<String>> question;
    private final LongSupplier nanoTime;

    /** Guarded by this. */
    private First first;

    /**
     * The Sentinel with which clients begin.
     *
     * @param sinceNanos when it took the place of the one before it
     */
    private record First(int index, long sinceNanos) {}

    /**
     * @param sentinels their addresses
     * @param clients makes a client that asks the Sentinels of a list in its order
     * @param question asks one Sentinel for the address of the primary; ends within a bounded time
     */
    SentinelClients(
            List<String> sentinels,
            Function<List<String>, Redis> clients,
            Function<String, Future<String>> question,
            LongSupplier nanoTime) {
        this.sentinels = List.copyOf(sentinels);
        this.clients = clients;
        this.question = question;
        this.nanoTime = nanoTime;
        this.first = new First(0, nanoTime.getAsLong());
    }

    /** Makes a client; the caller closes it, also when it gives up waiting for its connection. */
    @Override
    public Redis get() {
        First beginning = first();
        List<String> order = new ArrayList<>(sentinels);
        Collections.rotate(order, -beginning.index());
        return new Client(clients.apply(order), beginning);
    }

    private synchronized First first() {
        long now = nanoTime.getAsLong();
        if (first.index() > 0 && now - first.sinceNanos() >= PASSED_OVER.toNanos()) {
            first = new First(0, now);
        }
        return first;
    }

    /**
     * Asks each Sentinel for the primary, and lets the next clients begin with the first one that
     * names the address which more than half of the list name. Those that do not answer count
     * against every address: a pod that reaches one Sentinel alone does not know what the others
     * have agreed on.
     *
     * @return that address; empty if there is none
     */
    Future<Optional<String>> askAll() {
        List<Future<String>> answers = sentinels.stream().map(question).toList();
        return Future.join(answers).transform(all -> Future.succeededFuture(ofMost(answers)));
    }

    private Optional<String> ofMost(List<Future<String>> answers) {
        List<Optional<String>> named =
                answers.stream().map(answer -> Optional.ofNullable(answer.result())).toList();
        for (int i = 0; i < named.size(); i++) {
            Optional<String> one = named.get(i);
            if (one.isPresent() && 2 * Collections.frequency(named, one) > named.size()) {
                beginWith(i);
                return one;
            }
        }
        return Optional.empty();
    }

    private synchronized void beginWith(int index) {
        first = new First(index, nanoTime.getAsLong());
    }

    /** Goes on to the next Sentinel, unless another attempt has done so already. */
    private synchronized void passOver(First useless) {
        if (first.equals(useless)) {
            first = new First((useless.index() + 1) % sentinels.size(), nanoTime.getAsLong());
            LOG.debugf(
                    "Sentinel %d of the list led to no primary; number %d is asked first",
                    useless.index() + 1, first.index() + 1);
        }
    }

    /**
     * Fails if the connection leads to a replica. Any error reply is let pass: the account may not
     * be allowed to ask.
     */
    private static Future<RedisConnection> requirePrimary(RedisConnection connection) {
        return connection
                .send(Request.cmd(Command.INFO).arg("replication"))
                .map(Response::toString)
                .recover(
                        failure ->
                                failure instanceof ErrorType
                                        ? Future.succeededFuture("")
                                        : Future.failedFuture(failure))
                .compose(
                        info ->
                                info.lines().anyMatch("role:slave"::equals)
                                        ? Future.failedFuture("the Sentinel names a replica")
                                        : Future.succeededFuture(connection));
    }

    /** A client that notes whether it is closed, or fails, before it has found a primary. */
    private final class Client implements Redis {

        private final Redis delegate;
        private final First begunWith;
        private volatile boolean isConnecting;

        Client(Redis delegate, First begunWith) {
            this.delegate = delegate;
            this.begunWith = begunWith;
        }

        @Override
        public Future<RedisConnection> connect() {
            isConnecting = true;
            return delegate.connect()
                    .compose(SentinelClients::requirePrimary)
                    .onFailure(failure -> passOver(begunWith))
                    .onComplete(done -> isConnecting = false);
        }

        @Override
        public void close() {
            if (isConnecting) {
                passOver(begunWith);
            }
            delegate.close();
        }

        @Override
        public Future<Response> send(Request command) {
            return delegate.send(command);
        }

        @Override
        public Future<List<Response>> batch(List<Request> commands) {
            return delegate.batch(commands);
        }
    }
}
