package dev.parley.publish;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.parley.access.AuthorizedRooms;
import dev.parley.access.TicketsResource;
import dev.parley.broker.Broker.IdempotencyKey;
import dev.parley.broker.Broker.Receipt;
import dev.parley.http.ContentCoding;
import dev.parley.http.ContentNegotiation;
import dev.parley.http.ErrorCode;
import dev.parley.http.PendingPublishes;
import dev.parley.http.ProxyAdvice;
import dev.parley.http.PublishOutcomes;
import dev.parley.http.RefusedRequest;
import dev.parley.http.TextEncoding;
import dev.parley.http.TokenBuckets;
import dev.parley.http.UrlEncodedForm;
import dev.parley.message.EventType;
import dev.parley.message.InvalidRequest;
import dev.parley.message.Message;
import dev.parley.message.MessageSize;
import dev.parley.message.Room;
import dev.parley.settings.RoomSettings;
import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.TimeMeter;
import io.quarkus.runtime.Startup;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Singleton;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.jspecify.annotations.Nullable;

/**
 * Publishes a message: counts the request against the client's rate, reads the message from it,
 * checks that the client may publish it, counts it against its room's rate, hands it to the broker,
 * and answers once the broker has it.
 *
 * <p>Created at startup, so that its counters are in the metrics before the first request.
 */
@Path("/send")
@SecurityRequirement(name = TicketsResource.TOKEN)
@Singleton
@Startup
public final class SendResource {

    /** With its charset, which the framework would add to each answer. */
    private static final MediaType TEXT = MediaType.TEXT_PLAIN_TYPE.withCharset("UTF-8");

    private final AuthorizedRooms rooms;
    private final PublishConfig config;
    private final long maxBody;
    private final PublishRates rates;
    private final PendingPublishes publishes;
    private final ProxyAdvice proxyAdvice;
    private final Clock clock;
    private final PublishOutcomes outcomes;

    SendResource(
            AuthorizedRooms rooms,
            PublishConfig config,
            @ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize maxBody,
            RoomSettings roomSettings,
            PendingPublishes publishes,
            ProxyAdvice proxyAdvice,
            Clock clock,
            PublishOutcomes outcomes) {
        this.maxBody = maxBody.asLongValue();
        this.rooms = rooms;
        this.config = config;
        this.rates = new PublishRates(config, roomSettings, TimeMeter.SYSTEM_NANOTIME);
        this.publishes = publishes;
        this.proxyAdvice = proxyAdvice;
        this.clock = clock;
        this.outcomes = outcomes;
    }

