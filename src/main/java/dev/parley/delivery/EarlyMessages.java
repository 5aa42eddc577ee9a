package dev.parley.delivery;

import dev.parley.message.StoredMessage;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Messages that arrived before the ones they follow. Not thread-safe. */
final class EarlyMessages {

    /** Messages that may wait; more are simply read again. */
    private static final int MAX = 512;

    private final TreeMap<Long, StoredMessage> byOffset = new TreeMap<>();

    void keep(StoredMessage message) {
        if (byOffset.size() < MAX) {
            byOffset.put(message.offset(), message);
        }
    }

    /**
     * Takes the message that follows this offset out, and those up to it; null if it is missing.
     */
    @Nullable StoredMessage takeAfter(long offset) {
        while (!byOffset.isEmpty() && byOffset.firstKey() <= offset + 1) {
            StoredMessage first = byOffset.pollFirstEntry().getValue();
            if (first.offset() == offset + 1) {
                return first;
            }
        }
        return null;
    }

    void clear() {
        byOffset.clear();
    }
}
