package dev.parley.access;

import dev.parley.broker.Broker;
import dev.parley.broker.Broker.IdempotencyKey;
import dev.parley.broker.Broker.PublishRequest;
import dev.parley.broker.Broker.Receipt;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.delivery.Connection;
import dev.parley.delivery.DisconnectReason;
import dev.parley.delivery.EventLoop;
import dev.parley.delivery.Hub;
import dev.parley.delivery.SubscribeRequest;
import dev.parley.delivery.SubscribeRequest.Denied;
import dev.parley.delivery.SubscribeRequest.RoomStart;
import dev.parley.http.ClientAddress;
import dev.parley.http.ErrorCode;
import dev.parley.http.RefusedRequest;
import dev.parley.message.Message;
import dev.parley.message.Room;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Singleton;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The rooms, as far as the caller of a request may use them. Every call reaches the hub and the
 * broker through here, and nowhere else are rights to rooms checked: what is returned is a right
 * that was checked, to read a room, to publish a message, or to open a stream.
 *
 * <p>A room that is forbidden and one in which nothing was ever published are answered alike.
 */
@Singleton
public final class AuthorizedRooms {

    private final Broker broker;
    private final Hub hub;
    private final Authenticator authenticator;
    private final Revocations revocations;
    private final Tickets tickets;
    private final ClientAddress clientAddress;
    private final AccessMeters meters;
    private final Denials denials;
    private final AuditLog audit;
    private final Clock clock;

    AuthorizedRooms(
            Broker broker,
            Hub hub,
            Authenticator authenticator,
            Revocations revocations,
            Tickets tickets,
            ClientAddress clientAddress,
            AccessMeters meters,
            Denials denials,
            AuditLog audit,
            Clock clock) {
        this.broker = broker;
        this.hub = hub;
        this.authenticator = authenticator;
        this.revocations = revocations;
        this.tickets = tickets;
        this.clientAddress = clientAddress;
        this.meters = meters;
        this.denials = denials;
        this.audit = audit;
        this.clock = clock;
    }

    /** A room that the caller may read. */
    public final class ReadableRoom {

        private final Room room;

        private ReadableRoom(Room room) {
            this.room = room;
        }

        /** Returns the room. */
        public Room room() {
            return room;
        }

        /** Reads messages, as {@link Broker#read}. */
        public Uni<Page> read(Range range) {
            return broker.read(room, range);
        }
    }

    /** A message that the caller may publish, with the caller as its sender. */
    public final class PublishableMessage {

        private final Message message;
        private final String sender;

        private PublishableMessage(Message message, String sender) {
            this.message = message;
            this.sender = sender;
        }

        /** Returns the message. */
        public Message message() {
            return message;
        }

        /** Publishes it, as {@link Broker#publish}. */
        public Uni<Receipt> publish(Optional<IdempotencyKey> key) {
            return broker.publish(new PublishRequest(message, key, sender));
        }
    }

    /** A stream that the caller may open. */
    @FunctionalInterface
    public interface PermittedStream {

        /** Opens it, as {@link Hub#subscribe}. */
        Hub.Registration open(Connection connection, EventLoop eventLoop);
    }

    /** Returns by what a client is limited: the person of its token, or its address. */
    public String limitKey(RoutingContext exchange) {
        return authenticator
                .callerOf(exchange)
                .person()
                // Neither contains a line end, and no address does.
                .map(person -> person.issuer() + '\n' + person.subject())
                .orElseGet(() -> clientAddress.of(exchange.request()));
    }

    /** Returns the setting that keeps a stream from being opened, as {@link Hub#fullLimit}. */
    public Optional<String> fullLimit(SubscribeRequest request) {
        return hub.fullLimit(request.address(), request.rooms().size());
    }

    /**
     * Returns the age that the messages of a room reach ({@link Broker#bounds}) to a caller that
     * may publish there.
     *
     * @throws RefusedRequest if it may not: the settings of a room tell something about it
     */
    public Duration age(RoutingContext exchange, Room room) {
        Caller caller = authenticator.callerOf(exchange);
        check(exchange, caller, room, caller.mayWrite(room), "write");
        return broker.bounds(room).age();
    }

    /**
     * Checks that the caller may read a room.
     *
     * @throws RefusedRequest if it may not
     */
    public ReadableRoom readable(RoutingContext exchange, Room room) {
        Caller caller = authenticator.callerOf(exchange);
        check(exchange, caller, room, caller.mayRead(room), "read");
        return new ReadableRoom(room);
    }

    /**
     * Checks that the caller may publish a message, and that its sender is the caller.
     *
     * @throws RefusedRequest if it may not, or if the message names another sender
     */
    public PublishableMessage publishable(RoutingContext exchange, Message message) {
        Caller caller = authenticator.callerOf(exchange);
        Room room = message.room();
        check(exchange, caller, room, caller.mayWrite(room), "write");
        Message sent =
                caller.person()
                        .map(person -> withSender(exchange, person, message))
                        .orElse(message);
        noteAdmission(exchange, caller, room.name());
        String sender = caller.person().map(Person::sender).or(sent::from).orElse("");
        return new PublishableMessage(sent, sender);
    }

