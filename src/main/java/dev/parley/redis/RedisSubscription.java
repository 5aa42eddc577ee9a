package dev.parley.redis;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.util.List;
import java.util.function.BiConsumer;

/** Makes a new connection the pod's subscription (Redis: SUBSCRIBE). */
public final class RedisSubscription {

    private final List<String> channels;
    private final BiConsumer<String, Buffer> onMessage;

    /**
     * @param onMessage takes channel and payload, on the connection's event loop
     */
    public RedisSubscription(List<String> channels, BiConsumer<String, Buffer> onMessage) {
        this.channels = List.copyOf(channels);
        this.onMessage = onMessage;
    }

    /**
     * Subscribes.
     *
     * @return completes once Redis has confirmed every channel; what is published later arrives
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
        if (push == null || push.size() != 3) {
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
