package dev.parley.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.handler.codec.http.QueryStringDecoder;
import io.vertx.core.http.HttpServerRequest;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads the fields of a form or a query, {@code application/x-www-form-urlencoded}. */
public final class UrlEncodedForm {

    /**
     * Most fields of a form or a query. One with more is refused, because the field that would be
     * cut off could be the room.
     */
    public static final int MAX_FIELDS = 1024;

    /** How a form is labelled. Browsers call a text that a page sends with fetch text/plain. */
    private static final List<MediaType> FORMS =
            List.of(MediaType.APPLICATION_FORM_URLENCODED_TYPE, MediaType.TEXT_PLAIN_TYPE);

    private UrlEncodedForm() {}

    /**
     * Reads the fields of a request's body, in the coding and character encoding that its headers
     * name, UTF-8 if they name none.
     *
     * @param most the longest body, in bytes
     * @return the values of each field, in their order
     * @throws RefusedRequest if it is too long, is not a form, or cannot be decoded
     */
    public static Map<String, List<String>> readBody(
            HttpServerRequest request, byte[] body, int most) {
        if (body.length > most) {
            throw RefusedRequest.tooLarge(most);
        }
        if (body.length == 0) {
            return Map.of();
        }
        String type = request.getHeader(HttpHeaders.CONTENT_TYPE);
        MediaType known = type == null ? null : MediaType.valueOf(type);
        if (known != null && FORMS.stream().noneMatch(known::isCompatible)) {
            throw new RefusedRequest(
                    ErrorCode.UNSUPPORTED_MEDIA_TYPE,
                    "unsupported media type: "
                            + MediaType.APPLICATION_FORM_URLENCODED
                            + " is expected");
        }
        TextEncoding encoding = TextEncoding.of(known);
        byte[] plain = ContentCoding.decode(request, body, most);
        return read(encoding.body(plain, ErrorCode.BAD_FORM));
    }

    /**
     * Reads the fields of a form. The bytes of a value are decoded together with those that its
     * percent escapes mean.
     */
    private static Map<String, List<String>> read(TextEncoding.Body form) {
        Map<String, List<String>> fields = new LinkedHashMap<>();
        // As Latin-1, in which one character is one byte.
        read(new String(form.bytes(), ISO_8859_1), ISO_8859_1)
                .forEach(
                        (name, values) ->
                                fields.put(
                                        name,
                                        values.stream()
                                                .map(value -> value.getBytes(ISO_8859_1))
                                                .map(
                                                        bytes ->
                                                                form.encoding()
                                                                        .decode(
                                                                                "form",
                                                                                ErrorCode.BAD_FORM,
                                                                                bytes))
                                                .toList()));
        return fields;
    }

    /** Reads the fields of a request's query, in UTF-8. */
    public static Map<String, List<String>> readQuery(HttpServerRequest request) {
        String query = request.query();
        return query == null ? Map.of() : read(query, StandardCharsets.UTF_8);
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
