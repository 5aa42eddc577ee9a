package dev.parley.access;

import dev.parley.http.WaitingRequest;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.Cancellable;
import io.smallrye.mutiny.subscription.UniEmitter;
import io.vertx.ext.web.RoutingContext;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The check of a request's credential while something is waited for. It ends early if the client
 * goes, or if the pod has no room for a further request that waits. Thread-safe.
 *
 * <p>It keeps nothing once it has ended. Its exchange keeps the check until it has ended itself,
 * and that of a stream lasts for hours.
 */
final class WaitingCheck<T> {

    /** Null once the outcome is known. */
    private @Nullable UniEmitter<? super T> outcome;

    private @Nullable Cancellable checking;

    /** What to run when the outcome is known; null before the request is held. */
    private @Nullable Runnable letGo;

    private WaitingCheck(UniEmitter<? super T> outcome) {
        this.outcome = outcome;
    }

    /**
     * Makes a check whose request counts while it waits. An outcome that is known at once costs
     * nothing.
     *
     * @param client address of the client
     * @return the outcome; {@link CredentialChecks.NotChecked} if the client is gone, or if there
     *     is no room for the request to wait. The check is cancelled then
     */
    static <T> Uni<T> of(RoutingContext exchange, String client, Uni<T> check) {
        return Uni.createFrom()
                .emitter(outcome -> new WaitingCheck<T>(outcome).begin(exchange, client, check));
    }

    private void begin(RoutingContext exchange, String client, Uni<T> check) {
        Cancellable begun =
                check.subscribe()
                        .with(
                                item -> end(known -> known.complete(item)),
                                failure -> end(known -> known.fail(failure)));
        synchronized (this) {
            if (outcome == null) {
                return;
            }
            checking = begun;
        }
        Runnable held = WaitingRequest.hold(exchange, client, this::abandon);
        synchronized (this) {
            if (outcome != null) {
                letGo = held;
                return;
            }
        }
        held.run();
    }

    private void end(Consumer<UniEmitter<? super T>> result) {
        UniEmitter<? super T> known;
        Runnable held;
        synchronized (this) {
            known = outcome;
            held = letGo;
            outcome = null;
            checking = null;
            letGo = null;
        }
        if (known != null) {
            if (held != null) {
                // First, since the request may be counted anew when it is answered.
                held.run();
            }
            result.accept(known);
        }
    }

    private void abandon() {
        Cancellable begun;
        synchronized (this) {
            begun = checking;
        }
        if (begun != null) {
            begun.cancel();
            end(known -> known.fail(CredentialChecks.NotChecked.abandoned()));
        }
    }
}
