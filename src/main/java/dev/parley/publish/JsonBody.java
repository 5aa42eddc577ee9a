package dev.parley.publish;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.parley.message.InvalidRequest;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A submission in a JSON body: an object whose fields are strings. Refused, not repaired, when a
 * field is something else or stands twice, or something follows; fields that mean nothing are left
 * alone.
 */
final class JsonBody {

    private static final JsonMapper JSON =
            JsonMapper.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();

    private JsonBody() {}

    static SendFields submission(byte[] body) {
        JsonNode object = object(Utf8.decode("JSON", body));
        return new SendFields(
                field(object, "msg"),
                field(object, "room"),
                field(object, "from"),
                field(object, "event"));
    }

    private static JsonNode object(String text) {
        try {
            JsonNode json = JSON.readTree(text);
            if (json.isObject()) {
                return json;
            }
        } catch (IOException e) {
            // Said below: the parser's own words are about characters and columns.
        }
        throw new InvalidRequest(
                "malformed JSON: an object such as {\"msg\": \"hello\"} is expected");
    }

    private static @Nullable String field(JsonNode object, String name) {
        JsonNode value = object.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return null;
        }
        if (!value.isTextual()) {
            throw new InvalidRequest("malformed JSON: " + name + " is a string");
        }
        return value.textValue();
    }
}
