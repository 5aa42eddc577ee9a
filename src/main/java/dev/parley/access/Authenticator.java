package dev.parley.access;

import dev.parley.access.AccessStore.TicketDigest;
import dev.parley.broker.BrokerUnavailable;
import dev.parley.http.ClientAddress;
import dev.parley.http.Endpoint;
import dev.parley.http.ErrorCode;
import dev.parley.http.ProxyAdvice;
import dev.parley.http.RefusedRequest;
import dev.parley.http.TokenBuckets;
import dev.parley.message.RoomPattern;
import dev.parley.settings.PatternSetting;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Singleton;
import jakarta.ws.rs.core.MediaType;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Determines who makes a request, and refuses one whose token or ticket is not valid. */
@Singleton
final class Authenticator {

    /** Where the caller is kept with the request. */
    static final String CALLER = Caller.class.getName();

    /** Kept with a request for a stream whose caller cannot be determined at present. */
    static final String UNKNOWN_FOR_NOW = Caller.class.getName() + ".unknown";

    private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

    private final AccessConfig config;
    private final TokenVerifier verifier;
    private final Tickets tickets;
    private final Revocations revocations;
    private final CookieRules cookies;
    private final ClientAddress clientAddress;
    private final ProxyAdvice proxyAdvice;
    private final Denials denials;
    private final Caller anonymous;
    private final CredentialChecks checks;

    Authenticator(
            AccessConfig config,
            TokenVerifier verifier,
            Tickets tickets,
            Revocations revocations,
            CookieRules cookies,
            ClientAddress clientAddress,
            ProxyAdvice proxyAdvice,
            Denials denials) {
        this.config = config;
        this.verifier = verifier;
        this.tickets = tickets;
        this.revocations = revocations;
        this.cookies = cookies;
        this.clientAddress = clientAddress;
        this.proxyAdvice = proxyAdvice;
        this.denials = denials;
        this.checks =
                new CredentialChecks(
                        new TokenBuckets<>(),
                        TokenBuckets.limit(config.failureRate(), config.failureBurst()),
                        System::nanoTime);
        this.anonymous =
                Caller.anonymous(
                        isTokenMode() ? publicGrants(config.publicRooms()) : Grants.ALL_ROOMS);
    }

    private static Grants publicGrants(AccessConfig.PublicRooms rooms) {
        String prefix = "parley.access.public";
        List<RoomPattern> read = PatternSetting.readAll(prefix + ".read", rooms.read());
        List<RoomPattern> write = PatternSetting.readAll(prefix + ".write", rooms.write());
        return new Grants(read, write, List.of(), false);
    }

    /** Tells whether rights depend on the caller. In mode {@code open} everybody has all. */
    boolean isTokenMode() {
        return config.mode() == AccessConfig.Mode.TOKEN;
    }

    /** Returns the caller that {@link #authenticate} found for a request. */
    Caller callerOf(RoutingContext exchange) {
        Caller found = exchange.get(CALLER);
        return found == null ? anonymous : found;
    }

    /**
     * Finds the caller of a request.
     *
     * @return a caller without a token if the request has no credential; fails with {@link
     *     RefusedRequest}, which has a {@link RefusedRequest#retryAfter} if the caller cannot be
     *     determined now
     */
    Uni<Caller> authenticate(RoutingContext exchange) {
        HttpServerRequest request = exchange.request();
        if (request.params(Credential.ONLY_AMPERSAND).contains(Credential.TOKEN_IN_URL)) {
            throw misplaced(
                    exchange,
                    "token in the URL: URLs are logged and kept; send it as Authorization: Bearer,"
                            + " or, for an EventSource, get a ticket with POST /tickets and open"
                            + " /events?ticket=…");
        }
        Optional<Credential> credential = Credential.of(request);
        if (credential.isEmpty()) {
            return Uni.createFrom().item(anonymous);
        }
        String address = clientAddress.of(request);
        Optional<Duration> pause = checks.pause(address);
        if (pause.isPresent() && !verifier.isKnown(credential.get().secret())) {
            return Uni.createFrom().failure(tooMany(exchange, pause.get()));
        }
        CredentialChecks.Attempt attempt =
                checks.attempt(address, () -> exchange.response().closed());
        return WaitingCheck.of(
                        exchange,
                        address,
                        revocations
                                .whenLoaded()
                                .chain(() -> caller(exchange, credential.get(), attempt))
                                .onCancellation()
                                .invoke(attempt::abandon))
                .onFailure(BrokerUnavailable.class)
                .transform(Authenticator::unknownForNow)
                .onFailure(CredentialChecks.NotChecked.class)
                .transform(failure -> notChecked(exchange, failure))
                .onFailure(Authenticator::isTheCallersFault)
                .invoke(attempt::onRefused);
    }

    private RefusedRequest notChecked(
            RoutingContext exchange, CredentialChecks.NotChecked failure) {
        return failure.pause()
                .map(pause -> tooMany(exchange, pause))
                .orElseGet(() -> unknownForNow(failure));
    }

    private RefusedRequest tooMany(RoutingContext exchange, Duration pause) {
        denials.note(exchange, anonymous, AuditLog.NONE, Denial.TOO_MANY);
        proxyAdvice.onLimitMet(exchange.request(), "parley.access.failure-rate");
        return RefusedRequest.retryable(
                ErrorCode.TOO_MANY_REQUESTS,
                "too many requests with a token or ticket that is not valid;"
                        + " repeat this one after the seconds in Retry-After",
                pause);
    }

