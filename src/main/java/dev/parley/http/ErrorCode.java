package dev.parley.http;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * Every error that a call can answer with: the {@code code} that a program compares, the HTTP
 * status, and the title for people. {@code docs/errors.md} lists them with what to do.
 *
 * <p>A code that was released keeps its name, its status and its meaning.
 */
public enum ErrorCode {
    BAD_REQUEST(400, "The request is malformed"),
    BAD_TARGET(400, "The target of the request is not in normal form"),
    MSG_MISSING(400, "The message has no text"),
    BAD_MSG(400, "The text is not valid Unicode"),
    BAD_ROOM(400, "The room name is not valid"),
    TOO_MANY_ROOMS(400, "The request names too many rooms"),
    BAD_FROM(400, "The sender name is not valid"),
    BAD_EVENT(400, "The event type is not valid"),
    BAD_TTL(400, "The lifetime of the message is not valid"),
    BAD_FORM(400, "The form or query cannot be decoded"),
    BAD_JSON(400, "The body is not the expected JSON object"),
    BAD_IDEMPOTENCY_KEY(400, "The Idempotency-Key is not valid"),
    BAD_FORMAT(400, "The stream format does not exist"),
    BAD_HISTORY(400, "The history count is not valid"),
    BAD_HEARTBEAT(400, "The heartbeat is not valid"),
    BAD_LIMIT(400, "The limit is not valid"),
    BAD_EVENT_ID(400, "The event id is not valid"),
    BAD_ACCEPT(400, "The Accept header is not valid"),
    TOKEN_IN_URL(400, "A token does not belong in the URL"),
    UNAUTHORIZED(401, "The call needs a token"),
    INVALID_TOKEN(401, "The token is not valid"),
    FORBIDDEN(403, "The token does not permit this"),
    OTHER_SENDER(403, "The token is for another sender"),
    NOT_FOUND(404, "The path does not exist"),
    METHOD_NOT_ALLOWED(405, "The path does not support this method"),
    NOT_ACCEPTABLE(406, "The call cannot answer in an accepted media type"),
    REQUEST_TOO_SLOW(408, "The request took too long"),
    TEXT_TOO_LARGE(413, "The text is too long"),
    REQUEST_TOO_LARGE(413, "The request body is too long"),
    URI_TOO_LONG(414, "The URI is too long"),
    UNSUPPORTED_MEDIA_TYPE(415, "The body has an unsupported media type"),
    UNSUPPORTED_ENCODING(415, "The body has an unsupported content encoding"),
    IDEMPOTENCY_KEY_REUSED(422, "The Idempotency-Key was used for another message"),
    TOO_MANY_REQUESTS(429, "The client sends too many requests"),
    TOO_MANY_HEADERS(431, "The request has too many headers"),
    INTERNAL_ERROR(500, "The server failed"),
    NOT_IMPLEMENTED(501, "The transfer coding is not supported"),
    OVERLOADED(503, "The server holds too much for its clients"),
    TOO_MANY_REVOCATIONS(503, "The limit of revocations is reached"),
    UNAVAILABLE(503, "The message broker, or the issuer of the token, does not answer");

    private final int status;
    private final String title;

    ErrorCode(int status, String title) {
        this.status = status;
        this.title = title;
    }

    /** Finds the code that is written like this, such as {@code bad-room}. */
    public static Optional<ErrorCode> named(String code) {
        return Arrays.stream(values()).filter(known -> known.code().equals(code)).findAny();
    }

    /** The word in the field {@code code}, such as {@code bad-room}. */
    public String code() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The URI in the field {@code type} (RFC 9457 §3.1.1): a name, not an address to fetch. */
    public String type() {
        return "urn:parley:problem:" + code();
    }

    /** The HTTP status of the answer. */
    public int status() {
        return status;
    }

    /** A short description for people, the same for every occurrence. */
    public String title() {
        return title;
    }
}
