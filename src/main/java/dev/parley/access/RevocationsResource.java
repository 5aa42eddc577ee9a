package dev.parley.access;

import dev.parley.broker.BrokerUnavailable;
import dev.parley.http.ErrorCode;
import dev.parley.http.RefusedRequest;
import dev.parley.http.UrlEncodedForm;
import dev.parley.message.Room;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.time.Clock;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;

/** Revokes rights, for callers whose token says {@code admin}. */
@Path("/revocations")
@SecurityRequirement(name = TicketsResource.TOKEN)
public final class RevocationsResource {

    /** Longest form, in bytes. */
    private static final int MAX_FORM = 4 * 1024;

    private static final int MAX_VALUE = 256;

    /**
     * A time as RFC 3339 has it: {@link Instant} reads others too, such as years of nine digits.
     */
    private static final Pattern TIME =
            Pattern.compile(
                    "\\d{4}-\\d\\d-\\d\\dT([01]\\d|2[0-3]):\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)");

    private static final Set<String> FIELDS = Set.of("sub", "iss", "jti", "room", "issued_before");

    private final Authenticator authenticator;
    private final Revocations revocations;
    private final Denials denials;
    private final AuditLog audit;
    private final AccessConfig config;
    private final Clock clock;

    RevocationsResource(
            Authenticator authenticator,
            Revocations revocations,
            Denials denials,
            AuditLog audit,
            AccessConfig config,
            Clock clock) {
        this.authenticator = authenticator;
        this.revocations = revocations;
        this.denials = denials;
        this.audit = audit;
        this.config = config;
        this.clock = clock;
    }

    /**
     * Revokes, and ends the streams that are concerned, on every pod within a second.
     *
     * @param form the fields of a {@link Revocation}: sub, iss, jti, room, issued_before; all that
     *     are given must hold. Unless a token is given by jti, {@code issued_before} is now by
     *     default, so that tokens that are issued later are not concerned
     */
    @POST
    @Consumes(MediaType.APPLICATION_FORM_URLENCODED)
    @Produces({MediaType.APPLICATION_JSON, MediaType.TEXT_PLAIN})
    @Operation(
            summary =
                    "Revoke the rights of a person, a token, a room, or of all tokens issued before"
                            + " a time")
    @RequestBody(
            description =
                    "at least one of sub, jti, room, issued_before; iss with sub; all that are given"
                            + " must hold. issued_before is a time (RFC 3339), in the future by at"
                            + " most parley.access.clock-skew; it is now if it is left out, except"
                            + " with jti")
    public Uni<Response> revoke(byte[] form, @Context RoutingContext exchange) {
        if (!authenticator.isTokenMode()) {
            throw new RefusedRequest(
                    ErrorCode.NOT_FOUND,
                    "not found: everybody may read here, so there is nothing to revoke"
                            + " (parley.access.mode is open)");
        }
        Caller caller = authenticator.callerOf(exchange);
        if (!caller.isAdmin()) {
            denials.note(
                    exchange,
                    caller,
                    AuditLog.NONE,
                    caller.token().isEmpty() ? Denial.NO_TOKEN : Denial.FORBIDDEN);
            throw caller.token().isEmpty()
                    ? new RefusedRequest(
                            ErrorCode.UNAUTHORIZED,
                            "a token is needed: send Authorization: Bearer with one that says"
                                    + " admin")
                    : new RefusedRequest(
                            ErrorCode.FORBIDDEN, "forbidden: the token does not say admin");
        }
        Map<String, List<String>> fields =
                UrlEncodedForm.readBody(exchange.request(), form, MAX_FORM);
        String query = exchange.request().query();
        if (query != null && !query.isEmpty()) {
            throw bad(
                    "the fields are expected in the body; those in the URL would be ignored, and"
                            + " more be revoked than was meant");
        }
        Revocation revocation = revocation(fields);
        return revocations
                .revoke(revocation)
                .onFailure(BrokerUnavailable.class)
                .invoke(() -> audit.perhapsRevoked(exchange, caller, revocation))
                .onFailure(AccessStore.TooManyRevocations.class)
                .transform(RevocationsResource::full)
                .invoke(() -> audit.revoked(exchange, caller, revocation))
                .map(done -> Response.ok(revocation.toJson(), MediaType.APPLICATION_JSON).build());
    }

    private Revocation revocation(Map<String, List<String>> fields) {
        fields.forEach(RevocationsResource::check);
        Optional<String> subject = field(fields, "sub");
        Optional<String> token = field(fields, "jti");
        Optional<Room> room = field(fields, "room").map(Room::new);
        Optional<Instant> issuedBefore = field(fields, "issued_before").map(this::time);
        if (subject.isEmpty() && token.isEmpty() && room.isEmpty() && issuedBefore.isEmpty()) {
            throw bad("at least one of sub, jti, room and issued_before is expected");
        }
        if (issuedBefore.isEmpty() && token.isEmpty()) {
            issuedBefore = Optional.of(clock.instant());
        }
        return new Revocation(subject, field(fields, "iss"), token, room, issuedBefore);
    }

    private static void check(String name, List<String> values) {
        if (!FIELDS.contains(name)) {
            throw bad(
                    "the fields are "
                            + String.join(", ", new TreeSet<>(FIELDS))
                            + "; another one would be ignored, and more be revoked than was meant");
        }
        if (values.size() != 1 || values.get(0).isEmpty() || values.get(0).length() > MAX_VALUE) {
            throw bad(name + " is expected once, with 1 to " + MAX_VALUE + " characters");
        }
    }

    private static Optional<String> field(Map<String, List<String>> fields, String name) {
        return Optional.ofNullable(fields.get(name)).map(values -> values.get(0));
    }

    private Instant time(String written) {
        Instant time = parsed(written.toUpperCase(Locale.ROOT));
        if (time.isAfter(clock.instant().plus(config.clockSkew()))) {
            // It would refuse tokens that are not issued yet, those of the caller among them.
            throw bad(
                    "issued_before is in the future, by more than clocks may differ"
                            + " (parley.access.clock-skew)");
        }
        return time;
    }

    private static Instant parsed(String written) {
        try {
            if (TIME.matcher(written).matches()) {
                return Instant.parse(written);
            }
        } catch (DateTimeParseException e) {
            // Refused below: it looks like a time, and is not one, such as the 30th of February.
        }
        throw bad("issued_before is a time such as 2026-01-31T12:00:00Z (RFC 3339)");
    }

    private static RefusedRequest full(Throwable failure) {
        return new RefusedRequest(
                ErrorCode.TOO_MANY_REVOCATIONS,
                "nothing was revoked: "
                        + failure.getMessage()
                        + "; wait until some end, or revoke all tokens from before a time with"
                        + " issued_before, once there is room for one");
    }

    private static RefusedRequest bad(String sentence) {
        return new RefusedRequest(ErrorCode.BAD_FORM, "bad form: " + sentence);
    }
}
