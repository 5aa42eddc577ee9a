package dev.parley.access;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.parley.http.ErrorCode;
import dev.parley.http.RefusedRequest;
import dev.parley.http.UrlEncodedForm;
import dev.parley.message.Room;
import dev.parley.message.RoomPattern;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.SecuritySchemeType;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.security.SecurityScheme;

/** Gives a ticket for the token that a request brings in the header {@code Authorization}. */
@Path("/tickets")
@SecurityScheme(
        securitySchemeName = TicketsResource.TOKEN,
        type = SecuritySchemeType.HTTP,
        scheme = "bearer",
        bearerFormat = "JWT",
        description =
                "where parley.access.mode is token, except in rooms that are public; a browser may"
                        + " send the token as the cookie __Host-parley")
@SecurityRequirement(name = TicketsResource.TOKEN)
public final class TicketsResource {

    /** How the API description calls the token. */
    public static final String TOKEN = "token";

    /** Longest form, in bytes: 200 rooms with long names. */
    private static final int MAX_FORM = 32 * 1024;

    private static final int MAX_ROOMS = 200;

    private static final String ROOM = "room";

    /** The fields of the form. */
    private static final Set<String> ROOMS = Set.of(ROOM);

    private final Authenticator authenticator;
    private final AuthorizedRooms authorizedRooms;
    private final Tickets tickets;
    private final Denials denials;
    private final AuditLog audit;

    TicketsResource(
            Authenticator authenticator,
            AuthorizedRooms authorizedRooms,
            Tickets tickets,
            Denials denials,
            AuditLog audit) {
        this.authenticator = authenticator;
        this.authorizedRooms = authorizedRooms;
        this.tickets = tickets;
        this.denials = denials;
        this.audit = audit;
    }

    /**
     * The ticket.
     *
     * @param ticket for {@code /events?ticket=}
     * @param expiresIn seconds after which it ends if it is not used
     * @param rooms the rooms that it is for, or patterns of them
     */
    @RegisterForReflection
    public record TicketJson(
            String ticket, @JsonProperty("expires_in") long expiresIn, List<String> rooms) {}

    /**
     * Gives a ticket for all rooms that the token allows reading, or for those in the form.
     *
     * @param form rooms as {@code room=}, which the token must permit; may be empty
     */
    @POST
    @Consumes({MediaType.APPLICATION_FORM_URLENCODED, MediaType.TEXT_PLAIN, MediaType.WILDCARD})
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(summary = "Get a ticket with which an EventSource opens a stream")
    @RequestBody(description = "room=, once or more often: only for these rooms", required = false)
    public Uni<TicketJson> give(byte[] form, @Context RoutingContext exchange) {
        if (!authenticator.isTokenMode()) {
            throw new RefusedRequest(
                    ErrorCode.NOT_FOUND,
                    "not found: everybody may read here, so there are no tickets"
                            + " (parley.access.mode is open)");
        }
        Caller caller = authenticator.callerOf(exchange);
        VerifiedToken token = bearerToken(exchange, caller);
        List<Room> asked = rooms(exchange.request(), form);
        asked.forEach(room -> authorizedRooms.readable(exchange, room));
        List<RoomPattern> read =
                asked.isEmpty()
                        ? token.grants().read()
                        : asked.stream()
                                // What is public is read from the settings when a ticket is used.
                                .filter(token.grants()::mayRead)
                                .map(room -> new RoomPattern(room.name()))
                                .toList();
        List<String> rooms =
                asked.isEmpty()
                        ? Stream.concat(read.stream(), caller.everybody().read().stream())
                                .map(RoomPattern::toString)
                                .distinct()
                                .toList()
                        : asked.stream().map(Room::name).toList();
        return tickets.give(token, read)
                .invoke(() -> audit.ticketGiven(exchange, caller, String.join(",", rooms)))
                .map(given -> new TicketJson(given.ticket(), given.expiresIn().toSeconds(), rooms));
    }

    private VerifiedToken bearerToken(RoutingContext exchange, Caller caller) {
        if (caller.carrier() != Caller.Carrier.BEARER) {
            Denial reason = caller.token().isEmpty() ? Denial.NO_TOKEN : Denial.MISPLACED;
            denials.note(exchange, caller, AuditLog.NONE, reason);
            throw new RefusedRequest(
                    ErrorCode.UNAUTHORIZED, "a token is needed: send Authorization: Bearer");
        }
        return caller.token().orElseThrow();
    }

    /**
     * Returns the rooms that the ticket is to be for; none for all that the token permits. A field
     * that would be ignored is refused, since the ticket would be for more than was meant.
     */
    private static List<Room> rooms(HttpServerRequest request, byte[] form) {
        Map<String, List<String>> values = UrlEncodedForm.readBody(request, form, MAX_FORM);
        String query = request.query();
        boolean hasQuery = query != null && !query.isEmpty();
        if (hasQuery || !ROOMS.containsAll(values.keySet())) {
            throw new RefusedRequest(
                    ErrorCode.BAD_FORM,
                    "bad form: the only field is room, in the body; another one would be ignored,"
                            + " and the ticket be for more rooms than was meant");
        }
        List<String> names = values.getOrDefault(ROOM, List.of()).stream().distinct().toList();
        if (names.size() > MAX_ROOMS) {
            throw new RefusedRequest(
                    ErrorCode.TOO_MANY_ROOMS,
                    "too many rooms: a ticket is for at most %d, or for all that the token permits"
                            .formatted(MAX_ROOMS));
        }
        return names.stream().map(Room::new).toList();
    }
}
