package dev.parley.sse;

import dev.parley.delivery.Connection;
import dev.parley.delivery.EventLoop;
import dev.parley.delivery.Hub;
import dev.parley.http.ConnectionGuard;
import dev.parley.http.PipelinedRequests;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.handler.codec.http2.Http2Error;
import io.smallrye.mutiny.operators.AbstractMulti;
import io.smallrye.mutiny.subscription.MultiSubscriber;
import io.vertx.core.Future;
import io.vertx.core.buffer.impl.BufferImpl;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import java.util.concurrent.Flow;
import java.util.function.Function;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The answer to a request for a stream: for the framework a {@code Multi} that never emits an item.
 *
 * <p>The framework routes, negotiates and writes the head of the answer. Parley writes the body,
 * because the framework's writer encodes each message anew for each client and does not conform to
 * the event stream format. On HTTP/1.1 the connection is taken over from the server ({@link
 * ChunkedConnection}), and the framework does nothing more. Otherwise ({@link ResponseConnection})
 * the framework also reports when the client has gone, and ends the exchange.
 */
public final class EventStream extends AbstractMulti<String> implements Flow.Subscription {

    private static final Logger LOG = Logger.getLogger(EventStream.class);

    private final HttpServerRequest request;
    private final EventLoop loop;
    private final Function<Connection, Hub.Registration> subscribe;
    private Hub.@Nullable Registration registration;

    /** Whether the framework has cancelled the stream, or the server has ended it. */
    private boolean ended;

    /**
     * Has the head of the answer held back, if the connection can be taken over ({@link HeldHead}).
     *
     * @param loop the connection's event loop
     * @param request the request for the stream
     * @param subscribe gives the connection to the hub; called on that loop. If it fails, the
     *     connection is cut, or on HTTP/2 the stream is reset
     */
    public EventStream(
            HttpServerRequest request,
            EventLoop loop,
            Function<Connection, Hub.Registration> subscribe) {
        this.request = request;
        this.loop = loop;
        this.subscribe = subscribe;
        HeldHead.of(request);
    }

    @Override
    public void subscribe(MultiSubscriber<? super String> framework) {
        framework.onSubscribe(this);
        if (ChunkedConnection.suits(request)) {
            // The framework pauses every request, and the server releases a request only after it
            // has read it to its end.
            request.resume();
            loop.execute(() -> takeOver(framework));
            return;
        }
        HeldHead.send(PipelinedRequests.pipeline(request));
        if (!request.response().closed()) {
            // Otherwise the client has reset the stream before the framework listened for that, and
            // nothing would say again that it is gone.
            var connection = new ResponseConnection(request, framework::onComplete, this::onEnd);
            try {
                registration = subscribe.apply(connection);
            } catch (RuntimeException | Error e) {
                logFailure(e);
                connection.cut();
                return;
            }
            if (ended) {
                // While it was opened: it was refused, or the client was gone.
                registration.onConnectionGone();
            } else {
                ConnectionGuard.onStreamOpened(request);
            }
        }
    }

    @Override
    public void request(long items) {
        // No items follow, whatever is requested.
    }

    /**
     * Ends the stream. The framework calls this when it sees the connection close, unless it has
     * completed the exchange itself.
     */
    @Override
    public void cancel() {
        onEnd();
    }

    private void onEnd() {
        ended = true;
        if (registration != null) {
            registration.onConnectionGone();
        }
    }

    private void takeOver(MultiSubscriber<? super String> framework) {
        if (ended) {
            HeldHead.send(PipelinedRequests.pipeline(request));
            return;
        }
        Channel channel = PipelinedRequests.pipeline(request).channel();
        try {
            var connection = ChunkedConnection.takeOver(request);
            connection.gather();
            connection.onClose(subscribe.apply(connection)::onConnectionGone);
            connection.sendGathered();
        } catch (RuntimeException | Error e) {
            // Every deadline of the connection has been removed by now, and its head may not have
            // left yet: without this its client would wait for an answer for ever.
            logFailure(e);
            ConnectionGuard.cut(channel);
            return;
        }
        if (canBeCompleted()) {
            framework.onComplete();
        }
    }

