package dev.parley.testsupport;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * An {@code EventSource} as a browser has it (WHATWG HTML §9.2), on one thread and one blocking
 * socket, that records all it is told and misbehaves on request.
 *
 * <p>With {@link Builder#reconnecting} it comes back after the server's {@code retry:} with {@code
 * Last-Event-ID} whenever a connection ends or fails; any answer but a 200 event stream ends it for
 * good. Redirects count as such an answer.
 */
public final class SseReader implements Closeable {

    /** A dispatched event; {@code id} is the last event id at that moment. */
    public record Event(String id, String type, String data) {}

    private static final long INITIAL_RETRY_MILLIS = 1_000;
    private static final long STACK_BYTES = 128 * 1024;
    private static final int READ_BYTES = 4 * 1024;
    private static final int REFUSAL_BYTES = 64 * 1024;
    private static final AtomicLong NUMBER = new AtomicLong();

    private final Builder options;
    private final SseRecord record;

    // Guarded by the record's monitor, like the record.
    private Optional<SseConnection> connection = Optional.empty();
    private boolean stalled;
    private boolean closed;

    private SseReader(Builder options) {
        this.options = options;
        this.record = new SseRecord(options.lastEventId);
        this.stalled = options.stalled;
    }

    /** A reader of this stream that does not come back, connected. */
    public static SseReader open(URI uri) {
        return to(uri).open().awaitConnected();
    }

    /** A reader to be, of this stream. */
    public static Builder to(URI uri) {
        return new Builder(() -> uri);
    }

    /** A reader to be that asks before each connection where to go. */
    public static Builder to(Supplier<URI> uri) {
        return new Builder(uri);
    }

    /** How a reader behaves; one builder can open any number of them. */
    public static final class Builder {

        private final Supplier<URI> uri;
        private final Map<String, String> headers = new LinkedHashMap<>();
        private boolean reconnecting;
        private Optional<Duration> reconnectionTime = Optional.empty();
        private String lastEventId = "";
        private Optional<InetAddress> from = Optional.empty();
        private int receiveBuffer;
        private int rawLimit;
        private boolean stalled;

        private Builder(Supplier<URI> uri) {
            this.uri = uri;
            header("Accept", "text/event-stream");
            header("Cache-Control", "no-cache");
        }

        private Builder(Builder other) {
            uri = other.uri;
            headers.putAll(other.headers);
            reconnecting = other.reconnecting;
            reconnectionTime = other.reconnectionTime;
            lastEventId = other.lastEventId;
            from = other.from;
            receiveBuffer = other.receiveBuffer;
            rawLimit = other.rawLimit;
            stalled = other.stalled;
        }

        /** Sends this request header too, or instead of a browser's own. */
        public Builder header(String name, String value) {
            headers.keySet().removeIf(name::equalsIgnoreCase);
            headers.put(name, value);
            return this;
        }

        /** Comes back, as browsers do. */
        public Builder reconnecting() {
            reconnecting = true;
            return this;
        }

        /** Comes back after this time, whatever the server's {@code retry:} says. */
        public Builder reconnecting(Duration after) {
            reconnectionTime = Optional.of(after);
            return reconnecting();
        }

        /** Starts with this id, as if it had been connected before. */
        public Builder lastEventId(String id) {
            lastEventId = id;
            return this;
        }

        /** Connects from this address of the machine, such as 127.0.0.2. */
        public Builder from(InetAddress address) {
            from = Optional.of(address);
            return this;
        }

        /** Asks the kernel to take so few bytes (SO_RCVBUF) while nobody reads. */
        public Builder receiveBuffer(int bytes) {
            receiveBuffer = bytes;
            return this;
        }

        /** Keeps the first bytes of each body for {@link SseReader#raw}. */
        public Builder recordRaw(int maxBytes) {
            rawLimit = maxBytes;
            return this;
        }

        /** Begins stalled: it sends its request and reads nothing, not even the answer's head. */
        public Builder stalled() {
            stalled = true;
            return this;
        }

        /** A reader that sets out to connect; does not wait for it. */
        public SseReader open() {
            SseReader reader = new SseReader(new Builder(this));
            reader.start();
            return reader;
        }
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
    public int attempts() {
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
        synchronized (record) {
            return closed;
        }
    }

