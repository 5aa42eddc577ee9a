package dev.parley.log;

import dev.parley.message.StoredMessage;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * A message as the bytes of a stream, encoded once per format however many readers it has. The
 * bytes are made when a format is first asked for; two threads that ask at the same moment may both
 * make them, and the results are equal.
 */
public final class Frame {

    /** What a frame costs beside its bytes: objects, message, the ring's slot. */
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

    /** Returns the message in this format; the bytes must not be changed. */
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
