package dev.parley.events;

import dev.parley.hub.Connection;
import dev.parley.hub.Hub;
import io.smallrye.mutiny.operators.AbstractMulti;
import io.smallrye.mutiny.subscription.MultiSubscriber;
import io.vertx.core.http.HttpServerRequest;
import java.util.concurrent.Flow;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The answer to {@code GET /events}: to the framework a {@code Multi} that never has an item.
 *
 * <p>The framework routes, negotiates, sends the head, sees a client go, and ends the exchange. The
 * hub writes the body itself, since the framework's writer sends one message to one reader at a
 * time and does not keep to the event stream format.
 */
final class EventStream extends AbstractMulti<String> implements Flow.Subscription {

    private final HttpServerRequest request;
    private final Function<Connection, Hub.Subscription> subscribe;
    private Hub.@Nullable Subscription subscription;

    /**
     * @param subscribe gives the connection to the hub, on the connection's event loop
     */
    EventStream(HttpServerRequest request, Function<Connection, Hub.Subscription> subscribe) {
        this.request = request;
        this.subscribe = subscribe;
    }

    @Override
    public void subscribe(MultiSubscriber<? super String> framework) {
        framework.onSubscribe(this);
        Connection connection =
                ChunkedConnection.of(request, framework::onComplete)
                        .orElseGet(() -> new ResponseConnection(request, framework::onComplete));
        subscription = subscribe.apply(connection);
    }

    @Override
    public void request(long items) {
        // There never are any.
    }

    /** The framework saw the connection close. */
    @Override
    public void cancel() {
        if (subscription != null) {
            subscription.cancel();
        }
    }
}