    /**
     * The beginning of the last body without its transfer coding, if {@link Builder#recordRaw} asks
     * for it; of an answer that is no event stream, always.
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
        return await(what, Patience.LIMIT, condition);
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
                waitFor(Math.min(200, left));
            }
        }
        return this;
    }

    private SseReader expect(String what, Predicate<SseReader> condition) {
        // Under one lock: what was true may be over when it is asked for again.
        synchronized (record) {
            await(what, reader -> reader.closed || condition.test(reader));
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

    /** Waits until so many streams have been opened in all. */
    public SseReader awaitConnections(int count) {
        return expect(count + " connections", reader -> reader.connections() >= count);
    }

    /** Waits until it is over for good. */
    public SseReader awaitClosed() {
        return await("end", SseReader::closed);
    }

    // Faults.

    /** Resets the connection (RST); a reconnecting reader then comes back. */
    public void dropConnection() {
        synchronized (record) {
            connection.ifPresent(SseConnection::reset);
            record.notifyAll();
        }
    }

    /** Reads nothing more, and keeps the connection; what the kernel holds stays there. */
    public void stopReading() {
        synchronized (record) {
            stalled = true;
        }
    }

    public void continueReading() {
        synchronized (record) {
            stalled = false;
            record.notifyAll();
        }
    }

    /** Ends it for good, as {@code EventSource.close()} does. */
    @Override
    public void close() {
        synchronized (record) {
            closed = true;
            connection.ifPresent(SseConnection::close);
            record.notifyAll();
        }
    }

    /** All that a failed test should show. */
    @Override
    public String toString() {
        synchronized (record) {
            String state = closed ? "closed" : connected() ? "connected" : "not connected";
            return "SseReader: " + state + (stalled ? " and stalled, " : ", ") + record;
        }
    }

    // The reader's thread.

    private void start() {
        Thread thread =
                new Thread(null, this::run, "sse-reader-" + NUMBER.incrementAndGet(), STACK_BYTES);
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try {
            do {
                connectOnce();
            } while (options.reconnecting && pause());
        } catch (RuntimeException e) {
            record.ended(e.toString());
        } finally {
            close();
        }
    }

    /** One connection from its beginning to its end. */
    private void connectOnce() {
        try (SseConnection next = new SseConnection(this::passGate)) {
            if (adopt(next)) {
                URI uri = options.uri.get();
                next.connect(uri, options.from, options.receiveBuffer);
                read(next.get(uri, requestHeaders()));
            }
        } catch (IOException e) {
            record.ended(e.toString());
        }
    }

    private boolean adopt(SseConnection next) {
        synchronized (record) {
            if (!closed) {
                connection = Optional.of(next);
                record.attempted();
            }
            return !closed;
        }
    }

    private Map<String, String> requestHeaders() {
        Map<String, String> headers = new LinkedHashMap<>(options.headers);
        String id = lastEventId();
        if (!id.isEmpty()) {
            headers.put("Last-Event-ID", id);
        }
        return headers;
    }

    private void read(HttpAnswer answer) throws IOException {
        record.answered(answer);
        String type = answer.header("Content-Type").orElse("");
        if (answer.status() == 200 && type.matches("(?i)text/event-stream\\s*(;.*)?")) {
            record.opened();
            readStream(answer.body());
            record.endedCleanly();
        } else {
            readRefusal(answer.body());
        }
    }

    private void readStream(InputStream body) throws IOException {
        EventStreamParser parser = new EventStreamParser(lastEventId(), record);
        byte[] buffer = new byte[READ_BYTES];
        for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) {
            synchronized (record) {
                record.received(buffer, n, options.rawLimit);
                parser.feed(buffer, 0, n);
            }
        }
    }

    /** By the specification any such answer is final, so the reader is closed. */
    private void readRefusal(InputStream body) throws IOException {
        try {
            byte[] text = body.readNBytes(REFUSAL_BYTES);
            record.received(text, text.length, text.length);
            record.ended("refused");
        } finally {
            close();
        }
    }

    /** Waits while nobody wants to read; a connection that ends meanwhile ends the wait. */
    private void passGate(SseConnection current) {
        synchronized (record) {
            while (stalled && !current.closed()) {
                waitFor(0);
            }
        }
    }

    /** Waits for the reconnection time; false if the reader is closed by then. */
    private boolean pause() {
        synchronized (record) {
            long millis =
                    options.reconnectionTime
                            .map(Duration::toMillis)
                            .orElseGet(() -> retry().orElse(INITIAL_RETRY_MILLIS));
            long begin = System.nanoTime();
            long left = millis;
            while (!closed && left > 0) {
                waitFor(left);
                left = millis - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
            }
            return !closed;
        }
    }

    private void waitFor(long millis) {
        try {
            record.wait(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted\n" + this, e);
        }
    }
}
