package dev.parley.delivery;

import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.message.EventId;
import dev.parley.message.StoredMessage;
import java.io.ByteArrayOutputStream;
import java.util.Optional;

/**
 * One page of the broker's history for a reader that its room's ring has left behind. Ends when the
 * reader is back in its log, perhaps to be left behind again, and is forgotten then. Lives on the
 * reader's event loop.
 */
final class Replay {

    /** Messages that are asked for at a time. */
    private static final int PAGE = 256;

    private final Subscriber subscriber;
    private final LiveRoom room;
    private final FrameEncoder encoder;
    private final HubMeters meters;
    private final RoomLog log;
    private final int rejoins;

    /**
     * How far the room was when the page was asked for. What came after, only this reader would
     * know, and the room would not miss it if the broker lost it.
     */
    private final long end;

    private long cursor;

    /**
     * @param log that the reader is in
     * @param cursor where it is
     */
    Replay(
            Subscriber subscriber,
            LiveRoom room,
            FrameEncoder encoder,
            HubMeters meters,
            RoomLog log,
            long cursor) {
        this.subscriber = subscriber;
        this.room = room;
        this.encoder = encoder;
        this.meters = meters;
        this.log = log;
        this.rejoins = room.rejoins();
        this.end = log.head();
        this.cursor = cursor;
    }

    /** Without an answer the reader stays where it is. */
    void read() {
        subscriber.whenDone(
                room.read(new Range.After(cursor, PAGE)), this::answered, subscriber::stay);
    }

    private void answered(Page page) {
        if (room.log() != log || room.rejoins() != rejoins) {
            subscriber.live(log, cursor);
        } else if (!page.epoch().equals(log.epoch()) || page.newest() <= cursor) {
            // The broker lost its log, and the room does not know it yet.
            subscriber.leave(new EventId(log.epoch(), cursor)).findAfterSync();
        } else if (page.oldest() > cursor + 1) {
            subscriber.end(DisconnectReason.SLOW_CONSUMER);
        } else {
            send(page);
            subscriber.live(log, cursor);
        }
    }

    private void send(Page page) {
        var bytes = new ByteArrayOutputStream();
        int count = gather(page, bytes);
        if (count == 0) {
            skipDeleted(page);
            return;
        }
        subscriber.write(bytes.toByteArray());
        meters.delivered(count, bytes.size());
        meters.replayed(count);
    }

    /** Encodes what follows the cursor, but not past where the room was. */
    private int gather(Page page, ByteArrayOutputStream bytes) {
        long before = cursor;
        for (StoredMessage message : page.messages()) {
            if (message.offset() == cursor + 1 && cursor < end) {
                bytes.writeBytes(encoder.message(message, subscriber.format()));
                cursor++;
            }
        }
        return (int) (cursor - before);
    }

    /** Somebody deleted messages from the midst of the broker's log. */
    private void skipDeleted(Page page) {
        Optional<EventId> next = page.messages().stream().findFirst().map(StoredMessage::id);
        var position = new EventId(page.epoch(), cursor);
        cursor = next.map(EventId::offset).orElse(page.newest() + 1) - 1;
        meters.gap();
        subscriber.write(encoder.position(new EventId(page.epoch(), cursor).toString()));
        subscriber.write(encoder.gap(new Gap(position.toString(), next, page.tail())));
    }
}
