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
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Keeps tickets and revocations in Redis, with several servers in each of them. A call succeeds as
 * long as one of them answers, except that a ticket which none of those that answer has may be at
 * another one, that was there when it was made.
 */
public final class RedisAccessStore implements AccessStore {

    private static final RedisCommands.Script PUT_TICKET = script("put-ticket.lua");
    private static final RedisCommands.Script USE_TICKET = script("use-ticket.lua");
    private static final RedisCommands.Script PUT_REVOCATIONS = script("put-revocations.lua");
    private static final RedisCommands.Script REVOCATIONS = script("revocations.lua");

    /** What {@link #PUT_REVOCATIONS} returns when it took all. */
    private static final int TOOK_ALL = 1;

    /** What it returns when it left some out, which have ended by the server's clock. */
    private static final int LEFT_SOME_OUT = 2;

    /**
     * Tickets that are touched at a server at a time: one after the other, 20,000 of them would
     * take 20,000 round trips, and all at once more commands than may wait for an answer.
     */
    private static final int TOUCHED_AT_A_TIME = 64;

    /**
     * How long other servers are waited for when one has answered. Without it one that hangs would
     * hold back what is revoked at the others for longer than the second that is promised.
     */
    private static final Duration PATIENCE = Duration.ofMillis(250);

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
    public Uni<Void> putTicket(TicketDigest ticket, KeptTicket kept) {
        return ofThoseThatAnswer(server -> putAt(server, ticket, kept)).replaceWithVoid();
    }

    private Uni<Response> putAt(RedisConnections server, TicketDigest ticket, KeptTicket kept) {
        long idle = kept.idle().toMillis();
        long left = Duration.between(clock.instant(), kept.end()).toMillis();
        List<String> args = List.of(kept.content(), Long.toString(idle), Long.toString(left));
        return server.run(PUT_TICKET, List.of(key(ticket)), args);
    }

