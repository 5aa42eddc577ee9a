package dev.parley.http;

import jakarta.ws.rs.core.MediaType;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A character encoding that a body may be in. Decoding is strict: bytes that are not valid are
 * refused, not repaired.
 */
public enum TextEncoding {
    UTF_8("UTF-8", StandardCharsets.UTF_8, "utf-8", "utf8"),
    US_ASCII("US-ASCII", StandardCharsets.US_ASCII, "us-ascii", "ascii"),
    /** Also what is labelled ISO-8859-1, as in browsers (WHATWG Encoding §4.2). */
    WINDOWS_1252(
            "windows-1252",
            StandardCharsets.ISO_8859_1,
            "windows-1252",
            "cp1252",
            "iso-8859-1",
            "latin1"),
    /** Big-endian without a byte order mark (RFC 2781 §4.3). */
    UTF_16("UTF-16", StandardCharsets.UTF_16, "utf-16"),
    UTF_16BE("UTF-16BE", StandardCharsets.UTF_16BE, "utf-16be"),
    UTF_16LE("UTF-16LE", StandardCharsets.UTF_16LE, "utf-16le");

    /** The characters of the bytes 80 to 9F in windows-1252; ISO-8859-1 has controls there. */
    private static final String HIGH_CONTROLS =
            "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";

    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private final String label;
    private final Charset charset;

    @SuppressWarnings("ImmutableEnumChecker") // List.of makes it immutable.
    private final List<String> names;

    TextEncoding(String label, Charset charset, String... names) {
        this.label = label;
        this.charset = charset;
        this.names = List.of(names);
    }

    /** The bytes of a body in an encoding in which ASCII is one byte a character. */
    @SuppressWarnings("ArrayRecordComponent") // Passed on at once, and never compared.
    public record Body(byte[] bytes, TextEncoding encoding) {}

    /**
     * Returns the encoding of a body, UTF-8 if its type names none.
     *
     * @throws RefusedRequest if it names one that is not known
     */
    public static TextEncoding of(@Nullable MediaType type) {
        String named = type == null ? null : type.getParameters().get(MediaType.CHARSET_PARAMETER);
        if (named == null) {
            return UTF_8;
        }
        String name = named.replace("\"", "").strip().toLowerCase(Locale.ROOT);
        return Arrays.stream(values())
                .filter(encoding -> encoding.names.contains(name))
                .findAny()
                .orElseThrow(
                        () ->
                                new RefusedRequest(
                                        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
                                        "unsupported media type: the charset is not one of utf-8,"
                                                + " us-ascii, iso-8859-1, windows-1252, utf-16,"
                                                + " utf-16be, utf-16le"));
    }

    /**
     * Removes a byte order mark, and turns UTF-16 into UTF-8, so that the syntax of a form can be
     * found in the bytes.
     *
     * @param code of the refusal if the bytes are not valid
     */
    public Body body(byte[] bytes, ErrorCode code) {
        return switch (this) {
            case UTF_8 -> new Body(withoutMark(bytes), UTF_8);
            case US_ASCII, WINDOWS_1252 -> new Body(bytes, this);
            case UTF_16, UTF_16BE, UTF_16LE -> {
                String text = decode("body", code, bytes);
                boolean marked = !text.isEmpty() && text.charAt(0) == BYTE_ORDER_MARK;
                yield new Body(
                        (marked && this != UTF_16 ? text.substring(1) : text)
                                .getBytes(StandardCharsets.UTF_8),
                        UTF_8);
            }
        };
    }

    /**
     * Decodes bytes.
     *
     * @param name of what they are, for the error
     * @throws RefusedRequest if they are not valid
     */
    public String decode(String name, ErrorCode code, byte[] bytes) {
        if (!isUtf16() && isAscii(bytes)) {
            return new String(bytes, StandardCharsets.US_ASCII);
        }
        try {
            String text = charset.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            return this == WINDOWS_1252 ? withHighControls(text) : text;
        } catch (CharacterCodingException e) {
            throw new RefusedRequest(code, "bad " + name + ": the bytes are not valid " + label);
        }
    }

    private boolean isUtf16() {
        return this == UTF_16 || this == UTF_16BE || this == UTF_16LE;
    }

    private static boolean isAscii(byte[] bytes) {
        for (byte b : bytes) {
            if (b < 0) {
                return false;
            }
        }
        return true;
    }

    private static String withHighControls(String latin1) {
        var text = new StringBuilder(latin1);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= '\u0080' && c <= '\u009f') {
                text.setCharAt(i, HIGH_CONTROLS.charAt(c - '\u0080'));
            }
        }
        return text.toString();
    }

    private static byte[] withoutMark(byte[] utf8) {
        boolean marked =
                utf8.length >= 3
                        && utf8[0] == (byte) 0xEF
                        && utf8[1] == (byte) 0xBB
                        && utf8[2] == (byte) 0xBF;
        return marked ? Arrays.copyOfRange(utf8, 3, utf8.length) : utf8;
    }
}
