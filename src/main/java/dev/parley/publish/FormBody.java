package dev.parley.publish;

import dev.parley.message.InvalidRequest;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A submission in an {@code application/x-www-form-urlencoded} body (WHATWG URL §5), in UTF-8.
 *
 * <p>Read here, since the framework never answers a request whose form has a broken percent escape.
 */
final class FormBody {

    private FormBody() {}

    static SendFields submission(byte[] body) {
        return submission(new String(body, StandardCharsets.ISO_8859_1));
    }

    /**
     * @param encoded the bytes as Latin-1, in which a character is a byte: they become text
     *     together with those that are escaped
     */
    static SendFields submission(String encoded) {
        Map<String, List<String>> fields = fields(encoded);
        return new SendFields(
                first(fields, "msg"),
                first(fields, "room"),
                first(fields, "from"),
                first(fields, "event"));
    }

    private static Map<String, List<String>> fields(String encoded) {
        try {
            return new QueryStringDecoder(encoded, StandardCharsets.ISO_8859_1, false).parameters();
        } catch (IllegalArgumentException e) {
            throw new InvalidRequest(
                    "bad form: a % stands before two hexadecimal digits, or is %25");
        }
    }

    private static @Nullable String first(Map<String, List<String>> fields, String name) {
        List<String> values = fields.getOrDefault(name, List.of());
        return values.isEmpty() ? null : utf8(name, values.get(0));
    }

    private static String utf8(String name, String latin1) {
        return Utf8.decode(name, latin1.getBytes(StandardCharsets.ISO_8859_1));
    }
}
