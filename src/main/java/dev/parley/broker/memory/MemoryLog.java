package dev.parley.broker.memory;

import dev.parley.broker.Broker.IdempotencyKey;
import dev.parley.broker.Broker.PublishRequest;
import dev.parley.broker.Broker.Receipt;
import dev.parley.broker.Epochs;
import dev.parley.broker.HistoryBounds;
import dev.parley.broker.IdempotencyKeyReused;
import dev.parley.broker.Lineage;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.MessageJson;
import dev.parley.message.MessageSize;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** One room's log, and the receipts of its idempotency keys. Not thread-safe. */
final class MemoryLog {

    /** Estimated heap of a message without its values. */
    private static final int MESSAGE_BYTES = 240;

    /** Estimated heap of a log without messages, with what the broker keeps for its room. */
    private static final int LOG_BYTES = 450;

    /** Estimated heap of a receipt with the longest key and sender. */
    private static final int RECEIPT_BYTES = 600;

    /** Bytes of bodies in one page: bounds the memory of a reader that catches up. */
    private static final long PAGE_BYTES = 256 * 1024;

    private final HistoryBounds bounds;
    private final Duration receiptAge;
    private final Clock clock;
    private final LongSupplier nanoTime;
    private final ArrayDeque<Entry> messages = new ArrayDeque<>();

    /** The receipts that can still be asked for, oldest first. */
    private final Map<ReceiptKey, GivenReceipt> receipts = new LinkedHashMap<>();

    private String epoch;
    private long newest;
    private long bytes = LOG_BYTES;

    /** Bytes of the retained messages' bodies. */
    private long bodyBytes;

    /**
     * A message and its weight.
     *
     * @param bodyBytes length of its body in UTF-8, which is what Redis would store
     */
    private record Entry(StoredMessage stored, int bodyBytes) {

        static Entry of(StoredMessage stored) {
            String body = MessageJson.writeBody(stored.message());
            return new Entry(stored, body.getBytes(StandardCharsets.UTF_8).length);
        }

        /** Heap held, estimated. */
        long heap() {
            return MESSAGE_BYTES + MessageSize.heap(stored.message());
        }
    }

    /**
     * An idempotency key and the sender of the message: two senders may use the same key for
     * different messages.
     *
     * @param sender as {@link PublishRequest#sender}
     */
    private record ReceiptKey(String key, String sender) {

        static ReceiptKey of(IdempotencyKey key, String sender) {
            return new ReceiptKey(key.value(), sender);
        }

        // Written out, since a native executable interprets what the compiler
        // generates for a record.
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof ReceiptKey same
                    && key.equals(same.key)
                    && sender.equals(same.sender);
        }

