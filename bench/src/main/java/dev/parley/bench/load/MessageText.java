package dev.parley.bench.load;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The text of a measured message: {@code @}, the number of its publisher (3 digits), the message's
 * number among that publisher's (9), when it was due in nanoseconds of the load client's clock
 * (16), and padding.
 */
final class MessageText {

    static final int MIN_SIZE = 29;
    static final byte FIRST = '@';

    private static final long EPOCH = System.nanoTime();

    private MessageText() {}

    /** Nanoseconds since this class was loaded: the load client's clock. */
    static long now() {
        return System.nanoTime() - EPOCH;
    }

    /** A text of this many bytes whose numbers are still to be filled in. */
    static byte[] blank(int size) {
        byte[] text = new byte[Math.max(size, MIN_SIZE)];
        Arrays.fill(text, (byte) 'x');
        text[0] = FIRST;
        return text;
    }

    static void fill(byte[] into, int at, int publisher, int number, long due) {
        digits(into, at + 1, 3, publisher);
        digits(into, at + 4, 9, number);
        digits(into, at + 13, 16, due);
    }

    static int publisher(byte[] bytes, int at) {
        return (int) number(bytes, at + 1, 3);
    }

    static int number(byte[] bytes, int at) {
        return (int) number(bytes, at + 4, 9);
    }

    static long due(byte[] bytes, int at) {
        return number(bytes, at + 13, 16);
    }

    private static void digits(byte[] into, int at, int count, long value) {
        long rest = value;
        for (int i = at + count - 1; i >= at; i--) {
            into[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
    }

    private static long number(byte[] bytes, int at, int count) {
        long value = 0;
        for (int i = at; i < at + count; i++) {
            int digit = bytes[i] - '0';
            if (digit < 0 || digit > 9) {
                throw new IllegalStateException(
                        "not a message of this benchmark: "
                                + new String(bytes, at, count, StandardCharsets.ISO_8859_1));
            }
            value = value * 10 + digit;
        }
        return value;
    }
}
