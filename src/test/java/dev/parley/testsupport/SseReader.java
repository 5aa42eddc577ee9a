package dev.parley.testsupport;

import java.io.Closeable;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * An {@code EventSource} as a browser has it (WHATWG HTML §9.2), on one thread and one blocking
 * socket, that records all it is told and misbehaves on request.
 *
 * <p>With {@link SseReaderBuilder#reconnecting()} it comes back after the server's {@code retry:}
 * with {@code Last-Event-ID} whenever a connection ends or fails; any answer but a 200 event stream
 * ends it for good. Redirects count as such an answer.
 */
public final class SseReader implements Closeable {

    /** A dispatched event; {@code id} is the last event id at that moment. */
    public record Event(String id, String type, String data) {}

    private final SseRecord record;
    private final SseSession session;

    SseReader(SseReaderBuilder options) {
        record = new SseRecord(options.lastEventId);
        session = SseSession.start(options, record);
    }

    /** A reader of this stream that does not come back, connected. */
    public static SseReader open(URI uri) {
        return to(uri).open().awaitConnected();
    }

    /** A reader to be, of this stream. */
    public static SseReaderBuilder to(URI uri) {
        return new SseReaderBuilder(() -> uri);
    }

    /** A reader to be that asks before each connection where to go. */
    public static SseReaderBuilder to(Supplier<URI> uri) {
        return new SseReaderBuilder(uri);
    }

    // What was received.

    /** All events, of all connections. */
    public List<Event> events() {
        return record.events();
    }

    public List<Event> events(String type) {
        return record.events(type);
    }

    /** The events that reach {@code onmessage}. */
    public List<Event> messages() {
        return events("message");
    }

    /** The data of the events that reach {@code onmessage}. */
    public List<String> data() {
        return messages().stream().map(Event::data).toList();
    }

    /** All comments, of all connections. */
    public List<String> comments() {
        return record.comments();
    }

    /** The status of the last answer; 0 before the first. */
    public int status() {
        return record.status();
    }

    /** The headers of the last answer; names in any case. */
    public Map<String, List<String>> headers() {
        return record.headers();
    }

    /** The first value of a header of the last answer, or the empty string. */
    public String header(String name) {
        return headers().getOrDefault(name, List.of("")).get(0);
    }

    /** The last {@code retry:} of the server, in milliseconds. */
    public OptionalLong retry() {
        return record.retry();
    }

    /** What would be sent as {@code Last-Event-ID}. */
    public String lastEventId() {
        return record.lastEventId();
    }

    /** How many connections were tried. */
    int attempts() {
        return record.attempts();
    }

    /** How many event streams were opened (answers of 200). */
    public int connections() {
        return record.connections();
    }

    /** How many streams the server has ended as HTTP says: with the last chunk, not with a cut. */
    public int cleanEnds() {
        return record.cleanEnds();
    }

    /** Whether an event stream is open now. */
    public boolean connected() {
        return record.connected();
    }

    /** Whether it is over for good: closed here, refused, or ended without reconnecting. */
    public boolean closed() {
        return session.closed();
    }

    /**
     * The beginning of the last body without its transfer coding, if {@link
     * SseReaderBuilder#recordRaw} asks for it; of an answer that is no event stream, always.
     */
    public String raw() {
        return record.raw();
    }

    // Conditions. Each fails with what was received; those with a name fail at once when the reader
    // is closed and they can come true no more.

    /**
     * Waits until the condition holds; it is asked again after everything that happens to this
     * reader, and several times a second.
     *
     * @param what the condition in words, for the failure
     */
    public SseReader await(String what, Predicate<SseReader> condition) {
        return await(what, Timeouts.LIMIT, condition);
    }

    /** The same with a time limit of its own. */
    public SseReader await(String what, Duration timeout, Predicate<SseReader> condition) {
        long deadline = System.nanoTime() + timeout.toNanos();
        synchronized (record) {
            while (!condition.test(this)) {
                long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (left <= 0) {
                    throw new AssertionError("no %s in %s%n%s".formatted(what, timeout, this));
                }
                record.awaitChange(Math.min(200, left));
            }
        }
        return this;
    }

    private SseReader expect(String what, Predicate<SseReader> condition) {
        // Under one lock: what was true may be over when it is asked for again.
        synchronized (record) {
            await(what, reader -> reader.closed() || condition.test(reader));
            if (!condition.test(this)) {
                throw new AssertionError("no %s before the end%n%s".formatted(what, this));
            }
        }
        return this;
    }

    /** Waits for so many events of any type. */
    public SseReader awaitEvents(int count) {
        return expect(count + " events", reader -> reader.record.eventCount() >= count);
    }

    /** Waits for so many events that reach {@code onmessage}. */
    public SseReader awaitMessages(int count) {
        return expect(
                count + " messages",
                reader -> reader.record.eventCount() >= count && reader.messages().size() >= count);
    }

    /** Waits for an event, of any type, with exactly this data. */
    public SseReader awaitData(String data) {
        return expect("event with data \"" + data + "\"", reader -> reader.record.hasData(data));
    }

    /** Waits for an event of this type and returns the first one. */
    public Event awaitEvent(String type) {
        return expect("event " + type, reader -> !reader.events(type).isEmpty())
                .events(type)
                .get(0);
    }

    /** Waits until the reader knows a position to resume from. */
    public SseReader awaitLastEventId() {
        return expect("last event id", reader -> !reader.lastEventId().isEmpty());
    }

    /** Waits until a stream is open. */
    public SseReader awaitConnected() {
        return expect("open stream", SseReader::connected);
    }

    /** Waits until it is over for good. */
    public SseReader awaitClosed() {
        return await("end", SseReader::closed);
    }

    // Faults.

    /** Resets the connection (RST); a reconnecting reader then comes back. */
    public void dropConnection() {
        session.dropConnection();
    }

    /** Reads nothing more, and keeps the connection; what the kernel holds stays there. */
    public void stopReading() {
        session.stopReading();
    }

    public void continueReading() {
        session.continueReading();
    }

    /** Ends it for good, as {@code EventSource.close()} does. */
    @Override
    public void close() {
        session.close();
    }

    /** All that a failed test should show. */
    @Override
    public String toString() {
        synchronized (record) {
            return "SseReader: %s, %s".formatted(session, record);
        }
    }
}
