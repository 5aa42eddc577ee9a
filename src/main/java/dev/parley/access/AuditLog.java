package dev.parley.access;

import java.util.Optional;
import org.jboss.logging.Logger;

/**
 * Writes who did what, in which room, and with which outcome: one line each, in the category {@code
 * dev.parley.access.AuditLog}. What is denied is a warning, so that the number of lines a minute is
 * bounded; what an administrator does, and each ticket, is information; streams and messages that
 * are admitted are at the level {@code DEBUG}. A token or a ticket is in none of them.
 */
final class AuditLog {

    private static final Logger LOG = Logger.getLogger(AuditLog.class);

    /** Longest value of a field, in UTF-16 units: what a stranger sends does not fill the log. */
    private static final int MAX_VALUE = 160;

    private AuditLog() {}

    /**
     * Writes that a request was denied.
     *
     * @param who the person, or the address of a caller without one
     * @param what the call
     * @param room the room, or several
     * @param reason as in metrics
     */
    static void denied(String who, String what, String room, String reason) {
        LOG.warnf("who=%s what=%s room=%s outcome=denied reason=%s", who, what, room, reason);
    }

    /** Tells whether {@link #admitted} writes anything; else its fields need not be made. */
    static boolean writesAdmitted() {
        return LOG.isDebugEnabled();
    }

    /** Writes that a stream was opened or a message published. */
    static void admitted(String who, String what, String room) {
        LOG.debugf("who=%s what=%s room=%s outcome=admitted", who, what, room);
    }

    /** Writes what an administrator did, or that a ticket was given. */
    static void done(String who, String what, String room) {
        LOG.infof("who=%s what=%s room=%s outcome=done", who, what, room);
    }

    /** Writes a person as a field. */
    static String who(Optional<Person> person, String address) {
        return person.map(known -> field(known.subject() + "@" + known.issuer()))
                .orElse(field(address));
    }

    /**
     * Writes a value as one word: whatever could end a line or a field is replaced, because an
     * issuer may accept any name.
     */
    static String field(String value) {
        String cut = value.length() <= MAX_VALUE ? value : value.substring(0, MAX_VALUE) + "…";
        return cut.replaceAll("[\\s\\p{Cntrl}\\p{Cf}=\"\\u2028\\u2029]", "_");
    }
}