    /**
     * Publishes. The parameters in the query are declared for the API description only: {@link
     * SendFields} reads the query.
     */
    @POST
    @Consumes({
        MediaType.APPLICATION_FORM_URLENCODED,
        MediaType.MULTIPART_FORM_DATA,
        MediaType.APPLICATION_JSON,
        MediaType.TEXT_PLAIN
    })
    @Operation(summary = "Publish a message, as a form, as JSON, as bare text, or in the query")
    @RequestBody(
            description =
                    "a form or a JSON object of strings: msg, and if wanted room, from, event,"
                            + " ttl; or the bare text",
            required = false)
    @APIResponse(
            responseCode = "200",
            description = "the broker has the message; its id is in the header Event-Id",
            content = {
                @Content(
                        mediaType = MediaType.APPLICATION_JSON,
                        schema = @Schema(implementation = ReceiptJson.class)),
                @Content(
                        mediaType = MediaType.TEXT_PLAIN,
                        schema = @Schema(type = SchemaType.STRING, enumeration = "ok"))
            })
    @Parameter(
            name = "msg",
            in = ParameterIn.QUERY,
            description = "the text, if the body has none",
            schema = @Schema(type = SchemaType.STRING))
    @Parameter(
            name = "room",
            in = ParameterIn.QUERY,
            description = "the room, lobby by default",
            schema = @Schema(type = SchemaType.STRING))
    @Parameter(
            name = "from",
            in = ParameterIn.QUERY,
            description = "the name of the sender",
            schema = @Schema(type = SchemaType.STRING))
    @Parameter(
            name = "event",
            in = ParameterIn.QUERY,
            description = "the type that browsers dispatch the message as, message by default",
            schema = @Schema(type = SchemaType.STRING))
    @Parameter(
            name = "ttl",
            in = ParameterIn.QUERY,
            description =
                    "the seconds for which the message is in the history and is replayed, 1 up to"
                            + " the age that its room keeps; the latter by default",
            schema = @Schema(type = SchemaType.INTEGER, minimum = "1"))
    @Parameter(
            name = HttpHeaders.CONTENT_ENCODING,
            in = ParameterIn.HEADER,
            description = "gzip, if the body is compressed",
            schema = @Schema(type = SchemaType.STRING))
    public Uni<Response> send(
            byte[] body,
            @HeaderParam("Idempotency-Key")
                    @Parameter(
                            description =
                                    "makes a repeat publish nothing within the time of"
                                            + " parley.history.receipts, five minutes by default")
                    @Nullable String key,
            @Context HttpHeaders headers,
            @Context RoutingContext exchange) {
        AuthorizedRooms.PublishableMessage publishable;
        Optional<IdempotencyKey> idempotencyKey;
        PendingPublishes.Pending pending;
        boolean asJson = ContentNegotiation.acceptsJson(headers.getAcceptableMediaTypes());
        try {
            checkRate(exchange);
            // A body can come in one piece, before RequestGuard has counted it.
            if (body.length > maxBody) {
                throw RefusedRequest.tooLarge(maxBody);
            }
            byte[] decoded = ContentCoding.decode(exchange.request(), body, maxBody);
            SendFields fields =
                    SendFields.read(headers.getMediaType(), decoded, exchange.request().query());
            Message message =
                    fields.message(
                            config.maxText().asLongValue(),
                            clock.instant(),
                            room -> rooms.age(exchange, room));
            publishable = rooms.publishable(exchange, message);
            checkOneKey(exchange);
            idempotencyKey = Optional.ofNullable(key).map(IdempotencyKey::new);
            pending = publishes.hold(exchange, body.length, MessageSize.encoded(message.text()));
            checkRate(message.room(), pending);
        } catch (InvalidRequest | RefusedRequest e) {
            outcomes.countRefused(e);
            throw e;
        }
        Room room = publishable.message().room();
        Uni<Receipt> publish =
                publishable
                        .publish(idempotencyKey)
                        .onTermination()
                        .invoke(pending::end)
                        .onItem()
                        .invoke(outcomes::countPublished)
                        .onFailure()
                        .invoke(outcomes::countFailed);
        return uncancelled(publish).map(receipt -> answer(receipt, room, asJson));
    }

    /**
     * Goes on when the subscriber cancels, as the framework does when the client closes its
     * connection: the message is on its way to the broker then, and is held until it has answered.
     */
    private static <T> Uni<T> uncancelled(Uni<T> work) {
        return Uni.createFrom()
                .emitter(caller -> work.subscribe().with(caller::complete, caller::fail));
    }

    /** Refuses different keys, of which the framework would read the first. */
    private static void checkOneKey(RoutingContext exchange) {
        List<String> lines = exchange.request().headers().getAll("Idempotency-Key");
        if (lines.stream().distinct().count() > 1) {
            throw new RefusedRequest(
                    ErrorCode.BAD_IDEMPOTENCY_KEY,
                    "bad Idempotency-Key: the header is there more than once, with different keys;"
                            + " send one");
        }
    }

    private void checkRate(RoutingContext exchange) {
        Optional<Duration> pause = rates.tryAcquire(() -> rooms.limitKey(exchange));
        if (pause.isPresent()) {
            proxyAdvice.onLimitMet(exchange.request(), "parley.publish.rate");
            throw RefusedRequest.retryable(
                    ErrorCode.TOO_MANY_REQUESTS,
                    "too many requests: slow down, and repeat this one after the seconds in"
                            + " Retry-After",
                    pause.get());
        }
    }

    /** Comes last, so that a request that is refused for another reason takes no token. */
    private void checkRate(Room room, PendingPublishes.Pending pending) {
        Optional<Duration> pause = rates.tryAcquire(room);
        if (pause.isPresent()) {
            pending.end();
            throw RefusedRequest.retryable(
                    ErrorCode.TOO_MANY_REQUESTS,
                    "too many messages in room "
                            + room
                            + ": repeat this one after the seconds in Retry-After",
                    pause.get());
        }
    }

    private static Response answer(Receipt receipt, Room room, boolean asJson) {
        String id = receipt.id().toString();
        var answer = Response.ok().header("Event-Id", id);
        if (asJson) {
            var body = new ReceiptJson(id, room.name(), receipt.duplicate());
            return answer.entity(body).type(MediaType.APPLICATION_JSON_TYPE).build();
        }
        return answer.entity("ok").type(TEXT).build();
    }

    /**
     * The receipt as JSON.
     *
     * @param id of the message
     * @param room that the message is in
     * @param duplicate whether an earlier request with the same key published it
     */
    @RegisterForReflection
    public record ReceiptJson(String id, String room, boolean duplicate) {}

