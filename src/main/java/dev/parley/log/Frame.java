package dev.parley.log;

import dev.parley.message.StoredMessage;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * A message of a log, and its encoded bytes, which all cursors share. A format is encoded when it
 * is first asked for. Two threads that ask at the same moment may both encode it; the results are
 * equal.
 */
public final class Frame {

    /** Heap of a frame without text and bytes: objects, the ring's slot. */
    private static final int OVERHEAD_BYTES = 280;

    private static final int FORMATS = Format.values().length;

    private final StoredMessage message;
    private final FrameEncoder encoder;
    private final AtomicReferenceArray<byte @Nullable []> encoded =
            new AtomicReferenceArray<>(FORMATS);

    public Frame(StoredMessage message, FrameEncoder encoder) {
        this.message = message;
        this.encoder = encoder;
    }

    public StoredMessage message() {
        return message;
    }

    public long offset() {
        return message.offset();
    }

    /** Returns the message in this format. The caller must not change the bytes. */
    @SuppressWarnings("EnumOrdinal") // The array is made for this very enum, and never stored.
    public byte[] bytes(Format format) {
        byte[] known = encoded.get(format.ordinal());
        if (known != null) {
            return known;
        }
        byte[] made = encoder.message(message, format);
        encoded.set(format.ordinal(), made);
        return made;
    }

    /**
     * Estimates the heap held at most, from the length of the text: the text itself, in up to two
     * bytes a character, and once more in each of two formats.
     */
    long cost() {
        return OVERHEAD_BYTES + 4L * message.message().text().length();
    }
}
