package dev.parley.access;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.parley.access.AccessStore.KeptTicket;
import dev.parley.access.AccessStore.TicketDigest;
import dev.parley.delivery.Hub;
import dev.parley.http.ErrorCode;
import dev.parley.http.RefusedRequest;
import dev.parley.http.TokenBuckets;
import dev.parley.message.RoomPattern;
import io.github.bucket4j.Bandwidth;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/**
 * Tickets: what a browser's EventSource, which can send no header, sends in the query in the place
 * of a token. A ticket stands for the token it was given for, with rights to read alone, and never
 * outlives it. An EventSource repeats its URL whenever it reconnects, so a ticket can be used
 * again: it ends some time after its last use, and an open stream counts as a use. Thread-safe.
 */
@Singleton
public final class Tickets {

    private static final Logger LOG = Logger.getLogger(Tickets.class);

    /** Random bytes in a ticket: too many to be guessed. */
    private static final int RANDOM_BYTES = 32;

    /** How often the tickets of open streams are used, within the time after which they end. */
    private static final int TOUCHES = 5;

    private final AccessStore store;
    private final AccessMeters meters;
    private final Duration lifetime;
    private final Duration longestToken;

    /** The claims {@code iss} of the issuers that are configured. */
    private final Set<String> issuers;

    private final TokenBuckets<Holder> ticketRates = new TokenBuckets<>();
    private final Bandwidth limit;
    private final Clock clock;
    private final ObjectMapper json = new ObjectMapper();
    private final SecureRandom random = new SecureRandom();

    /** The tickets of this pod's open streams. */
    private final Map<TicketDigest, Open> open = new ConcurrentHashMap<>();

    private final AtomicBoolean isTouching = new AtomicBoolean();

    Tickets(AccessStore store, AccessMeters meters, AccessConfig config, Clock clock) {
        this.store = store;
        this.meters = meters;
        this.lifetime = config.ticketLifetime();
        this.longestToken = config.maxTokenLifetime();
        this.issuers =
                config.issuers().values().stream()
                        .flatMap(settings -> settings.issuer().stream())
                        .collect(Collectors.toUnmodifiableSet());
        this.limit = TokenBuckets.limit(config.ticketRate(), config.ticketBurst());
        this.clock = clock;
    }

    /** Whom tickets are counted for: a person, whatever the name of the moment. */
    private record Holder(String issuer, String subject) {

        static Holder of(Person person) {
            return new Holder(person.issuer(), person.subject());
        }
    }

    /**
     * A ticket of open streams.
     *
     * @param token what it stands for
     * @param streams how many, 1 or more
     */
    private record Open(VerifiedToken token, int streams) {

        Open and(int more) {
            return new Open(token, streams + more);
        }
    }

    /**
     * A ticket that was given.
     *
     * @param ticket what the client sends; it is kept nowhere
     * @param expiresIn after how long it ends if it is not used
     */
    record Given(String ticket, Duration expiresIn) {}

    /** Begins to use the tickets of open streams. */
    void start(@Observes StartupEvent event, AccessConfig config, Vertx vertx) {
        if (config.mode() == AccessConfig.Mode.OPEN) {
            return;
        }
        vertx.setPeriodic(pause().toMillis(), id -> touch());
    }

    /**
     * Gives a ticket. Fails with {@link RefusedRequest} if the token ends within a second, or if
     * the person gets too many: each is kept for {@code parley.access.ticket-lifetime}, and is a
     * line in the log.
     *
     * @param token what it stands for
     * @param read the rooms that may be read with it
     */
    Uni<Given> give(VerifiedToken token, List<RoomPattern> read) {
        Duration left = Duration.between(clock.instant(), token.expires());
        if (left.toSeconds() < 1) {
            // Its time may be over by our clock, and not by one that is behind.
            return Uni.createFrom()
                    .failure(
                            new RefusedRequest(
                                    ErrorCode.INVALID_TOKEN,
                                    "the token's time is over; get a new one"));
        }
        Optional<Duration> pause = ticketRates.tryTake(Holder.of(token.person()), limit);
        if (pause.isPresent()) {
            return Uni.createFrom()
                    .failure(
                            RefusedRequest.retryable(
                                    ErrorCode.TOO_MANY_REQUESTS,
                                    "too many tickets: a ticket can be used again, so keep it;"
                                            + " repeat the request after the seconds in Retry-After",
                                    pause.get()));
        }
        byte[] secret = new byte[RANDOM_BYTES];
        random.nextBytes(secret);
        String ticket = Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
        Duration expiresIn = left.compareTo(lifetime) < 0 ? left : lifetime;
        return store.putTicket(TicketDigest.of(ticket), kept(token, read))
                .invoke(meters::ticketGiven)
                .replaceWith(() -> new Given(ticket, expiresIn));
    }

    /**
     * Uses a ticket.
     *
     * @return what it stands for; empty if it does not exist, its time is over, or its issuer is
     *     not configured
     */
    Uni<Optional<VerifiedToken>> use(TicketDigest ticket) {
        return store.useTicket(ticket)
                .map(content -> content.flatMap(this::read))
                .map(token -> token.filter(this::isValid));
    }