        @Override
        public int hashCode() {
            return 31 * key.hashCode() + sender.hashCode();
        }
    }

    /**
     * A receipt and what it certifies. It keeps no text: a message that was trimmed would stay in
     * memory, uncounted, for as long as its receipt.
     *
     * @param digest of the message's body
     * @param atNanos by {@link #nanoTime}: by a clock that is set ahead by an hour, all receipts
     *     would be too old, and repeats be published twice
     */
    private record GivenReceipt(EventId id, String digest, long atNanos) {}

    /**
     * @param nanoTime for the time that passes, as {@link System#nanoTime}
     */
    MemoryLog(
            String epoch,
            HistoryBounds bounds,
            Duration receiptAge,
            Clock clock,
            LongSupplier nanoTime) {
        this.epoch = epoch;
        this.bounds = bounds;
        this.receiptAge = receiptAge;
        this.clock = clock;
        this.nanoTime = nanoTime;
    }

    String epoch() {
        return epoch;
    }

    /** Returns the estimated heap of messages and receipts. */
    long bytes() {
        return bytes;
    }

    /** Returns how many messages are retained. */
    int messages() {
        return messages.size();
    }

    /** Returns how many receipts can be asked for. */
    int receipts() {
        return receipts.size();
    }

    /** Drops the messages and receipts that are too old. */
    void dropExpired() {
        dropTooOld(clock.instant());
        expireReceipts();
    }

    /**
     * Returns the receipt of the first publish under the request's key; null if there was none.
     *
     * @throws IdempotencyKeyReused if that publish was of another message
     */
    @Nullable Receipt receipt(PublishRequest request) {
        if (request.key().isEmpty()) {
            return null;
        }
        expireReceipts();
        GivenReceipt given = receipts.get(ReceiptKey.of(request.key().get(), request.sender()));
        if (given == null) {
            return null;
        }
        if (!given.digest().equals(digest(request.message()))) {
            throw new IdempotencyKeyReused();
        }
        return new Receipt(given.id(), true);
    }

    StoredMessage append(PublishRequest request) {
        // A publish without a key does not look a receipt up, and expired ones would count.
        expireReceipts();
        var stored = new StoredMessage(new EventId(epoch, ++newest), request.message());
        var entry = Entry.of(stored);
        messages.add(entry);
        count(entry, 1);
        request.key().ifPresent(key -> remember(ReceiptKey.of(key, request.sender()), stored));
        trim();
        return stored;
    }

    /** Continues in a new epoch, with the same messages and the same count. */
    void endEpoch() {
        epoch = Epochs.next();
        for (int i = messages.size(); i > 0; i--) {
            Entry kept = messages.removeFirst();
            var id = new EventId(epoch, kept.stored().offset());
            messages.add(
                    new Entry(new StoredMessage(id, kept.stored().message()), kept.bodyBytes()));
        }
    }

    /** Tells whether {@link #dropOldest} would forget anything. */
    boolean canDropOldest() {
        return messages.size() > 1 || hasReceiptBefore(newest);
    }

    /**
     * Forgets the oldest receipt whose message is already gone. If there is none, forgets the
     * oldest message and its receipt, unless it is the only message.
     *
     * @return false if nothing was forgotten
     */
    boolean dropOldest() {
        if (!canDropOldest()) {
            return false;
        }
        long oldest = newest + 1 - messages.size();
        if (hasReceiptBefore(Math.min(oldest, newest))) {
            dropEldestReceipt();
            return true;
        }
        count(messages.removeFirst(), -1);
        if (hasReceiptBefore(oldest + 1)) {
            dropEldestReceipt();
        }
        return true;
    }

    private boolean hasReceiptBefore(long offset) {
        var eldest = receipts.values().iterator();
        return eldest.hasNext() && eldest.next().id().offset() < offset;
    }

    private void dropEldestReceipt() {
        var eldest = receipts.values().iterator();
        eldest.next();
        eldest.remove();
        bytes -= RECEIPT_BYTES;
    }

    /** Drops what is too old, and reads a page of the messages that are left. */
    Page page(Range range) {
        Instant now = clock.instant();
        dropTooOld(now);
        expireReceipts();
        long oldest = newest + 1 - messages.size();
        return new Page(Lineage.of(epoch), oldest, newest, select(range), now);
    }

    private List<StoredMessage> select(Range range) {
        List<StoredMessage> selected = new ArrayList<>();
        if (range instanceof Range.After after) {
            collect(messages.iterator(), skipped(after.offset()), range.limit(), selected);
        } else if (range instanceof Range.Before before) {
            long skipped = Math.max(0, newest + 1 - before.offset());
            collect(messages.descendingIterator(), skipped, range.limit(), selected);
            Collections.reverse(selected);
        }
        return selected;
    }

    /** Returns how many of the retained messages are not after an offset. */
    private long skipped(long after) {
        return Math.max(0, after - (newest - messages.size()));
    }

    private static void collect(
            Iterator<Entry> from, long skipped, int limit, List<StoredMessage> into) {
        for (long i = 0; i < skipped && from.hasNext(); i++) {
            from.next();
        }
        long bytes = 0;
        while (into.size() < limit && (bytes < PAGE_BYTES || into.size() < 2) && from.hasNext()) {
            Entry next = from.next();
            into.add(next.stored());
            bytes += next.bodyBytes();
        }
    }

    private void remember(ReceiptKey key, StoredMessage stored) {
        receipts.put(
                key, new GivenReceipt(stored.id(), digest(stored.message()), nanoTime.getAsLong()));
        bytes += RECEIPT_BYTES;
    }

    private static String digest(Message message) {
        byte[] body = MessageJson.writeBody(message).getBytes(StandardCharsets.UTF_8);
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private void expireReceipts() {
        long now = nanoTime.getAsLong();
        var oldest = receipts.values().iterator();
        while (oldest.hasNext() && isExpired(oldest.next(), now)) {
            oldest.remove();
            bytes -= RECEIPT_BYTES;
        }
    }

    private boolean isExpired(GivenReceipt given, long nowNanos) {
        return Duration.ofNanos(nowNanos - given.atNanos()).compareTo(receiptAge) >= 0;
    }

    private void trim() {
        while (messages.size() > bounds.size()
                || (messages.size() > 1 && bodyBytes > bounds.bytes())) {
            count(messages.removeFirst(), -1);
        }
        dropTooOld(clock.instant());
    }

    private void dropTooOld(Instant now) {
        Instant tooOld = now.minus(bounds.age());
        while (!messages.isEmpty()
                && !messages.getFirst().stored().message().at().isAfter(tooOld)) {
            count(messages.removeFirst(), -1);
        }
    }

    private void count(Entry entry, int sign) {
        bytes += sign * entry.heap();
        bodyBytes += sign * (long) entry.bodyBytes();
    }
}