    /** Returns the message with the person as its sender, unless it names another one. */
    private Message withSender(RoutingContext exchange, Person person, Message message) {
        Optional<String> given = message.from();
        boolean isOther =
                given.isPresent()
                        && !given.get().equals(person.name())
                        && !given.get().equals(person.subject());
        if (isOther) {
            denials.note(
                    exchange,
                    authenticator.callerOf(exchange),
                    message.room().name(),
                    Denial.OTHER_SENDER);
            throw new RefusedRequest(
                    ErrorCode.OTHER_SENDER,
                    "the token is not for the sender in from: leave from out, or send the name or"
                            + " the subject of the token");
        }
        return message.verifiedFrom(person.name());
    }

    /**
     * Checks which rooms of a stream the caller may read. The others are {@link
     * SubscribeRequest#denied}, unless there is none that it may read.
     *
     * @throws RefusedRequest if the caller may read none of them, or its token is about to end
     */
    public PermittedStream permitted(RoutingContext exchange, SubscribeRequest request) {
        if (!authenticator.isTokenMode()) {
            return (connection, loop) -> hub.subscribe(request, connection, loop);
        }
        if (authenticator.isUnknownForNow(exchange)) {
            return (connection, loop) ->
                    hub.refuse(request, connection, loop, DisconnectReason.UNAVAILABLE);
        }
        Caller caller = authenticator.callerOf(exchange);
        if (caller.until().filter(end -> !end.isAfter(clock.instant())).isPresent()) {
            denials.note(exchange, caller, names(request.rooms()), TokenRefused.Reason.EXPIRED);
            throw new RefusedRequest(
                    ErrorCode.INVALID_TOKEN, "the token's time is over; get a new one");
        }
        SubscribeRequest permitted = permitted(exchange, caller, request);
        return (connection, loop) -> {
            Hub.Registration stream =
                    tickets.open(caller, () -> hub.subscribe(permitted, connection, loop));
            // A limit or a drain may have refused it, and its client asks again and again then.
            if (stream.isAdmitted()) {
                meters.admitted(caller.carrier());
            }
            revocations.onStreamOpened(
                    caller, permitted.rooms().stream().map(RoomStart::room).toList());
            return stream;
        };
    }

    private SubscribeRequest permitted(
            RoutingContext exchange, Caller caller, SubscribeRequest request) {
        List<RoomStart> read = new ArrayList<>();
        List<Denied> denied = new ArrayList<>();
        Map<DenialReason, List<RoomStart>> byReason = new LinkedHashMap<>();
        for (RoomStart asked : request.rooms()) {
            Optional<DenialReason> denial =
                    denial(caller, asked.room(), caller.mayRead(asked.room()));
            if (denial.isEmpty()) {
                read.add(asked);
            } else {
                denied.add(new Denied(asked, inEvent(denial.get())));
                byReason.computeIfAbsent(denial.get(), reason -> new ArrayList<>()).add(asked);
            }
        }
        byReason.forEach((reason, rooms) -> denials.note(exchange, caller, names(rooms), reason));
        if (read.isEmpty()) {
            throw refusal(byReason.keySet().iterator().next(), "read");
        }
        noteAdmission(exchange, caller, names(read));
        return new SubscribeRequest(
                read, request.format(), request.heartbeat(), request.address(), denied, caller);
    }

    /** Returns how {@code event: denied} says why a room is missing in a stream. */
    private static String inEvent(DenialReason reason) {
        DenialReason said = reason == TokenRefused.Reason.REVOKED ? reason : Denial.FORBIDDEN;
        return said.label();
    }

    /**
     * Tells why the caller may not do something in a room; empty if it may. What was revoked is
     * denied in public rooms too: there, a caller may do without the token what it may not do with
     * it.
     *
     * @param isPermitted whether it might without revocations
     */
    private Optional<DenialReason> denial(Caller caller, Room room, boolean isPermitted) {
        if (!isPermitted) {
            return Optional.of(caller.token().isEmpty() ? Denial.NO_TOKEN : Denial.FORBIDDEN);
        }
        return caller.token()
                .filter(token -> revocations.isRevoked(token, room))
                .map(token -> TokenRefused.Reason.REVOKED);
    }

    private void check(
            RoutingContext exchange, Caller caller, Room room, boolean isPermitted, String right) {
        denial(caller, room, isPermitted)
                .ifPresent(
                        reason -> {
                            denials.note(exchange, caller, room.name(), reason);
                            throw refusal(reason, right);
                        });
    }

    private static RefusedRequest refusal(DenialReason reason, String right) {
        if (reason == Denial.NO_TOKEN) {
            return new RefusedRequest(
                    ErrorCode.UNAUTHORIZED,
                    "a token is needed: send Authorization: Bearer, or open /events with a ticket"
                            + " from POST /tickets");
        }
        return new RefusedRequest(
                ErrorCode.FORBIDDEN,
                reason == TokenRefused.Reason.REVOKED
                        ? "forbidden: the token's right to %s this room was revoked"
                                .formatted(right)
                        : "forbidden: the token does not allow you to %s this room"
                                .formatted(right));
    }

    private void noteAdmission(RoutingContext exchange, Caller caller, String rooms) {
        if (authenticator.isTokenMode()) {
            audit.admitted(exchange, caller, rooms);
        }
    }

    private static String names(List<RoomStart> rooms) {
        return rooms.stream().map(one -> one.room().name()).collect(Collectors.joining(","));
    }
}