    /**
     * The fields of a publish request as the publisher wrote them, not checked yet. A message can
     * come in six forms:
     *
     * <ol>
     *   <li>a form body, {@code application/x-www-form-urlencoded} (WHATWG URL §5);
     *   <li>a form body, {@code multipart/form-data} (RFC 7578), without files;
     *   <li>a JSON object whose fields are strings, or numbers for ttl;
     *   <li>a {@code text/plain} body, which is the text;
     *   <li>a {@code text/plain} body that starts with {@code msg=}, which is a form: the page that
     *       calls {@code fetch(url, {method: "POST", body: "msg=…"})} means one, and the browser
     *       labels it {@code text/plain};
     *   <li>the query, encoded like a form body. It supplies the fields that the body leaves out.
     * </ol>
     *
     * <p>Text is UTF-8 in all of them, percent-encoded or not, unless the {@code charset} of the
     * type names another {@link TextEncoding}. Broken UTF-8 is refused, not repaired. Forms are
     * read here and not by the framework, which never answers a request whose form has a broken
     * percent escape; and so is the query, in which the framework repairs broken UTF-8 and decodes
     * bytes that are not percent-encoded (curl sends them) as Latin-1.
     *
     * @param msg the text
     * @param room the room, the lobby if absent
     * @param from the name of the sender
     * @param event the type that a browser dispatches the message as, {@code message} if absent
     * @param ttl the seconds for which the message is read and replayed; as long as the history
     *     keeps it if absent
     */
    private record SendFields(
            @Nullable String msg,
            @Nullable String room,
            @Nullable String from,
            @Nullable String event,
            @Nullable String ttl) {

        private static final Pattern SECONDS = Pattern.compile("[0-9]{1,10}");

        /** The names of fields that an error repeats; others may be long, or control characters. */
        private static final Pattern PRINTABLE = Pattern.compile("[A-Za-z0-9._-]{1,64}");

        /** The fields of a JSON object that are read. */
        private static final Set<String> NAMES = Set.of("msg", "room", "from", "event", "ttl");

        /** Keeps no names: the factory would intern each name that a client makes up. */
        private static final JsonFactory JSON =
                JsonFactory.builder()
                        .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                        .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                        .build();

        /**
         * Reads the body, and from the query what the body leaves out.
         *
         * @param type of the body; null if the request does not say, which means a form
         * @param query of the request's URI; null if there is none
         * @throws RefusedRequest if body or query cannot be decoded
         */
        static SendFields read(@Nullable MediaType type, byte[] body, @Nullable String query) {
            SendFields fields = body(type, body);
            return query == null ? fields : fields.orElse(form(query, TextEncoding.UTF_8));
        }

        /**
         * Builds the message.
         *
         * @param maxBytes longest text, in bytes of UTF-8
         * @param age returns the age of a room's messages, which is the longest ttl, or throws a
         *     RefusedRequest
         * @throws RefusedRequest if there is no text, it is too long, a field is not Unicode, or
         *     the ttl is not a number from 1 to the age in seconds
         * @throws dev.parley.message.InvalidRequest if room, from or event are not valid
         */
        Message message(long maxBytes, Instant at, Function<Room, Duration> age) {
            String text =
                    given(msg)
                            .orElseThrow(
                                    () ->
                                            new RefusedRequest(
                                                    ErrorCode.MSG_MISSING,
                                                    "msg missing: the text is expected as msg in a"
                                                            + " form, in the query or in a JSON object,"
                                                            + " or as a text/plain body"));
            int bytes = utf8Length("msg", ErrorCode.BAD_MSG, text);
            if (bytes > maxBytes) {
                throw new RefusedRequest(
                        ErrorCode.TEXT_TOO_LARGE,
                        "msg too large: at most %d bytes of UTF-8 are accepted, and these are %d"
                                .formatted(maxBytes, bytes));
            }
            given(from).ifPresent(name -> utf8Length("from", ErrorCode.BAD_FROM, name));
            given(event).ifPresent(name -> utf8Length("event", ErrorCode.BAD_EVENT, name));
            Room inRoom = given(room).map(Room::new).orElse(Room.LOBBY);
            return new Message(
                    inRoom,
                    text,
                    given(from),
                    given(event).map(EventType::chosen),
                    at.truncatedTo(ChronoUnit.MILLIS),
                    given(ttl).map(seconds -> ttl(seconds, inRoom, age.apply(inRoom))));
        }

        private static Duration ttl(String seconds, Room room, Duration age) {
            // The longest age, 36,500 days, is a number of ten digits.
            long value = SECONDS.matcher(seconds).matches() ? Long.parseLong(seconds) : 0;
            if (value < 1 || value > age.toSeconds()) {
                throw new RefusedRequest(
                        ErrorCode.BAD_TTL,
                        "bad ttl: a whole number of seconds from 1 to %d is expected, the age up to which room %s keeps messages"
                                .formatted(age.toSeconds(), room));
            }
            return Duration.ofSeconds(value);
        }

        private static SendFields body(@Nullable MediaType type, byte[] body) {
            TextEncoding encoding = TextEncoding.of(type);
            if (type == null || type.isCompatible(MediaType.APPLICATION_FORM_URLENCODED_TYPE)) {
                return form(encoding.body(body, ErrorCode.BAD_MSG));
            }
            if (type.isCompatible(MediaType.MULTIPART_FORM_DATA_TYPE)) {
                return multipart(type, body, encoding);
            }
            if (type.isCompatible(MediaType.APPLICATION_JSON_TYPE)) {
                return json(encoding.body(body, ErrorCode.BAD_JSON));
            }
            return text(encoding.body(body, ErrorCode.BAD_MSG));
        }

        private static SendFields form(TextEncoding.Body body) {
            return form(latin1(body.bytes()), body.encoding());
        }

        /**
         * Reads a form body or a query.
         *
         * @param encoded the bytes as Latin-1, where one character is one byte. They are decoded
         *     together with the bytes that the percent escapes stand for.
         */
        private static SendFields form(String encoded, TextEncoding encoding) {
            Map<String, byte[]> bytes = new HashMap<>();
            UrlEncodedForm.read(encoded, StandardCharsets.ISO_8859_1)
                    .forEach(
                            (name, values) ->
                                    bytes.put(
                                            name,
                                            values.get(0).getBytes(StandardCharsets.ISO_8859_1)));
            return decoded(bytes, encoding);
        }

        private static SendFields multipart(MediaType type, byte[] body, TextEncoding encoding) {
            return decoded(MultipartForm.read(type, body), encoding);
        }

        private static SendFields decoded(Map<String, byte[]> fields, TextEncoding encoding) {
            return new SendFields(
                    field(fields, "msg", ErrorCode.BAD_MSG, encoding),
                    field(fields, "room", ErrorCode.BAD_ROOM, encoding),
                    field(fields, "from", ErrorCode.BAD_FROM, encoding),
                    field(fields, "event", ErrorCode.BAD_EVENT, encoding),
                    field(fields, "ttl", ErrorCode.BAD_TTL, encoding));
        }

        private static @Nullable String field(
                Map<String, byte[]> fields, String name, ErrorCode code, TextEncoding encoding) {
            byte[] value = fields.get(name);
            return value == null ? null : encoding.decode(name, code, value);
        }

        /**
         * Reads a JSON object. Fields with other names are ignored, whatever their values. A field
         * that is there twice is refused, because another program could read the other value.
         */
        private static SendFields json(TextEncoding.Body body) {
            Map<String, String> fields =
                    jsonFields(body.encoding().decode("JSON", ErrorCode.BAD_JSON, body.bytes()));
            return new SendFields(
                    fields.get("msg"),
                    fields.get("room"),
                    fields.get("from"),
                    fields.get("event"),
                    fields.get("ttl"));
        }

        /** Reads the values while it parses, without a tree of the fields that are ignored. */
        private static Map<String, String> jsonFields(String text) {
            Map<String, String> fields = new HashMap<>();
            Set<String> names = new HashSet<>();
            Optional<String> wrong = Optional.empty();
            try (JsonParser json = JSON.createParser(text)) {
                if (json.nextToken() != JsonToken.START_OBJECT) {
                    throw malformed();
                }
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    String name = json.currentName();
                    if (!names.add(name)) {
                        throw repeated(name);
                    }
                    JsonToken value = json.nextToken();
                    if (NAMES.contains(name) && value != JsonToken.VALUE_NULL) {
                        if (value == JsonToken.VALUE_STRING
                                || (value == JsonToken.VALUE_NUMBER_INT && name.equals("ttl"))) {
                            fields.put(name, json.getText());
                        } else {
                            wrong = wrong.or(() -> Optional.of(name));
                        }
                    }
                    json.skipChildren();
                }
                if (json.nextToken() != null) {
                    throw malformed();
                }
            } catch (IOException e) {
                // The parser's message is several lines about its own classes.
                throw malformed();
            }
            if (wrong.isPresent()) {
                String form =
                        wrong.get().equals("ttl") ? " must be a whole number" : " must be a string";
                throw new RefusedRequest(
                        ErrorCode.BAD_JSON, "malformed JSON: " + wrong.get() + form);
            }
            return fields;
        }

