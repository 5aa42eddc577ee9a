package dev.parley.testsupport;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;

/** A clock, and a count of the time that passes, which change only when the test says so. */
public final class SettableClock extends Clock {

    private volatile Instant now;
    private volatile long passedNanos;

    private SettableClock(Instant now) {
        this.now = now;
    }

    /** A clock that shows the current time, to the millisecond. */
    public static SettableClock stoppedNow() {
        return new SettableClock(Instant.now().truncatedTo(ChronoUnit.MILLIS));
    }

    /** Lets time pass. */
    public synchronized void advance(Duration time) {
        now = now.plus(time);
        passedNanos += time.toNanos();
    }

    /** Sets the clock ahead; no time passes. */
    public synchronized void setAhead(Duration difference) {
        now = now.plus(difference);
    }

    /** Sets the clock back; no time passes. */
    public synchronized void setBack(Duration difference) {
        now = now.minus(difference);
    }

    /** Returns the nanoseconds that have passed, as {@link System#nanoTime} would. */
    public long nanoTime() {
        return passedNanos;
    }

    @Override
    public Instant instant() {
        return now;
    }

    @Override
    public ZoneId getZone() {
        return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
        return this;
    }
}