    @Override
    public Uni<Optional<String>> useTicket(TicketDigest ticket) {
        return ofAll(server -> useAt(server, ticket), Optional::isPresent, Duration.ZERO)
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

    private Uni<Optional<Response>> useAt(RedisConnections server, TicketDigest ticket) {
        return server.run(USE_TICKET, List.of(key(ticket)), List.of()).map(Optional::ofNullable);
    }

    /**
     * Each server goes through the tickets at its own speed: if they went at that of the fastest
     * one, a server that stalls would have a command for every ticket waiting, and then refuse the
     * publishes of its rooms because too many wait.
     */
    @Override
    public Uni<Void> touchTickets(
            Collection<TicketDigest> tickets, Function<TicketDigest, Optional<KeptTicket>> lost) {
        List<Uni<Void>> each =
                servers.stream().map(server -> touchAt(server, tickets, lost)).toList();
        return Uni.join().all(each).andFailFast().replaceWithVoid();
    }

    private Uni<Void> touchAt(
            RedisConnections server,
            Collection<TicketDigest> tickets,
            Function<TicketDigest, Optional<KeptTicket>> lost) {
        return Multi.createFrom()
                .iterable(tickets)
                .onItem()
                .transformToUni(
                        ticket ->
                                touchAt(server, ticket, lost)
                                        .onFailure(RedisUnavailable.class)
                                        .recoverWithNull())
                .merge(TOUCHED_AT_A_TIME)
                .onItem()
                .ignoreAsUni();
    }

    private Uni<Void> touchAt(
            RedisConnections server,
            TicketDigest ticket,
            Function<TicketDigest, Optional<KeptTicket>> lost) {
        return useAt(server, ticket)
                .chain(
                        found ->
                                (found.isPresent()
                                                ? Optional.<KeptTicket>empty()
                                                : lost.apply(ticket))
                                        .map(kept -> putAt(server, ticket, kept).replaceWithVoid())
                                        .orElseGet(() -> Uni.createFrom().voidItem()));
    }

    @Override
    public Uni<KeptAt> putRevocations(Map<String, Instant> entries) {
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
                            List<Integer> replies =
                                    answers.found.stream().map(Response::toInteger).toList();
                            if (replies.contains(TOOK_ALL)) {
                                return Collections.frequency(replies, TOOK_ALL) == servers.size()
                                        ? KeptAt.EVERY_SERVER
                                        : KeptAt.SOME_SERVERS;
                            }
                            // A server that did not answer may have them.
                            answers.requireAll();
                            if (replies.contains(LEFT_SOME_OUT)) {
                                return KeptAt.NO_SERVER;
                            }
                            throw new TooManyRevocations();
                        });
    }

    @Override
    public Uni<List<RevocationList>> revocations(Collection<String> known) {
        List<String> args = List.copyOf(known);
        return ofThoseThatAnswer(server -> server.run(REVOCATIONS, revocationKeys(), args))
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

    /** Asks all servers at once and waits for all of them; fails if none answers. */
    private <T> Uni<Answers<T>> ofAll(Function<RedisConnections, Uni<T>> call) {
        return ofAll(call, answer -> false, Duration.ZERO);
    }

    /**
     * Asks all servers at once, and when one has answered waits for the others for a moment only;
     * fails if none answers.
     */
    private <T> Uni<Answers<T>> ofThoseThatAnswer(Function<RedisConnections, Uni<T>> call) {
        return ofAll(call, answer -> true, PATIENCE);
    }

    /**
     * Asks all servers at once; fails if none answers.
     *
     * @param suffices tells of an answer whether the caller can do with it
     * @param patience how long the others are waited for behind such an answer
     */
    private <T> Uni<Answers<T>> ofAll(
            Function<RedisConnections, Uni<T>> call, Predicate<T> suffices, Duration patience) {
        return Uni.createFrom()
                .deferred(
                        () -> {
                            List<CompletableFuture<Answers<T>>> each =
                                    servers.stream().map(server -> ask(server, call)).toList();
                            return whenEnough(each, suffices, patience)
                                    .map(done -> Answers.of(each));
                        })
                .invoke(
                        answers -> {
                            if (answers.found.isEmpty()) {
                                answers.requireAll();
                            }
                        });
    }

    private static <T> CompletableFuture<Answers<T>> ask(
            RedisConnections server, Function<RedisConnections, Uni<T>> call) {
        return call.apply(server)
                .map(Answers::<T>of)
                .onFailure(RedisUnavailable.class)
                .recoverWithItem(Answers::<T>failed)
                .subscribeAsCompletionStage();
    }

    private static <T> Uni<Void> whenEnough(
            List<CompletableFuture<Answers<T>>> each, Predicate<T> suffices, Duration patience) {
        CompletableFuture<Void> all =
                CompletableFuture.allOf(each.toArray(CompletableFuture<?>[]::new));
        var enough = new CompletableFuture<Void>();
        for (CompletableFuture<Answers<T>> one : each) {
            one.thenAccept(
                    answer -> {
                        if (answer.found.stream().anyMatch(suffices)) {
                            enough.complete(null);
                        }
                    });
            one.exceptionally(
                    failure -> {
                        enough.completeExceptionally(failure);
                        return null;
                    });
        }
        all.thenAccept(enough::complete);
        Uni<Void> rest =
                patience.isZero()
                        ? Uni.createFrom().voidItem()
                        : Uni.createFrom()
                                .completionStage(all)
                                .ifNoItem()
                                .after(patience)
                                .recoverWithItem((Void) null);
        return Uni.createFrom().completionStage(enough).chain(() -> rest);
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

        /** Puts the answers together; a server whose answer has not come counts as silent. */
        static <T> Answers<T> of(List<CompletableFuture<Answers<T>>> each) {
            List<Answers<T>> all =
                    each.stream().map(one -> one.getNow(Answers.<T>failed(late()))).toList();
            return new Answers<>(
                    all.stream().flatMap(one -> one.found.stream()).toList(),
                    all.stream().flatMap(one -> one.failures.stream()).toList());
        }

        private static Throwable late() {
            return new TimeoutException("one of several servers of Redis has not answered yet");
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
