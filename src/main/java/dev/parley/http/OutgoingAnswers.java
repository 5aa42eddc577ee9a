package dev.parley.http;

import dev.parley.http.ServerBounds.Bound;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.util.concurrent.Future;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The answers of one connection until their client has taken them: counts what their requests take
 * in memory, limits the time in which the client takes an answer, and runs what has to be done when
 * it has. Runs on the connection's event loop.
 *
 * <p>Methods that take a context are to be called with that of the {@link ConnectionGuard}.
 */
final class OutgoingAnswers {

    private final ServerBounds bounds;

    /**
     * What is counted for the requests that are not answered. Begins with room for one, which a
     * connection of HTTP/1 never exceeds: the default size would take 270 bytes.
     */
    private final IdentityHashMap<HttpServerRequest, Held> requests = new IdentityHashMap<>(1);

    /** What to do when an HTTP/2 stream has closed, by its number. */
    private final Map<Integer, Runnable> onStreamClosed = new HashMap<>();

    private boolean listensToStreams;

    OutgoingAnswers(ServerBounds bounds) {
        this.bounds = bounds;
    }

    /** What a request counts for an address. */
    private record Held(String client, long bytes) {}

    /**
     * Counts what a request takes in memory until its client has its answer. Above the budget, cuts
     * the connection, or resets the stream on HTTP/2.
     *
     * @param client address that the bytes count for
     * @param bytes more than 0
     * @return whether the request may go on
     */
    boolean tryHold(
            ChannelHandlerContext context, HttpServerRequest request, String client, long bytes) {
        if (!bounds.heads().tryTake(client, bytes)) {
            bounds.onMet(Bound.HEAD_BYTES, request);
            // Frees the headers now. A connection that is closed is freed only after the event loop
            // has read all others that have sent something.
            request.headers().clear();
            ConnectionGuard.giveUp(request, Http2Error.REFUSED_STREAM);
            return false;
        }
        requests.put(request, new Held(client, bytes));
        if (request.version() == HttpVersion.HTTP_2) {
            whenTaken(context, request, () -> letGo(request));
        }
        return true;
    }

    /**
     * Counts more for a request on HTTP/2 than has been counted, if there is room. If there is
     * none, what has been counted stays, and the request goes on.
     *
     * @param bytes all that the request is to count, more than before
     * @return whether there was room
     */
    boolean tryHoldMore(
            ChannelHandlerContext context, HttpServerRequest request, String client, long bytes) {
        Held before = requests.get(request);
        long more = before == null ? bytes : bytes - before.bytes();
        if (!bounds.heads().tryTake(client, more)) {
            bounds.onMet(Bound.HEAD_BYTES, request);
            return false;
        }
        requests.put(request, new Held(client, bytes));
        whenTaken(context, request, () -> letGo(request));
        return true;
    }

    /** Stops counting a request. */
    void letGo(HttpServerRequest request) {
        Held held = requests.remove(request);
        if (held != null) {
            bounds.heads().release(held.client(), held.bytes());
        }
    }

    /**
     * Sets the deadline for the client to take the answer of a request. When it is over, the stream
     * is reset or, on HTTP/1, the connection cut.
     */
    void limit(ChannelHandlerContext context, HttpServerRequest request) {
        Future<?> timer =
                afterTimeout(
                        context.channel(),
                        bounds,
                        () -> ConnectionGuard.giveUp(request, Http2Error.CANCEL));
        whenTaken(context, request, () -> timer.cancel(false));
    }

    /** Runs an action when the time for the client to take an answer that begins now is over. */
    static Future<?> afterTimeout(Channel channel, ServerBounds bounds, Runnable giveUp) {
        return channel.eventLoop()
                .schedule(
                        () -> {
                            bounds.onMet(Bound.ANSWER_TIMEOUT);
                            giveUp.run();
                        },
                        bounds.answerTimeout().toMillis(),
                        TimeUnit.MILLISECONDS);
    }

    /**
     * Runs an action when the kernel has taken all bytes of an answer that has been written (on
     * HTTP/2: when the stream has closed), or when the connection is closed.
     */
    void whenTaken(ChannelHandlerContext context, HttpServerRequest request, Runnable action) {
        if (request.version() != HttpVersion.HTTP_2) {
            // Written behind the bytes of the answer, and so complete only after them.
            context.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> action.run());
        } else if (context.pipeline().get(ServerHandlers.SERVER)
                        instanceof Http2ConnectionHandler http2
                && http2.connection().stream(request.streamId()) != null) {
            listenToStreams(http2.connection());
            onStreamClosed.merge(
                    request.streamId(),
                    action,
                    (one, other) ->
                            () -> {
                                one.run();
                                other.run();
                            });
        } else {
            action.run();
        }
    }

    /**
     * Tells whether the stream of a request on HTTP/2 has closed: its client has taken the whole
     * answer, or nothing more will be sent to it.
     */
    boolean isTaken(ChannelHandlerContext context, HttpServerRequest request) {
        if (!(context.pipeline().get(ServerHandlers.SERVER)
                instanceof Http2ConnectionHandler http2)) {
            return true;
        }
        // While it closes, it is still known, with this state.
        Http2Stream stream = http2.connection().stream(request.streamId());
        return stream == null || stream.state() == Http2Stream.State.CLOSED;
    }

    private void listenToStreams(Http2Connection connection) {
        if (!listensToStreams) {
            listensToStreams = true;
            connection.addListener(
                    new Http2ConnectionAdapter() {
                        @Override
                        public void onStreamClosed(Http2Stream stream) {
                            Runnable action = onStreamClosed.remove(stream.id());
                            if (action != null) {
                                action.run();
                            }
                        }
                    });
        }
    }

    /** Stops counting requests, and runs what waits, because the connection has closed. */
    void onClosed() {
        requests.values().forEach(held -> bounds.heads().release(held.client(), held.bytes()));
        requests.clear();
        List<Runnable> waiting = List.copyOf(onStreamClosed.values());
        onStreamClosed.clear();
        waiting.forEach(Runnable::run);
    }
}
