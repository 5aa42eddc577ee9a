package dev.parley.access;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.parley.message.Room;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Takes rights away before the tokens end that gave them: those of one person, of one token, for
 * one room, or all that were given before some time. If it names several of these, all of them must
 * apply.
 *
 * @param subject the person, by {@link Person#subject}
 * @param issuer that person's issuer; any if empty
 * @param tokenId the token, by {@link VerifiedToken#id}
 * @param room the only room that is concerned; every room if empty
 * @param issuedBefore only tokens from before this time are concerned; all if empty
 */
record Revocation(
        Optional<String> subject,
        Optional<String> issuer,
        Optional<String> tokenId,
        Optional<Room> room,
        Optional<Instant> issuedBefore) {

    private static final JsonFactory JSON = new JsonFactory();

    /**
     * @throws IllegalArgumentException if it concerns everything
     */
    Revocation {
        if (subject.isEmpty() && tokenId.isEmpty() && room.isEmpty() && issuedBefore.isEmpty()) {
            throw new IllegalArgumentException("a revocation says what it is for");
        }
    }

    // Written out, since a native executable interprets what the compiler generates for a record.
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Revocation same
                && subject.equals(same.subject)
                && issuer.equals(same.issuer)
                && tokenId.equals(same.tokenId)
                && room.equals(same.room)
                && issuedBefore.equals(same.issuedBefore);
    }

    @Override
    public int hashCode() {
        return Objects.hash(subject, issuer, tokenId, room, issuedBefore);
    }

    /** Tells whether it concerns what a token permits, in the room of it or in every room. */
    boolean concerns(VerifiedToken token) {
        return subject.map(token.person().subject()::equals).orElse(true)
                && issuer.map(token.person().issuer()::equals).orElse(true)
                && tokenId.map(revoked -> token.id().equals(Optional.of(revoked))).orElse(true)
                && issuedBefore.map(token.issued()::isBefore).orElse(true);
    }

    /** Tells whether it concerns a stream of a token that reads these rooms. */
    boolean concerns(VerifiedToken token, List<Room> rooms) {
        return room.map(rooms::contains).orElse(true) && concerns(token);
    }

    /** Writes it as a JSON object, the same each time. */
    String toJson() {
        var written = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(written)) {
            json.writeStartObject();
            write(json, "sub", subject);
            write(json, "iss", issuer);
            write(json, "jti", tokenId);
            write(json, "room", room.map(Room::name));
            write(json, "issued_before", issuedBefore.map(Instant::toString));
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return written.toString();
    }

    private static void write(JsonGenerator json, String name, Optional<String> value)
            throws IOException {
        if (value.isPresent()) {
            json.writeStringField(name, value.get());
        }
    }

    /**
     * Reads what {@link #toJson} wrote.
     *
     * @return empty if it is anything else
     */
    static Optional<Revocation> fromJson(String written) {
        Map<String, String> fields = new HashMap<>();
        try (JsonParser json = JSON.createParser(written)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                return Optional.empty();
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                if (json.nextToken() != JsonToken.VALUE_STRING) {
                    return Optional.empty();
                }
                fields.put(name, json.getText());
            }
            return Optional.of(
                    new Revocation(
                            Optional.ofNullable(fields.get("sub")),
                            Optional.ofNullable(fields.get("iss")),
                            Optional.ofNullable(fields.get("jti")),
                            Optional.ofNullable(fields.get("room")).map(Room::new),
                            Optional.ofNullable(fields.get("issued_before")).map(Instant::parse)));
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
    }
}