    /**
     * Tells whether a token is still accepted. The setting of its longest life may be shorter than
     * it was when the ticket was given, and revocations are kept for the present one. Its issuer
     * may have been removed from the settings: then the pods were started again, and a client that
     * comes back with its ticket must not read on by a token that would be refused.
     */
    private boolean isValid(VerifiedToken token) {
        Instant now = clock.instant();
        return issuers.contains(token.person().issuer())
                && token.expires().isAfter(now)
                && !VerifiedToken.lastsTooLong(token.issued(), token.expires(), longestToken, now);
    }

    /**
     * Opens a stream, and keeps its caller's ticket from ending until the connection is gone. The
     * ticket is noted after the stream has opened: if opening fails, nothing is registered that
     * would end later, and the ticket would be kept until its token ends.
     *
     * @param subscribe opens the stream
     */
    Hub.Registration open(Caller caller, Supplier<Hub.Registration> subscribe) {
        Hub.Registration stream = subscribe.get();
        Runnable leave = enter(caller);
        return new Hub.Registration() {
            @Override
            public boolean isAdmitted() {
                return stream.isAdmitted();
            }

            @Override
            public void onConnectionGone() {
                leave.run();
                stream.onConnectionGone();
            }
        };
    }

    /**
     * Notes that a stream is open, so that its caller's ticket does not end meanwhile.
     *
     * @return what to call when the stream has ended, once or more often
     */
    Runnable enter(Caller caller) {
        if (caller.ticket().isEmpty() || caller.token().isEmpty()) {
            return () -> {};
        }
        TicketDigest ticket = caller.ticket().get();
        open.merge(ticket, new Open(caller.token().get(), 1), (known, first) -> known.and(1));
        var left = new AtomicBoolean();
        return () -> {
            if (left.compareAndSet(false, true)) {
                open.computeIfPresent(
                        ticket, (key, known) -> known.streams() == 1 ? null : known.and(-1));
            }
        };
    }

    /**
     * Uses the tickets of this pod's open streams, and gives the store again those that it has
     * lost, or that ended while it was away: their clients come back with them. A round that takes
     * longer than its time, as with a Redis that hangs, is given up, so that the next one begins in
     * time. The order changes from round to round, so that no ticket is among the last each time.
     *
     * <p>A ticket whose token has ended by the clock is left out, and is not forgotten before its
     * last stream ends: the clock may be ahead for a moment. When it is right again, the ticket is
     * used again, unless the next sweep has ended the stream by that clock meanwhile.
     */
    void touch() {
        Instant now = clock.instant();
        List<TicketDigest> used = new ArrayList<>();
        open.forEach(
                (ticket, known) -> {
                    if (known.token().expires().isAfter(now)) {
                        used.add(ticket);
                    }
                });
        if (used.isEmpty() || !isTouching.compareAndSet(false, true)) {
            return;
        }
        Collections.shuffle(used);
        store.touchTickets(used, this::lost)
                .ifNoItem()
                .after(pause())
                .fail()
                .onTermination()
                .invoke(() -> isTouching.set(false))
                .subscribe()
                .with(done -> {}, failure -> LOG.debugf("tickets: %s", failure.getMessage()));
    }

    /** The pause from one round to the next. */
    private Duration pause() {
        Duration pause = lifetime.dividedBy(TOUCHES);
        return pause.toMillis() < 1 ? Duration.ofMillis(1) : pause;
    }

    /** Returns a ticket that the store has lost; empty if its last stream ended meanwhile. */
    private Optional<KeptTicket> lost(TicketDigest ticket) {
        return Optional.ofNullable(open.get(ticket))
                .map(Open::token)
                .filter(token -> token.expires().isAfter(clock.instant()))
                .map(token -> kept(token, token.grants().read()));
    }

    private KeptTicket kept(VerifiedToken token, List<RoomPattern> read) {
        return new KeptTicket(write(token, read), lifetime, token.expires());
    }

    private String write(VerifiedToken token, List<RoomPattern> read) {
        ObjectNode content =
                json.createObjectNode()
                        .put("iss", token.person().issuer())
                        .put("sub", token.person().subject())
                        .put("name", token.person().name())
                        .put("iat", token.issued().toEpochMilli())
                        .put("exp", token.expires().toEpochMilli());
        token.id().ifPresent(id -> content.put("jti", id));
        ArrayNode patterns = content.putArray("read");
        read.forEach(pattern -> patterns.add(pattern.toString()));
        return content.toString();
    }

    /** Reads what {@link #write} wrote; empty if it is anything else. */
    private Optional<VerifiedToken> read(String written) {
        try {
            JsonNode content = json.readTree(written);
            List<RoomPattern> read = new ArrayList<>();
            content.path("read").forEach(pattern -> read.add(new RoomPattern(pattern.asText())));
            var person =
                    new Person(
                            content.path("iss").asText(),
                            content.path("sub").asText(),
                            content.path("name").asText());
            return Optional.of(
                    new VerifiedToken(
                            person,
                            new Grants(read, List.of(), List.of(), false),
                            Optional.ofNullable(content.path("jti").textValue()),
                            Instant.ofEpochMilli(content.path("iat").asLong()),
                            Instant.ofEpochMilli(content.path("exp").asLong())));
        } catch (JsonProcessingException | IllegalArgumentException e) {
            LOG.warnf("a ticket in the store cannot be read: %s", e.getClass().getSimpleName());
            return Optional.empty();
        }
    }
}
