package dev.parley.access;

import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.core.Response;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;
import org.jspecify.annotations.Nullable;

/** Determines before each call who makes it, and keeps that with the request. */
public final class AuthenticationFilter {

    private final Authenticator authenticator;

    AuthenticationFilter(Authenticator authenticator) {
        this.authenticator = authenticator;
    }

    /**
     * Authenticates the caller. The call goes on when that is done; it does not when the framework
     * gets a failure or an answer.
     *
     * @return null if nothing has to be waited for
     */
    @ServerRequestFilter
    public @Nullable Uni<Response> authenticate(RoutingContext exchange) {
        if (!authenticator.isTokenMode()) {
            return null;
        }
        return authenticator
                .authenticate(exchange)
                .invoke(caller -> exchange.put(Authenticator.CALLER, caller))
                .replaceWith((Response) null)
                .onFailure(failure -> Authenticator.isAnsweredAsAStream(exchange, failure))
                .recoverWithItem(
                        failure -> {
                            exchange.put(Authenticator.UNKNOWN_FOR_NOW, true);
                            return null;
                        });
    }
}
