package dev.parley.access;

import dev.parley.broker.BrokerUnavailable;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What all pods share about access: the tickets, each under a digest, so that a reader of the store
 * can use none of them; and the revocations. Thread-safe. Every call fails with {@link
 * BrokerUnavailable} if the store does not answer in time.
 */
public interface AccessStore {

    /** Most revocations at a time: pods keep them in memory and compare each call with them. */
    int MAX_REVOCATIONS = 10_000;

    /**
     * What a ticket is kept under: its SHA-256 in hexadecimal.
     *
     * @param value 64 characters
     */
    record TicketDigest(String value) {

        /** Makes the digest of a ticket. */
        public static TicketDigest of(String ticket) {
            return new TicketDigest(Sha256.hex(ticket));
        }

        // Written out, since a native executable interprets what the compiler
        // generates for a record.
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof TicketDigest digest && value.equals(digest.value);
        }

        @Override
        public int hashCode() {
            return value.hashCode();
        }
    }

    /**
     * The revocations in force at one server.
     *
     * @param revision changes with each change of them; the server's own
     * @param entries each as its pod wrote it, and when it ends; empty if the caller has this
     *     revision
     */
    record RevocationList(String revision, Optional<Map<String, Instant>> entries) {}

    /**
     * A ticket as it is kept.
     *
     * @param content what it stands for
     * @param idle how long it is kept after each use
     * @param end when it ends at the latest
     */
    record KeptTicket(String content, Duration idle, Instant end) {}

    /** Which servers have the revocations that were given to {@link #putRevocations}. */
    enum KeptAt {
        /** Every server has all of them now. */
        EVERY_SERVER,
        /** At least one has them. Another one does not answer, is full, or left some out. */
        SOME_SERVERS,
        /** Each that answered and is not full left some out: they have ended by its clock. */
        NO_SERVER
    }

    /** Keeps a ticket. */
    Uni<Void> putTicket(TicketDigest ticket, KeptTicket kept);

    /**
     * Returns what a ticket stands for, and counts that as a use of it.
     *
     * @return empty if there is no such ticket, or its time is over
     */
    Uni<Optional<String>> useTicket(TicketDigest ticket);

    /**
     * Counts a use of each of these tickets at every server, and gives each server those that it
     * does not have. What a server does not answer or does not take is left out.
     *
     * @param lost what to keep for a ticket that a server does not have; empty if nothing, because
     *     the ticket is not used any more. Called from several threads
     */
    Uni<Void> touchTickets(
            Collection<TicketDigest> tickets, Function<TicketDigest, Optional<KeptTicket>> lost);

    /**
     * Keeps revocations. One that is there already keeps the later of both ends. Fails with {@link
     * TooManyRevocations}, and keeps none of them, if there would be more than {@link
     * #MAX_REVOCATIONS}.
     *
     * @param entries each, and when it ends
     */
    Uni<KeptAt> putRevocations(Map<String, Instant> entries);

    /**
     * Returns the revocations in force, one list for each server that answers.
     *
     * @param known the revisions that the caller has, whose entries are left out
     */
    Uni<List<RevocationList>> revocations(Collection<String> known);

    /** Thrown when every server that answered has {@link #MAX_REVOCATIONS} already. */
    final class TooManyRevocations extends RuntimeException {

        private static final long serialVersionUID = 1L;

        /** Makes the failure of {@link #putRevocations}. */
        public TooManyRevocations() {
            super(
                    "there are %d revocations already".formatted(MAX_REVOCATIONS),
                    null,
                    false,
                    false);
        }
    }
}
