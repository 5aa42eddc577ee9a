package dev.parley.publish;

import dev.parley.message.InvalidRequest;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** UTF-8 that is refused, not repaired, when it is broken. */
final class Utf8 {

    private Utf8() {}

    /**
     * @param name what the bytes are, for the error
     * @throws InvalidRequest if they are not UTF-8
     */
    static String decode(String name, byte[] bytes) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new InvalidRequest("bad " + name + ": it is not UTF-8");
        }
    }

    /**
     * Bytes that the text has.
     *
     * @throws InvalidRequest if it has half of a surrogate pair, which is no character
     */
    static int length(String name, String text) {
        try {
            return StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text)).remaining();
        } catch (CharacterCodingException e) {
            throw new InvalidRequest("bad " + name + ": it holds half of a surrogate pair");
        }
    }
}
