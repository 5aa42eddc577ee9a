package dev.parley.access.memory;

import dev.parley.access.AccessStore;
import io.smallrye.mutiny.Uni;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongSupplier;

/** Keeps tickets and revocations in memory, for one pod. Thread-safe. */
public final class MemoryAccessStore implements AccessStore {

    /** Most tickets: with more, the one that was not used for longest ends. */
    private static final int MAX_TICKETS = 100_000;

    /** Most characters of what they stand for: a token with many rights makes thousands. */
    private static final int MAX_CHARACTERS = 32_000_000;

    private final Clock clock;
    private final LongSupplier nanoTime;

    /** In order of last use. */
    private final Map<TicketDigest, Ticket> tickets = new LinkedHashMap<>(16, 0.75f, true);

    private int characters;
    private final Map<String, Instant> revocations = new HashMap<>();
    private long revision;

    /** Begins without tickets and revocations. */
    public MemoryAccessStore(Clock clock) {
        this(clock, System::nanoTime);
    }

    /**
     * @param nanoTime for the time that passes, as {@link System#nanoTime}
     */
    MemoryAccessStore(Clock clock, LongSupplier nanoTime) {
        this.clock = clock;
        this.nanoTime = nanoTime;
    }

    /**
     * @param usedNanos when it was last used, by {@link #nanoTime}: by a clock that is set ahead by
     *     an hour, no ticket would have been used for an hour
     */
    private record Ticket(KeptTicket kept, long usedNanos) {

        boolean isOver(Instant now, long nowNanos) {
            return !now.isBefore(kept.end())
                    || Duration.ofNanos(nowNanos - usedNanos).compareTo(kept.idle()) >= 0;
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
            Ticket former = tickets.put(ticket, new Ticket(kept, nanoTime.getAsLong()));
            characters += kept.content().length() - (former == null ? 0 : former.characters());
            removeOld();
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
            Ticket known = tickets.get(ticket);
            if (known == null) {
                return Optional.empty();
            }
            if (isOver(known)) {
                tickets.remove(ticket);
                characters -= known.characters();
                return Optional.empty();
            }
            tickets.put(ticket, new Ticket(known.kept(), nanoTime.getAsLong()));
            return Optional.of(known.kept());
        }
    }

    /**
     * Removes tickets whose time is over, or that are too many, beginning with those that were not
     * used for longest.
     */
    private void removeOld() {
        var oldest = tickets.values().iterator();
        while (oldest.hasNext()) {
            Ticket next = oldest.next();
            if (!isOver(next) && tickets.size() <= MAX_TICKETS && characters <= MAX_CHARACTERS) {
                return;
            }
            oldest.remove();
            characters -= next.characters();
        }
    }

    private boolean isOver(Ticket ticket) {
        return ticket.isOver(clock.instant(), nanoTime.getAsLong());
    }

    @Override
    public Uni<KeptAt> putRevocations(Map<String, Instant> entries) {
        synchronized (revocations) {
            Instant now = clock.instant();
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
            if (isTooMuch(later)) {
                // Not before: the clock may be ahead, and be set right again.
                revocations.values().removeIf(end -> !end.isAfter(now));
            }
            if (isTooMuch(later)) {
                return Uni.createFrom().failure(new TooManyRevocations());
            }
            if (!later.isEmpty()) {
                revocations.putAll(later);
                revision++;
            }
            return Uni.createFrom().item(leavesSomeOut ? KeptAt.NO_SERVER : KeptAt.EVERY_SERVER);
        }
    }

    private boolean isTooMuch(Map<String, Instant> more) {
        long added = more.keySet().stream().filter(one -> !revocations.containsKey(one)).count();
        return revocations.size() + added > MAX_REVOCATIONS;
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
