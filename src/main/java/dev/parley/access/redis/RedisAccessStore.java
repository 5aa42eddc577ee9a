package dev.parley.access.redis;

import dev.parley.access.AccessStore;
import dev.parley.broker.BrokerUnavailable;
import dev.parley.redis.RedisCommands;
import dev.parley.redis.RedisConnections;
import dev.parley.redis.RedisUnavailable;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.redis.client.Response;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/**
 * Keeps tickets and revocations in Redis. With several servers a call succeeds as long as one of
 * them answers, except that a ticket which is on none of those that answer may be on another one.
 */
public final class RedisAccessStore implements AccessStore {

    private static final RedisCommands.Script PUT_TICKET = script("put-ticket.lua");
    private static final RedisCommands.Script USE_TICKET = script("use-ticket.lua");
    private static final RedisCommands.Script PUT_REVOCATIONS = script("put-revocations.lua");
    private static final RedisCommands.Script REVOCATIONS = script("revocations.lua");

    /**
     * Tickets that are touched at a time: one after the other, 20,000 of them would take 20,000
     * round trips, and all at once more commands than may wait for an answer.
     */
    private static final int TOUCHED_AT_A_TIME = 64;

    private final List<RedisConnections> servers;
    private final String prefix;
    private final Clock clock;

    /**
     * @param servers at least one
     * @param prefix first part of every key
     */
    public RedisAccessStore(List<RedisConnections> servers, String prefix, Clock clock) {
        this.servers = List.copyOf(servers);
        this.prefix = prefix;
        this.clock = clock;
    }

    private static RedisCommands.Script script(String file) {
        return RedisCommands.Script.load(RedisAccessStore.class, file);
    }

    @Override
    public Uni<Void> putTicket(TicketDigest ticket, String content, Duration idle, Instant end) {
        long left = Duration.between(clock.instant(), end).toMillis();
        List<String> args = List.of(content, Long.toString(idle.toMillis()), Long.toString(left));
        int first = Math.floorMod(ticket.value().hashCode(), servers.size());
        Uni<Response> put = servers.get(first).run(PUT_TICKET, List.of(key(ticket)), args);
        for (int i = 1; i < servers.size(); i++) {
            RedisConnections next = servers.get((first + i) % servers.size());
            put =
                    put.onFailure(RedisUnavailable.class)
                            .recoverWithUni(next.run(PUT_TICKET, List.of(key(ticket)), args));
        }
        return available(put).replaceWithVoid();
    }

    @Override
    public Uni<Optional<String>> useTicket(TicketDigest ticket) {
        List<String> keys = List.of(key(ticket));
        return ofAll(server -> server.run(USE_TICKET, keys, List.of()).map(Optional::ofNullable))
                .map(
                        answers -> {
                            Optional<String> content =
                                    answers.found.stream()
                                            .flatMap(Optional::stream)
                                            .map(Response::toString)
                                            .findFirst();
                            if (content.isEmpty()) {
                                answers.requireAll();
                            }
                            return content;
                        });
    }

    @Override
    public Uni<List<TicketDigest>> touchTickets(Collection<TicketDigest> tickets) {
        return Multi.createFrom()
                .iterable(tickets)
                .onItem()
                .transformToUni(this::touchTicket)
                .merge(TOUCHED_AT_A_TIME)
                .collect()
                .asList()
                .map(gone -> gone.stream().flatMap(Optional::stream).toList());
    }

    /** Counts a use of a ticket, which prolongs it. Returns the ticket if it does not exist. */
    private Uni<Optional<TicketDigest>> touchTicket(TicketDigest ticket) {
        return useTicket(ticket)
                .map(
                        found ->
                                found.isEmpty()
                                        ? Optional.of(ticket)
                                        : Optional.<TicketDigest>empty())
                .onFailure(BrokerUnavailable.class)
                .recoverWithItem(Optional.empty());
    }

    @Override
    public Uni<Boolean> putRevocations(Map<String, Instant> entries) {
        List<String> args = new ArrayList<>();
        args.add(UUID.randomUUID().toString());
        args.add(Integer.toString(MAX_REVOCATIONS));
        entries.forEach(
                (entry, end) -> {
                    args.add(Long.toString(end.toEpochMilli()));
                    args.add(entry);
                });
        return ofAll(server -> server.run(PUT_REVOCATIONS, revocationKeys(), args))
                .map(
                        answers -> {
                            long kept =
                                    answers.found.stream()
                                            .filter(reply -> reply.toInteger() == 1)
                                            .count();
                            if (kept == 0) {
                                // A server that did not answer may have them.
                                answers.requireAll();
                                throw new TooManyRevocations();
                            }
                            return kept == servers.size();
                        });
    }

    @Override
    public Uni<List<RevocationList>> revocations(Collection<String> known) {
        List<String> args = List.copyOf(known);
        return ofAll(server -> server.run(REVOCATIONS, revocationKeys(), args))
                .map(answers -> answers.found.stream().map(reply -> list(reply, args)).toList());
    }

    private static RevocationList list(Response reply, List<String> known) {
        String revision = reply.get(0).toString();
        if (known.contains(revision)) {
            return new RevocationList(revision, Optional.empty());
        }
        Map<String, Instant> entries = new HashMap<>();
        for (int i = 1; i + 1 < reply.size(); i += 2) {
            long end = (long) Double.parseDouble(reply.get(i + 1).toString());
            entries.put(reply.get(i).toString(), Instant.ofEpochMilli(end));
        }
        return new RevocationList(revision, Optional.of(entries));
    }

    private String key(TicketDigest ticket) {
        return prefix + ":{:ticket:" + ticket.value() + "}";
    }

    private List<String> revocationKeys() {
        return List.of(prefix + ":{:access}:revocations", prefix + ":{:access}:revision");
    }

    /** Asks all servers at once; fails if none of them answers. */
    private <T> Uni<Answers<T>> ofAll(Function<RedisConnections, Uni<T>> call) {
        List<Uni<Answers<T>>> each =
                servers.stream()
                        .map(
                                server ->
                                        call.apply(server)
                                                .map(Answers::<T>of)
                                                .onFailure(RedisUnavailable.class)
                                                .recoverWithItem(Answers::<T>failed))
                        .toList();
        return Uni.join()
                .all(each)
                .andFailFast()
                .map(
                        all -> {
                            Answers<T> together = Answers.together(all);
                            if (together.found.isEmpty()) {
                                together.requireAll();
                            }
                            return together;
                        });
    }

    private static <T> Uni<T> available(Uni<T> answer) {
        return answer.onFailure(RedisUnavailable.class).transform(RedisAccessStore::unavailable);
    }

    private static BrokerUnavailable unavailable(Throwable failure) {
        return new BrokerUnavailable(String.valueOf(failure.getMessage()), failure);
    }

    /** What the servers that answered say, and why the others did not. */
    private record Answers<T>(List<T> found, List<Throwable> failures) {

        static <T> Answers<T> of(T answer) {
            return new Answers<>(List.of(answer), List.of());
        }

        static <T> Answers<T> failed(Throwable failure) {
            return new Answers<>(List.of(), List.of(failure));
        }

        static <T> Answers<T> together(List<Answers<T>> all) {
            return new Answers<>(
                    all.stream().flatMap(one -> one.found.stream()).toList(),
                    all.stream().flatMap(one -> one.failures.stream()).toList());
        }

        /**
         * @throws BrokerUnavailable if a server did not answer
         */
        void requireAll() {
            if (!failures.isEmpty()) {
                throw unavailable(failures.get(0));
            }
        }
    }
}