    /**
     * Tells whether a failure passes by itself, and the request is for a stream. An EventSource
     * does not come back after an error status, so such a request is answered as a stream, which
     * then ends with a goodbye.
     */
    static boolean isAnsweredAsAStream(RoutingContext exchange, Throwable failure) {
        return failure instanceof RefusedRequest refused
                && refused.retryAfter().isPresent()
                && endpoint(exchange)
                        .filter(call -> call.answer().equals(MediaType.SERVER_SENT_EVENTS))
                        .isPresent();
    }

    private static Optional<Endpoint> endpoint(RoutingContext exchange) {
        return Endpoint.at(exchange.normalizedPath());
    }

    /**
     * Makes the refusal for a check that could not be made now. Nothing was done with the request,
     * so it may be repeated. After another failure of the broker a publish may have been done.
     */
    private static RefusedRequest unknownForNow(Throwable failure) {
        return RefusedRequest.retryable(
                ErrorCode.UNAVAILABLE,
                "the token or ticket cannot be checked now: "
                        + failure.getMessage()
                        + "; try again soon",
                RETRY_AFTER);
    }

    /** Tells whether the caller of a request for a stream cannot be determined at present. */
    boolean isUnknownForNow(RoutingContext exchange) {
        return Boolean.TRUE.equals(exchange.get(UNKNOWN_FOR_NOW));
    }

    /** Returns false where the pod cannot tell yet whether a token is valid. */
    private static boolean isTheCallersFault(Throwable failure) {
        return failure instanceof RefusedRequest refused && refused.retryAfter().isEmpty();
    }

    private Uni<Caller> caller(
            RoutingContext exchange, Credential credential, CredentialChecks.Attempt attempt) {
        return switch (credential.carrier()) {
            case TICKET -> ticketHolder(exchange, credential.secret(), attempt);
            case COOKIE -> {
                cookies.check(exchange)
                        .ifPresent(
                                problem -> {
                                    throw deny(
                                            exchange,
                                            problem.denial(),
                                            ErrorCode.FORBIDDEN,
                                            problem.sentence());
                                });
                yield tokenHolder(exchange, credential, attempt);
            }
            default -> tokenHolder(exchange, credential, attempt);
        };
    }

    private Uni<Caller> tokenHolder(
            RoutingContext exchange, Credential credential, CredentialChecks.Attempt attempt) {
        return verifier.verify(
                        credential.secret(),
                        check -> attempt.check(CredentialChecks.Kind.TOKEN, check))
                .map(token -> caller(exchange, token, credential.carrier(), Optional.empty()))
                .onFailure(TokenRefused.class)
                .transform(failure -> refused(exchange, failure));
    }

    private Uni<Caller> ticketHolder(
            RoutingContext exchange, String ticket, CredentialChecks.Attempt attempt) {
        if (!endpoint(exchange).equals(Optional.of(Endpoint.EVENTS))) {
            throw misplaced(exchange, "a ticket opens /events only; send the token itself");
        }
        if (ticket.chars().filter(c -> c == '.').count() == 2) {
            throw misplaced(
                    exchange,
                    "the ticket is a token: URLs are logged and kept; get a ticket for it with"
                            + " POST /tickets");
        }
        TicketDigest digest = TicketDigest.of(ticket);
        return attempt.check(CredentialChecks.Kind.TICKET, () -> ticketHolder(exchange, digest));
    }

    private Uni<Caller> ticketHolder(RoutingContext exchange, TicketDigest ticket) {
        return tickets.use(ticket)
                .map(
                        token ->
                                token.map(
                                                known ->
                                                        caller(
                                                                exchange,
                                                                known,
                                                                Caller.Carrier.TICKET,
                                                                Optional.of(ticket)))
                                        .orElseThrow(() -> unknownTicket(exchange)));
    }

    private RefusedRequest unknownTicket(RoutingContext exchange) {
        return deny(
                exchange,
                Denial.UNKNOWN_TICKET,
                ErrorCode.INVALID_TOKEN,
                "the ticket does not exist, or its time is over; get a new one with POST /tickets");
    }

    private Caller caller(
            RoutingContext exchange,
            VerifiedToken token,
            Caller.Carrier carrier,
            Optional<TicketDigest> ticket) {
        var caller = new Caller(Optional.of(token), anonymous.everybody(), carrier, ticket);
        if (revocations.isRevoked(token)) {
            denials.note(exchange, caller, AuditLog.NONE, TokenRefused.Reason.REVOKED);
            throw new RefusedRequest(
                    ErrorCode.INVALID_TOKEN, "the token was revoked; get a new one");
        }
        return caller;
    }

    private RefusedRequest refused(RoutingContext exchange, TokenRefused failure) {
        denials.note(exchange, anonymous, AuditLog.NONE, failure.reason());
        String sentence = String.valueOf(failure.getMessage());
        return failure.reason() == TokenRefused.Reason.NO_KEYS
                ? RefusedRequest.retryable(ErrorCode.UNAVAILABLE, sentence, RETRY_AFTER)
                : new RefusedRequest(ErrorCode.INVALID_TOKEN, sentence);
    }

    private RefusedRequest misplaced(RoutingContext exchange, String sentence) {
        return deny(exchange, Denial.MISPLACED, ErrorCode.TOKEN_IN_URL, sentence);
    }

    private RefusedRequest deny(
            RoutingContext exchange, Denial denial, ErrorCode code, String sentence) {
        denials.note(exchange, anonymous, AuditLog.NONE, denial);
        return new RefusedRequest(code, sentence);
    }
}
