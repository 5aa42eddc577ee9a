package dev.parley.delivery;

import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.message.EventId;
import io.smallrye.mutiny.Uni;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * One search for a reader's place: from what it gave as its start to a cursor in its room's log,
 * and the words that tell it where it is. Ends when the reader is live or is let go, and is
 * forgotten then.
 *
 * <p>The log of the pod answers if it reaches back far enough, else the broker does; its answer
 * counts only if the room did not change meanwhile. Lives on the reader's event loop.
 */
final class Placement {

    /** How often a place is looked for again because the room changed meanwhile. */
    private static final int MAX_ATTEMPTS = 5;

    private final Subscriber subscriber;
    private final LiveRoom room;
    private final FrameEncoder encoder;
    private final HubMeters meters;
    private final Start start;
    private int attempt = 1;

    Placement(
            Subscriber subscriber,
            LiveRoom room,
            FrameEncoder encoder,
            HubMeters meters,
            Start start) {
        this.subscriber = subscriber;
        this.room = room;
        this.encoder = encoder;
        this.meters = meters;
        this.start = start;
    }

    /** Of a new reader, once the room is open. */
    void find() {
        RoomLog current = room.log();
        if (start instanceof Start.Tail) {
            begin(current, current.head());
        } else if (start instanceof Start.Newest newest) {
            findNewest(current, newest);
        } else if (start instanceof Start.After after) {
            findAfter(current, after.position());
        } else if (start instanceof Start.Unknown unknown) {
            lookUp(0, page -> gap(current, unknown.written(), page));
        }
    }

    /**
     * Of a reader whose log was started anew: nothing to say if the new one goes on where it is,
     * else a gap.
     */
    void findInNewLog(EventId position) {
        RoomLog current = room.log();
        if (covers(current, position)) {
            subscriber.live(current, position.offset());
        } else {
            lookUp(position.offset(), page -> continueOrGap(room.log(), position, page));
        }
    }

    /** After the room was compared with the broker. */
    void findAfterSync() {
        if (attempt == MAX_ATTEMPTS) {
            subscriber.end(DisconnectReason.UNAVAILABLE);
            return;
        }
        attempt++;
        subscriber.whenDone(Uni.createFrom().completionStage(room::sync), synced -> find());
    }

    private void findNewest(RoomLog current, Start.Newest newest) {
        long from = Math.max(0, current.head() - newest.count());
        if (current.reaches(from)) {
            begin(current, from);
        } else {
            lookUp(from, page -> begin(current, Math.max(from, page.oldest() - 1)));
        }
    }

    private void findAfter(RoomLog current, EventId position) {
        if (covers(current, position)) {
            resume(current, position, current.head());
        } else if (attempt == 1 && isAhead(current, position)) {
            findAfterSync();
        } else {
            lookUp(position.offset(), page -> resumeOrGap(current, position, page));
        }
    }

    private void resumeOrGap(RoomLog current, EventId position, Page page) {
        if (page.continues(position)) {
            room.expect(page.tail());
            resume(current, position, page.newest());
        } else {
            gap(current, position.toString(), page);
        }
    }

    private void continueOrGap(RoomLog current, EventId position, Page page) {
        if (page.continues(position)) {
            subscriber.live(current, position.offset());
        } else {
            gap(current, position.toString(), page);
        }
    }

    /** Whether a reader at this position finds the rest in this log. */
    private static boolean covers(RoomLog current, EventId position) {
        return position.epoch().equals(current.epoch())
                && position.offset() <= current.head()
                && current.reaches(position.offset());
    }

    /** Whether the position may be one that the pod has not heard of yet. */
    private static boolean isAhead(RoomLog current, EventId position) {
        return position.epoch().equals(current.epoch()) && position.offset() > current.head();
    }

    /**
     * Asks the broker about a place that the pod's log does not cover. The log has to lead there: a
     * reader is never ahead of its room.
     */
    private void lookUp(long after, Consumer<Page> decide) {
        RoomLog current = room.log();
        int rejoins = room.rejoins();
        subscriber.whenDone(
                room.read(new Range.After(after, 1)),
                page -> {
                    if (room.log() == current
                            && room.rejoins() == rejoins
                            && page.epoch().equals(current.epoch())
                            && page.oldest() <= current.head() + 1) {
                        decide.accept(page);
                    } else {
                        findAfterSync();
                    }
                });
    }

    private void begin(RoomLog current, long from) {
        subscriber.write(encoder.position(new EventId(current.epoch(), from).toString()));
        subscriber.live(current, from);
    }

    private void resume(RoomLog current, EventId position, long newest) {
        long missed = newest - position.offset();
        meters.resumed();
        subscriber.write(encoder.position(position.toString()));
        subscriber.write(encoder.resumed(position, missed));
        subscriber.live(current, position.offset());
    }

    private void gap(RoomLog current, String requested, Page page) {
        meters.gap();
        Optional<EventId> oldest =
                page.oldest() > page.newest()
                        ? Optional.empty()
                        : Optional.of(new EventId(page.epoch(), page.oldest()));
        long from = page.oldest() - 1;
        subscriber.write(encoder.position(new EventId(page.epoch(), from).toString()));
        subscriber.write(encoder.gap(new Gap(requested, oldest, page.tail())));
        room.expect(page.tail());
        subscriber.live(current, from);
    }
}
