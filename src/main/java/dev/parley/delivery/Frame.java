package dev.parley.delivery;

import dev.parley.message.StoredMessage;
import org.jspecify.annotations.Nullable;

/**
 * A message as the bytes of a stream, encoded once however many readers it has. Immutable to the
 * eye: a format's bytes are made when first asked for, and two threads that both ask may both make
 * the same.
 */
final class Frame {

    /** What a frame costs beside its bytes: objects, message, the ring's slot. */
    private static final int OVERHEAD_BYTES = 250;

    private final StoredMessage message;
    private final FrameEncoder encoder;
    private volatile byte @Nullable [] text;
    private volatile byte @Nullable [] json;

    Frame(StoredMessage message, FrameEncoder encoder) {
        this.message = message;
        this.encoder = encoder;
    }

    StoredMessage message() {
        return message;
    }

    long offset() {
        return message.offset();
    }

    byte[] bytes(Format format) {
        byte[] known = format == Format.TEXT ? text : json;
        if (known != null) {
            return known;
        }
        byte[] encoded = encoder.message(message, format);
        if (format == Format.TEXT) {
            text = encoded;
        } else {
            json = encoded;
        }
        return encoded;
    }

    /**
     * Heap held at most, estimated from the text: it stands here once as such and once a format.
     */
    long cost() {
        return OVERHEAD_BYTES + 4L * message.message().text().length();
    }
}