    /**
     * Logs that a stream could not be opened. One of these failures is not a defect: memory outside
     * of the heap has run out.
     */
    private static void logFailure(Throwable failure) {
        if (failure instanceof OutOfMemoryError) {
            LOG.errorf("a stream could not be opened: %s", failure);
        } else {
            LOG.error(
                    "a stream could not be opened because of a defect in Parley; report it with"
                            + " this stack trace",
                    failure);
        }
    }

    /**
     * Tells whether the exchange can be completed while the stream goes on. If the client asked for
     * {@code Connection: close}, the server would close the connection; if the request was not read
     * to its end, the server would wait for the rest.
     */
    private boolean canBeCompleted() {
        return request.isEnded()
                && !request.headers().contains(HttpHeaders.CONNECTION, HttpHeaders.CLOSE, true);
    }

    /**
     * A connection that cannot be taken over from the server, such as one on HTTP/2 or HTTP/1.0.
     * Writes to the server's response. Netty copies what it sends this way from the heap into
     * native memory for each connection, so no bytes are shared.
     */
    private static final class ResponseConnection implements Connection {

        /**
         * Most bytes that are written in one piece, the length of a usual frame of HTTP/2. The
         * server reports a piece only when the kernel has taken its last byte. If a page of the
         * history were one piece, a client that takes it slowly would seem to take nothing for
         * seconds, and be cut while too many bytes wait for clients.
         */
        private static final int PIECE = 16 * 1024;

        private final HttpServerRequest request;
        private final HttpServerResponse response;
        private final Runnable complete;
        private final Runnable onEnd;

        /**
         * Bytes in memory for this client alone that wait, because it or the kernel has not taken
         * them.
         */
        private int backlog;

        /** Bytes that had to wait and have been taken since, in whole pieces. */
        private long takenLater;

        /**
         * @param complete ends the exchange
         * @param onEnd called when the server has ended the stream, which the framework does not
         *     report
         */
        ResponseConnection(HttpServerRequest request, Runnable complete, Runnable onEnd) {
            this.request = request;
            this.response = request.response();
            this.complete = complete;
            this.onEnd = onEnd;
        }

        @Override
        public boolean isWritable() {
            return !response.writeQueueFull();
        }

        @Override
        public boolean mayBeSentBacklog() {
            return ConnectionGuard.mayHoldBacklog(channel());
        }

        @Override
        public boolean copiesShared() {
            return true;
        }

        @Override
        public boolean holdsBacklog() {
            return backlog > 0;
        }

        @Override
        public long taken() {
            return takenLater;
        }

        @Override
        public void write(byte[] bytes) {
            if (bytes.length <= PIECE) {
                write(Unpooled.wrappedBuffer(bytes));
                return;
            }
            // Several pieces are copies: a part of the array would keep all of it in memory, while
            // only that part still counts.
            for (int from = 0; from < bytes.length; from += PIECE) {
                int length = Math.min(PIECE, bytes.length - from);
                write(Unpooled.copiedBuffer(bytes, from, length));
            }
        }

        /** Writes parts of the one array, of which copies would be made for each connection. */
        @Override
        public void write(SharedBuffer buffer) {
            byte[] bytes = buffer.bytes();
            for (int from = 0; from < bytes.length; from += PIECE) {
                int length = Math.min(PIECE, bytes.length - from);
                write(Unpooled.wrappedBuffer(bytes, from, length));
            }
        }

        private void write(ByteBuf piece) {
            int length = piece.readableBytes();
            Future<Void> taken = response.write(BufferImpl.buffer(piece));
            if (!taken.isComplete()) {
                Runnable release = ConnectionGuard.holdBacklog(channel(), length);
                backlog += length;
                taken.onComplete(
                        result -> {
                            backlog -= length;
                            takenLater += length;
                            release.run();
                        });
            }
        }

        private Channel channel() {
            return PipelinedRequests.pipeline(request).channel();
        }

        @Override
        public void end(byte[] last) {
            if (last.length > 0) {
                write(last);
            }
            complete.run();
            if (request.version() != HttpVersion.HTTP_2) {
                request.connection().close();
            }
            onEnd.run();
        }

        @Override
        public void cut() {
            if (request.version() == HttpVersion.HTTP_2) {
                response.reset(Http2Error.CANCEL.code());
            } else {
                ConnectionGuard.cut(channel());
            }
            onEnd.run();
        }

        @Override
        public void onDrain(Runnable handler) {
            response.drainHandler(drained -> handler.run());
        }
    }
}
