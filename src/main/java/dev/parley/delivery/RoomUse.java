package dev.parley.delivery;

import java.time.Duration;

/** How many readers hold a room, and since when none does. Changed under the hub's map only. */
final class RoomUse {

    private final LiveRoom room;
    private int readers;
    private long idleSinceNanos;
    private long auditedNanos;

    RoomUse(LiveRoom room, long nowNanos) {
        this.room = room;
        this.auditedNanos = nowNanos;
    }

    LiveRoom room() {
        return room;
    }

    void acquire() {
        readers++;
    }

    void release(long nowNanos) {
        readers--;
        idleSinceNanos = nowNanos;
    }

    boolean isIdleFor(Duration linger, long nowNanos) {
        return readers == 0 && nowNanos - idleSinceNanos >= linger.toNanos();
    }

    /**
     * Whether it is time to compare the room with the broker; if so, the next time is counted from
     * now.
     */
    boolean isAuditDue(Duration interval, long nowNanos) {
        if (nowNanos - auditedNanos < interval.toNanos()) {
            return false;
        }
        auditedNanos = nowNanos;
        return true;
    }
}
