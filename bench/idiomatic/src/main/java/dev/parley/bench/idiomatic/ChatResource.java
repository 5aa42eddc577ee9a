package dev.parley.bench.idiomatic;

import io.quarkus.redis.datasource.ReactiveRedisDataSource;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.operators.multi.processors.BroadcastProcessor;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;

/**
 * A minimal chat: Redis publish/subscribe into one {@code BroadcastProcessor}, one {@code Multi}
 * for each browser.
 */
@Path("/")
@ApplicationScoped
public class ChatResource {

    private static final String CHANNEL = "chat";

    /**
     * Without a buffer, the processor ends the stream of a browser that has not requested the next
     * item.
     */
    private static final int BUFFER = 4096;

    private final ReactiveRedisDataSource redis;
    private final BroadcastProcessor<String> messages = BroadcastProcessor.create();

    ChatResource(ReactiveRedisDataSource redis) {
        this.redis = redis;
    }

    void start(@Observes StartupEvent event) {
        redis.pubsub(String.class)
                .subscribe(CHANNEL)
                .subscribe()
                .with(messages::onNext, messages::onError);
    }

    @GET
    @Path("ready")
    public String ready() {
        return "ok";
    }

    @POST
    @Path("send")
    @Consumes(MediaType.TEXT_PLAIN)
    @Produces(MediaType.TEXT_PLAIN)
    public Uni<String> send(String text) {
        return redis.pubsub(String.class).publish(CHANNEL, text).replaceWith("ok");
    }

    @GET
    @Path("events")
    @Produces(MediaType.SERVER_SENT_EVENTS)
    public Multi<String> events() {
        return messages.onOverflow().buffer(BUFFER);
    }
}
