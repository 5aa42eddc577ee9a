package dev.parley.redis;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.ResponseType;
import io.vertx.redis.client.impl.types.ErrorType;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;

/** Subscribes a new connection to the pod's channels (Redis: SUBSCRIBE). */
public final class RedisSubscription {

    /** The types of reply as which messages arrive: push in RESP3, an array in RESP2. */
    private static final Set<ResponseType> MESSAGE_TYPES =
            EnumSet.of(ResponseType.PUSH, ResponseType.MULTI);

    private final List<String> channels;
    private final BiConsumer<String, Buffer> onMessage;

    /**
     * @param channels names of channels, all different
     * @param onMessage takes channel and payload, on the connection's event loop
     */
    public RedisSubscription(List<String> channels, BiConsumer<String, Buffer> onMessage) {
        this.channels = List.copyOf(channels);
        this.onMessage = onMessage;
    }

    /**
     * Subscribes a connection. Completes once Redis has confirmed every channel: a message that is
     * published from then on arrives. Fails with the error reply of Redis if it refuses a channel.
     */
    public Future<Void> join(RedisConnection connection) {
        Promise<Void> joined = Promise.promise();
        connection.handler(push -> handle(push, joined));
        Request subscribe = Request.cmd(Command.SUBSCRIBE);
        channels.forEach(subscribe::arg);
        connection.send(subscribe).onFailure(joined::tryFail);
        return joined.future();
    }

    private void handle(Response push, Promise<Void> joined) {
        // The client passes the answer to SUBSCRIBE to this handler like a message, also an error.
        if (push instanceof ErrorType refusal) {
            joined.tryFail(refusal);
            return;
        }
        if (push == null || !MESSAGE_TYPES.contains(push.type()) || push.size() != 3) {
            return;
        }
        switch (push.get(0).toString()) {
            case "subscribe" -> confirm(push.get(2).toInteger(), joined);
            case "message" -> onMessage.accept(push.get(1).toString(), push.get(2).toBuffer());
            default -> {}
        }
    }

    private void confirm(int subscribed, Promise<Void> joined) {
        if (subscribed == channels.size()) {
            joined.tryComplete();
        }
    }
}
