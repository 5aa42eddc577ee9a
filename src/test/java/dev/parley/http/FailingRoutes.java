package dev.parley.http;

import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.InternalServerErrorException;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/**
 * Routes that fail, in each place in which one can. They exist in {@link InternalErrorTest} alone.
 */
@Path("/fail")
@Produces(MediaType.TEXT_PLAIN)
public final class FailingRoutes {

    /** What must not reach a client. */
    static final String SECRET = "secret of dev.parley.Secret";

    /** Makes the filter fail, on the calls of Parley too. */
    static final String FAIL_IN_FILTER = "X-Fail";

    private static IllegalStateException failure() {
        return new IllegalStateException(SECRET);
    }

    @GET
    @Path("/call")
    public String call() {
        throw failure();
    }

    @GET
    @Path("/error")
    public String error() {
        throw new AssertionError(SECRET);
    }

    @GET
    @Path("/later")
    public Uni<String> later() {
        return Uni.createFrom().failure(FailingRoutes::failure);
    }

    @GET
    @Path("/null-message")
    public Uni<String> withoutMessage() {
        return Uni.createFrom().failure(new NullPointerException());
    }

    @GET
    @Path("/status")
    public String status() {
        throw new InternalServerErrorException(SECRET);
    }

    @GET
    @Path("/unwritable")
    @Produces(MediaType.APPLICATION_JSON)
    public Object unwritable() {
        return new Object() {
            @SuppressWarnings({"unused", "EffectivelyPrivate"}) // Jackson reads public getters.
            public String getSecret() {
                throw failure();
            }
        };
    }

    @GET
    @Path("/stream")
    @Produces(MediaType.SERVER_SENT_EVENTS)
    public Multi<String> stream() {
        return Multi.createBy()
                .concatenating()
                .streams(
                        Multi.createFrom().item("first"),
                        Multi.createFrom().failure(FailingRoutes::failure));
    }

    /** Fails in a filter of the calls. */
    public static final class FailingFilter {

        @ServerRequestFilter
        public void fail(@Context RoutingContext exchange) {
            if (exchange.request().getHeader(FAIL_IN_FILTER) != null) {
                throw failure();
            }
        }
    }

    /** Fails in routes that are not calls. */
    @Singleton
    static final class FailingHandlers {

        void register(@Observes Router router) {
            router.route("/fail/route").handler(exchange -> raise());
            router.route("/fail/failed").handler(exchange -> exchange.fail(failure()));
            router.route("/fail/failed-500").handler(exchange -> exchange.fail(500));
            router.route("/fail/failed-502").handler(exchange -> exchange.fail(502, failure()));
            router.route("/fail/half")
                    .handler(
                            exchange ->
                                    exchange.response()
                                            .setChunked(true)
                                            .write(Buffer.buffer("half"))
                                            .onComplete(sent -> exchange.fail(failure())));
        }

        private static void raise() {
            throw failure();
        }
    }
}
