package dev.parley.access;

import dev.parley.http.ClientAddress;
import dev.parley.message.Room;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Singleton;
import org.jboss.logging.Logger;

/**
 * Writes who did what, in which room, with which outcome, and from which address: one line each, in
 * the category {@code dev.parley.access.AuditLog}. What is denied is a warning, so that the number
 * of lines a minute is bounded; what an administrator does, and each ticket, is information;
 * streams and messages that a caller has the right to are at the level {@code DEBUG}. No line
 * contains a token or a ticket: of the URL there is the path, without the query.
 */
@Singleton
final class AuditLog {

    /**
     * What a field contains that does not apply: a caller without a token, a call without rooms.
     */
    static final String NONE = "-";

    private static final Logger LOG = Logger.getLogger(AuditLog.class);

    /** Longest value of a field, in UTF-16 units: what a stranger sends does not fill the log. */
    private static final int MAX_VALUE = 160;

    private final ClientAddress clientAddress;

    AuditLog(ClientAddress clientAddress) {
        this.clientAddress = clientAddress;
    }

    /** Writes that a call was denied, or some of its rooms. Called by {@link Denials} alone. */
    void denied(RoutingContext exchange, Caller caller, String rooms, DenialReason reason) {
        LOG.warnf(
                "%s outcome=denied reason=%s %s",
                call(exchange, caller, rooms), reason.label(), address(exchange));
    }

    /**
     * Writes that the caller has the right to open a stream or to publish a message. It is written
     * before a limit or the broker may still refuse that.
     */
    void admitted(RoutingContext exchange, Caller caller, String rooms) {
        // Checked first, because this is called for each message, and the fields cost more.
        if (LOG.isDebugEnabled()) {
            LOG.debugf("%s outcome=admitted %s", call(exchange, caller, rooms), address(exchange));
        }
    }

    /** Writes that a ticket was given. */
    void ticketGiven(RoutingContext exchange, Caller caller, String rooms) {
        LOG.infof("%s outcome=done %s", call(exchange, caller, rooms), address(exchange));
    }

    /** Writes that rights were revoked. */
    void revoked(RoutingContext exchange, Caller caller, Revocation revocation) {
        revocation(exchange, caller, revocation, "done");
    }

    /**
     * Writes that rights may have been revoked: the store did not answer, and may have carried it
     * out. The pods then act on it as on any other.
     */
    void perhapsRevoked(RoutingContext exchange, Caller caller, Revocation revocation) {
        revocation(exchange, caller, revocation, "unknown");
    }

    private void revocation(
            RoutingContext exchange, Caller caller, Revocation revocation, String outcome) {
        LOG.infof(
                "%s outcome=%s revoked=%s %s",
                call(exchange, caller, revocation.room().map(Room::name).orElse(NONE)),
                outcome,
                field(revocation.toJson()),
                address(exchange));
    }

    private static String call(RoutingContext exchange, Caller caller, String rooms) {
        String who =
                caller.person().map(known -> known.subject() + "@" + known.issuer()).orElse(NONE);
        String what = exchange.request().method() + ":" + exchange.normalizedPath();
        return "who=%s what=%s room=%s".formatted(field(who), field(what), field(rooms));
    }

    private String address(RoutingContext exchange) {
        return "address=" + field(clientAddress.of(exchange.request()));
    }

    /**
     * Writes a value as one word: whatever could end a line or a field, or change a terminal, is
     * replaced, because an issuer may accept any name.
     */
    private static String field(String value) {
        String cut = value.length() <= MAX_VALUE ? value : value.substring(0, MAX_VALUE) + "…";
        return cut.replaceAll("[\\p{Z}\\p{C}=\"]", "_");
    }
}
