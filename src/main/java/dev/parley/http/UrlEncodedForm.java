package dev.parley.http;

import io.netty.handler.codec.http.QueryStringDecoder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Reads the fields of a form or a query, {@code application/x-www-form-urlencoded}. */
public final class UrlEncodedForm {

    /**
     * Most fields of a form or a query. One with more is refused, because the field that would be
     * cut off could be the room.
     */
    public static final int MAX_FIELDS = 1024;

    private UrlEncodedForm() {}

    /**
     * Reads the fields of a body in UTF-8.
     *
     * @param most the longest body, in bytes
     * @return the values of each field, in their order
     * @throws RefusedRequest if it is too long or cannot be decoded
     */
    public static Map<String, List<String>> readBody(byte[] body, int most) {
        if (body.length > most) {
            throw RefusedRequest.tooLarge(most);
        }
        return read(new String(body, StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    }

    /**
     * Reads the fields. Only {@code &} separates them: a semicolon is a character like any other,
     * and so is {@code #}, at which the decoder would stop (WHATWG URL §5.1).
     *
     * @param charset of the bytes that the percent escapes stand for
     * @return the values of each field, in their order
     * @throws RefusedRequest if there are too many fields, or a percent escape is broken
     */
    public static Map<String, List<String>> read(String encoded, Charset charset) {
        int separators = 0;
        for (int i = encoded.indexOf('&'); i >= 0; i = encoded.indexOf('&', i + 1)) {
            separators++;
        }
        if (separators >= MAX_FIELDS) {
            throw tooManyFields();
        }
        try {
            return new QueryStringDecoder(
                            encoded.replace("#", "%23"), charset, false, MAX_FIELDS, true)
                    .parameters();
        } catch (IllegalArgumentException e) {
            throw new RefusedRequest(
                    ErrorCode.BAD_FORM,
                    "bad form: a % is not followed by two hexadecimal digits; write it as %25");
        }
    }

    /** Returns the refusal of a form with more than {@link #MAX_FIELDS} fields. */
    public static RefusedRequest tooManyFields() {
        return new RefusedRequest(
                ErrorCode.BAD_FORM, "bad form: it has more than " + MAX_FIELDS + " fields");
    }
}