        private static RefusedRequest malformed() {
            return new RefusedRequest(
                    ErrorCode.BAD_JSON,
                    "malformed JSON: one object such as {\"msg\": \"hello\"} is expected");
        }

        private static RefusedRequest repeated(String name) {
            String shown = PRINTABLE.matcher(name).matches() ? name : "a field";
            return new RefusedRequest(
                    ErrorCode.BAD_JSON,
                    "malformed JSON: " + shown + " is there twice; send it once");
        }

        private static SendFields text(TextEncoding.Body body) {
            String text = body.encoding().decode("msg", ErrorCode.BAD_MSG, body.bytes());
            return text.startsWith("msg=")
                    ? form(body)
                    : new SendFields(text, null, null, null, null);
        }

        /** Fills the fields that are absent or empty here from another request part. */
        private SendFields orElse(SendFields other) {
            return new SendFields(
                    orElse(msg, other.msg),
                    orElse(room, other.room),
                    orElse(from, other.from),
                    orElse(event, other.event),
                    orElse(ttl, other.ttl));
        }

        private static @Nullable String orElse(@Nullable String one, @Nullable String other) {
            return given(one).isPresent() ? one : other;
        }

        /** An empty field counts as absent: a browser sends the empty inputs of a form, too. */
        private static Optional<String> given(@Nullable String value) {
            return Optional.ofNullable(value).filter(v -> !v.isEmpty());
        }

