package dev.parley.access.memory;

import dev.parley.access.AccessStore;
import io.smallrye.mutiny.Uni;
import java.time.Clock;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Keeps tickets and revocations in memory, for one pod. Thread-safe. */
public final class MemoryAccessStore implements AccessStore {

    /** Most tickets: with more, the one that was not used for longest ends. */
    private static final int MAX_TICKETS = 100_000;

    /** Most characters of what they stand for: a token with many rights makes thousands. */
    private static final int MAX_CHARACTERS = 32_000_000;

    private final Clock clock;

    /** In order of last use. */
    private final Map<TicketDigest, Ticket> tickets = new LinkedHashMap<>(16, 0.75f, true);

    private int characters;
    private final Map<String, Instant> revocations = new HashMap<>();
    private long revision;

    /** Begins without tickets and revocations. */
    public MemoryAccessStore(Clock clock) {
        this.clock = clock;
    }

    private record Ticket(KeptTicket kept, Instant idleEnd) {

        static Ticket usedAt(Instant now, KeptTicket kept) {
            return new Ticket(kept, now.plus(kept.idle()));
        }

        boolean isOver(Instant now) {
            return !now.isBefore(kept.end()) || !now.isBefore(idleEnd);
        }

        int characters() {
            return kept.content().length();
        }
    }

    @Override
    public Uni<Void> putTicket(TicketDigest ticket, KeptTicket kept) {
        put(ticket, kept);
        return Uni.createFrom().voidItem();
    }

    private void put(TicketDigest ticket, KeptTicket kept) {
        synchronized (tickets) {
            Instant now = clock.instant();
            Ticket former = tickets.put(ticket, Ticket.usedAt(now, kept));
            characters += kept.content().length() - (former == null ? 0 : former.characters());
            removeOld(now);
        }
    }

    @Override
    public Uni<Optional<String>> useTicket(TicketDigest ticket) {
        return Uni.createFrom().item(use(ticket).map(KeptTicket::content));
    }

    @Override
    public Uni<Void> touchTickets(
            Collection<TicketDigest> used, Function<TicketDigest, Optional<KeptTicket>> lost) {
        for (TicketDigest ticket : used) {
            if (use(ticket).isEmpty()) {
                lost.apply(ticket).ifPresent(kept -> put(ticket, kept));
            }
        }
        return Uni.createFrom().voidItem();
    }

    private Optional<KeptTicket> use(TicketDigest ticket) {
        synchronized (tickets) {
            Instant now = clock.instant();
            Ticket known = tickets.get(ticket);
            if (known == null) {
                return Optional.empty();
            }
            if (known.isOver(now)) {
                tickets.remove(ticket);
                characters -= known.characters();
                return Optional.empty();
            }
            tickets.put(ticket, Ticket.usedAt(now, known.kept()));
            return Optional.of(known.kept());
        }
    }

    /**
     * Removes tickets whose time is over, or that are too many, beginning with those that were not
     * used for longest.
     */
    private void removeOld(Instant now) {
        var oldest = tickets.values().iterator();
        while (oldest.hasNext()) {
            Ticket next = oldest.next();
            if (!next.isOver(now)
                    && tickets.size() <= MAX_TICKETS
                    && characters <= MAX_CHARACTERS) {
                return;
            }
            oldest.remove();
            characters -= next.characters();
        }
    }

    @Override
    public Uni<KeptAt> putRevocations(Map<String, Instant> entries) {
        synchronized (revocations) {
            Instant now = clock.instant();
            revocations.values().removeIf(end -> !end.isAfter(now));
            boolean leavesSomeOut =
                    entries.entrySet().stream()
                            .filter(one -> !revocations.containsKey(one.getKey()))
                            .anyMatch(one -> !one.getValue().isAfter(now));
            Map<String, Instant> later = new HashMap<>(entries);
            later.entrySet()
                    .removeIf(
                            one -> {
                                Instant known = revocations.getOrDefault(one.getKey(), Instant.MIN);
                                return !one.getValue().isAfter(now)
                                        || !one.getValue().isAfter(known);
                            });
            long more =
                    later.keySet().stream()
                            .filter(entry -> !revocations.containsKey(entry))
                            .count();
            if (revocations.size() + more > MAX_REVOCATIONS) {
                return Uni.createFrom().failure(new TooManyRevocations());
            }
            if (!later.isEmpty()) {
                revocations.putAll(later);
                revision++;
            }
            return Uni.createFrom().item(leavesSomeOut ? KeptAt.NO_SERVER : KeptAt.EVERY_SERVER);
        }
    }

    @Override
    public Uni<List<RevocationList>> revocations(Collection<String> known) {
        synchronized (revocations) {
            String present = Long.toString(revision);
            Optional<Map<String, Instant>> entries =
                    known.contains(present)
                            ? Optional.empty()
                            : Optional.of(Map.copyOf(revocations));
            return Uni.createFrom().item(List.of(new RevocationList(present, entries)));
        }
    }
}
