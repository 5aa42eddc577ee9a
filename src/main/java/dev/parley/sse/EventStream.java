package dev.parley.sse;

import dev.parley.delivery.Connection;
import dev.parley.delivery.Hub;
import dev.parley.delivery.Loop;
import io.smallrye.mutiny.operators.AbstractMulti;
import io.smallrye.mutiny.subscription.MultiSubscriber;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.util.concurrent.Flow;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The answer to {@code GET /events}: to the framework a {@code Multi} that never has an item.
 *
 * <p>The framework routes, negotiates, and sends the head. On HTTP/1.1 the hub then has the
 * connection, and the framework's part ends; else the framework also sees a client go, and ends the
 * exchange. The hub writes the body itself, since the framework's writer sends one message to one
 * reader at a time and does not keep to the event stream format.
 */
public final class EventStream extends AbstractMulti<String> implements Flow.Subscription {

    private final HttpServerRequest request;
    private final Loop loop;
    private final Function<Connection, Hub.Subscription> subscribe;
    private Hub.@Nullable Subscription subscription;
    private boolean cancelled;

    /**
     * @param loop the connection's event loop
     * @param subscribe gives the connection to the hub, on that loop
     */
    public EventStream(
            HttpServerRequest request,
            Loop loop,
            Function<Connection, Hub.Subscription> subscribe) {
        this.request = request;
        this.loop = loop;
        this.subscribe = subscribe;
    }

    @Override
    public void subscribe(MultiSubscriber<? super String> framework) {
        framework.onSubscribe(this);
        if (ChunkedConnection.suits(request)) {
            // The framework pauses every request; only one that is read to its end can be
            // forgotten.
            request.resume();
            loop.execute(() -> takeOver(framework));
        } else {
            var connection = new ResponseConnection(request, framework::onComplete);
            subscription = subscribe.apply(connection);
        }
    }

    @Override
    public void request(long items) {
        // There never are any.
    }

    /** The framework saw the connection close. */
    @Override
    public void cancel() {
        cancelled = true;
        if (subscription != null) {
            subscription.cancel();
        }
    }

    private void takeOver(MultiSubscriber<? super String> framework) {
        if (cancelled) {
            return;
        }
        var connection = ChunkedConnection.takeOver(request);
        connection.onClose(subscribe.apply(connection)::cancel);
        if (canBeForgotten()) {
            framework.onComplete();
        }
    }

    /** Else the server would close the connection after the answer, or waits for more to read. */
    private boolean canBeForgotten() {
        return request.isEnded()
                && !request.headers().contains(HttpHeaders.CONNECTION, HttpHeaders.CLOSE, true);
    }
}