        private static String latin1(byte[] bytes) {
            return new String(bytes, StandardCharsets.ISO_8859_1);
        }

        /**
         * Counts the bytes, and refuses half of a surrogate pair, which JSON escapes can produce.
         */
        private static int utf8Length(String name, ErrorCode code, String text) {
            int bytes = 0;
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                if (Character.isHighSurrogate(c)
                        && i + 1 < text.length()
                        && Character.isLowSurrogate(text.charAt(i + 1))) {
                    bytes += 4;
                    i++;
                } else if (Character.isSurrogate(c)) {
                    throw new RefusedRequest(
                            code,
                            "bad "
                                    + name
                                    + ": it contains half of a surrogate pair; write both halves, such"
                                    + " as \\ud83d\\ude00");
                } else {
                    bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
                }
            }
            return bytes;
        }
    }

    /**
     * Limits how often this pod accepts a message: from each client, and for each room whose
     * pattern has a rate, over all of the room's publishers. Each client and each room has a token
     * bucket of its own. The bucket of a client holds the burst of the configuration, that of a
     * room the tokens of a second. Thread-safe.
     */
    static final class PublishRates {

        private final Optional<Bandwidth> clientLimit;
        private final TokenBuckets<String> clients;
        private final RoomSettings roomSettings;
        private final TokenBuckets<Room> rooms;

        /** Sets the limits of the configuration; without a rate, clients are not limited. */
        PublishRates(PublishConfig config, RoomSettings roomSettings, TimeMeter time) {
            this.clients = new TokenBuckets<>(time);
            this.rooms = new TokenBuckets<>(time);
            this.clientLimit =
                    config.rate().isPresent()
                            ? Optional.of(
                                    TokenBuckets.limit(config.rate().getAsInt(), config.burst()))
                            : Optional.empty();
            this.roomSettings = roomSettings;
        }

        /**
         * Takes a token from the bucket of a client.
         *
         * @param client returns a person, or the address of one who is not known; called only if
         *     clients are limited
         * @return the time until there is a token again; empty if this call took one, or if clients
         *     are not limited
         */
        Optional<Duration> tryAcquire(Supplier<String> client) {
            return clientLimit.flatMap(limit -> clients.tryTake(client.get(), limit));
        }

        /**
         * Takes a token from the bucket of a room.
         *
         * @return the time until there is a token again; empty if this call took one, or if the
         *     room's rate is not limited
         */
        Optional<Duration> tryAcquire(Room room) {
            OptionalInt rate =
                    roomSettings
                            .of(room)
                            .map(entry -> entry.publish().rate())
                            .orElse(OptionalInt.empty());
            return rate.isEmpty()
                    ? Optional.empty()
                    : rooms.tryTake(room, TokenBuckets.limit(rate.getAsInt(), rate.getAsInt()));
        }
    }
}
