package dev.parley.testsupport;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.function.Supplier;
import javax.net.SocketFactory;
import javax.net.ssl.SSLContext;

/**
 * A client that reads an event stream as a browser's {@code EventSource} does (WHATWG HTML §9.2),
 * records everything that it receives, and causes faults when a test asks for them.
 *
 * <p><b>Life.</b> Each reader has one thread, which works on one blocking socket at a time:
 *
 * <pre>
 *   open() ─► connect ─► GET ─► 200 and text/event-stream? ─ yes ─► parse and record ─┐
 *                ▲                          │ no                                      │ end or failure
 *                │                          ▼                                         │ of the connection
 *                │                   closed for good                                  │
 *                └── wait for the reconnection time, if reconnecting() was asked for ◄┘
 *                                           │ else
 *                                           ▼
 *                                    closed for good
 * </pre>
 *
 * <p>A failed attempt to connect counts as a failure of the connection. A reconnecting reader sends
 * the last event id as {@code Last-Event-ID}, and waits for the time that the server's last {@code
 * retry:} named. A redirect is not followed; it closes the reader as every answer but an event
 * stream does.
 *
 * <p><b>Threads.</b> The reader's monitor guards all mutable state and is notified of each change.
 * The reader's thread holds it while it records what one read of the socket has returned, and not
 * while it reads. Test threads hold it while they check a condition, so that a condition sees each
 * read's events all together or not at all.
 *
 * <p><b>Stalling.</b> {@link #stopReading} makes the reader's thread wait in two places: before it
 * reads from the socket, so that the kernel's buffers fill up and the server's writes stall; and
 * after a read that was in progress, so that what this read returned is not recorded.
 */
public final class SseReader implements Closeable {

    /** A dispatched event; {@code id} is the last event id at that moment. */
    public record Event(String id, String type, String data) {}

    private static final long INITIAL_RETRY_MILLIS = 1_000;
    private static final long STACK_BYTES = 128 * 1024;
    private static final int READ_BYTES = 4 * 1024;
    private static final int REFUSAL_BYTES = 64 * 1024;
    private static final int SHOWN_EVENTS = 50;
    private static final AtomicLong NUMBER = new AtomicLong();

    private final Builder options;

    // What was received, over all connections but for the header and the raw body.
    private final List<Event> events = new ArrayList<>();
    private final List<Event> positions = new ArrayList<>();
    private final List<String> comments = new ArrayList<>();
    private final ByteArrayOutputStream raw = new ByteArrayOutputStream();
    private Map<String, List<String>> headers = Map.of();
    private int status;
    private OptionalLong retry = OptionalLong.empty();
    private String lastEventId;

    // The connections.
    private Optional<Socket> connection = Optional.empty();
    private int attempts;
    private int connections;
    private int cleanEnds;
    private String lastEnd = "none";
    private boolean connected;
    private boolean stalled;
    private boolean closed;

    private SseReader(Builder options) {
        this.options = options;
        lastEventId = options.lastEventId;
        stalled = options.stalled;
    }

    /** Opens a reader that does not reconnect, and waits until its stream is open. */
    public static SseReader open(URI uri) {
        return to(uri).open().awaitConnected();
    }

    /** Starts building a reader of this stream. */
    public static Builder to(URI uri) {
        return new Builder(() -> uri);
    }

    /** Starts building a reader that asks for the stream's address before each connection. */
    public static Builder to(Supplier<URI> uri) {
        return new Builder(uri);
    }

    /** The options of a reader, which do not change once it is open. */
    public static final class Builder {

        private final Supplier<URI> uri;
        private final Map<String, String> headers = new LinkedHashMap<>();
        private boolean reconnecting;
        private Optional<Duration> reconnectionTime = Optional.empty();
        private String lastEventId = "";
        private Optional<String> form = Optional.empty();
        private Optional<InetAddress> from = Optional.empty();
        private int receiveBuffer;
        private int rawLimit;
        private boolean stalled;
        private SocketFactory sockets = SocketFactory.getDefault();

        private Builder(Supplier<URI> uri) {
            this.uri = uri;
            header("Accept", "text/event-stream");
            header("Cache-Control", "no-cache");
        }

        /** Sets a request header; it replaces one of the same name. */
        public Builder header(String name, String value) {
            headers.keySet().removeIf(name::equalsIgnoreCase);
            headers.put(name, value);
            return this;
        }

        /** Reconnects whenever the connection ends or fails. */
        public Builder reconnecting() {
            reconnecting = true;
            return this;
        }

        /** Reconnects after this time instead of the server's {@code retry:}. */
        Builder reconnecting(Duration after) {
            reconnectionTime = Optional.of(after);
            return reconnecting();
        }

        /** Sends this {@code Last-Event-ID} with the first request. */
        public Builder lastEventId(String id) {
            lastEventId = id;
            return this;
        }

        /** Posts this form with each request, as clients that use fetch do, instead of a GET. */
        public Builder form(String body) {
            form = Optional.of(body);
            header("Content-Type", "application/x-www-form-urlencoded");
            return header("Content-Length", Integer.toString(body.length()));
        }

        /** Connects from this address of the machine, such as 127.0.0.2. */
        public Builder from(InetAddress address) {
            RawConnection.requireOwn(address);
            from = Optional.of(address);
            return this;
        }

        /** Sets the size of the socket's receive buffer (SO_RCVBUF). */
        public Builder receiveBuffer(int bytes) {
            receiveBuffer = bytes;
            return this;
        }

        /** Connects with TLS. */
        public Builder encrypted(SSLContext context) {
            sockets = context.getSocketFactory();
            return this;
        }

        /** Keeps the first bytes of each body for {@link SseReader#raw}. */
        public Builder recordRaw(int maxBytes) {
            rawLimit = maxBytes;
            return this;
        }

        /** Starts stalled: the reader sends its request and does not read the answer. */
        public Builder stalled() {
            stalled = true;
            return this;
        }

        /** Starts a reader and does not wait until it is connected. */
        public SseReader open() {
            var reader = new SseReader(this);
            String name = "sse-reader-" + NUMBER.incrementAndGet();
            Thread thread = new Thread(null, reader::run, name, STACK_BYTES);
            thread.setDaemon(true);
            thread.start();
            return reader;
        }
    }

    // What was received.

    /** All events of all connections but those of the type {@code position}. */
    public synchronized List<Event> events() {
        return List.copyOf(events);
    }

    /** The events that say only where the reader is, of all connections. */
    public synchronized List<Event> positions() {
        return List.copyOf(positions);
    }

    /** All events of this type. */
    public synchronized List<Event> events(String type) {
        return events.stream().filter(event -> event.type().equals(type)).toList();
    }

    /** The events that a browser passes to {@code onmessage}. */
    public List<Event> messages() {
        return events("message");
    }

    /** The data of the events that a browser passes to {@code onmessage}. */
    public List<String> data() {
        return messages().stream().map(Event::data).toList();
    }

    /** All comments of all connections. */
    public synchronized List<String> comments() {
        return List.copyOf(comments);
    }

    /** The status of the last answer; 0 before the first. */
    public synchronized int status() {
        return status;
    }

    /** The headers of the last answer; names in any case. */
    public synchronized Map<String, List<String>> headers() {
        return headers;
    }

    /** The first value of a header of the last answer, or the empty string. */
    public String header(String name) {
        return headers().getOrDefault(name, List.of("")).get(0);
    }

    /** The server's last {@code retry:}, in milliseconds. */
    public synchronized OptionalLong retry() {
        return retry;
    }

    /** The id that the next request would send as {@code Last-Event-ID}. */
    public synchronized String lastEventId() {
        return lastEventId;
    }

    /** The number of attempts to connect. */
    synchronized int attempts() {
        return attempts;
    }

    /** The number of event streams that were opened (answers of 200). */
    public synchronized int connections() {
        return connections;
    }

    /** The number of streams that the server ended with the last chunk, as HTTP prescribes. */
    public synchronized int cleanEnds() {
        return cleanEnds;
    }

    /** Whether an event stream is open now. */
    public synchronized boolean connected() {
        return connected;
    }

    /** Whether the reader was closed or refused, or has ended without reconnecting. */
    public synchronized boolean closed() {
        return closed;
    }

    /**
     * The beginning of the last body without its transfer coding: as many bytes as {@link
     * Builder#recordRaw} asks for, or the first 64 kB if the answer was not an event stream.
     */
    public synchronized String raw() {
        return raw.toString(StandardCharsets.UTF_8);
    }

    // Conditions. A failure shows everything that was received. All but await and awaitClosed fail
    // at once when the reader is closed, because their condition can no longer become true.

    /**
     * Waits until the condition holds. It is checked after each change of the reader and at least
     * five times a second.
     *
     * @param what the condition in words, for the failure
     */
    public SseReader await(String what, Predicate<SseReader> condition) {
        return await(what, Timeouts.LIMIT, condition);
    }

    /** Waits until the condition holds, at most for this time. */
    public synchronized SseReader await(
            String what, Duration timeout, Predicate<SseReader> condition) {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (!condition.test(this)) {
            long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (left <= 0) {
                throw new AssertionError("no %s in %s%n%s".formatted(what, timeout, this));
            }
            awaitChange(Math.min(200, left));
        }
        return this;
    }

    /** The monitor is held over both checks: a condition such as "connected" may end again. */
    private synchronized SseReader awaitWhileOpen(String what, Predicate<SseReader> condition) {
        await(what, reader -> reader.closed || condition.test(reader));
        if (!condition.test(this)) {
            throw new AssertionError("no %s before the end%n%s".formatted(what, this));
        }
        return this;
    }

    /** Waits for this number of events of any type. */
    public SseReader awaitEvents(int count) {
        return awaitWhileOpen(count + " events", reader -> reader.events.size() >= count);
    }

    /** Waits for this number of events that a browser passes to {@code onmessage}. */
    public SseReader awaitMessages(int count) {
        return awaitWhileOpen(
                count + " messages",
                reader -> reader.events.size() >= count && reader.messages().size() >= count);
    }

    /** Waits for an event of any type with exactly this data. */
    public SseReader awaitData(String data) {
        return awaitWhileOpen(
                "event with data \"" + data + "\"",
                reader -> reader.events.stream().anyMatch(event -> event.data().equals(data)));
    }

    /** Waits for an event of this type and returns the first one. */
    public Event awaitEvent(String type) {
        return awaitWhileOpen("event " + type, reader -> !reader.events(type).isEmpty())
                .events(type)
                .get(0);
    }

    /** Waits until the reader has an id to resume from. */
    public SseReader awaitLastEventId() {
        return awaitWhileOpen("last event id", reader -> !reader.lastEventId.isEmpty());
    }

    /** Waits until an event stream is open. */
    public SseReader awaitConnected() {
        return awaitWhileOpen("open stream", SseReader::connected);
    }

    /** Waits until the reader is closed for good. */
    public SseReader awaitClosed() {
        return await("end", SseReader::closed);
    }

    // Faults.

    /** Resets the connection (RST); a reconnecting reader then comes back. */
    public synchronized void dropConnection() {
        connection.ifPresent(Sockets::reset);
        notifyAll();
    }

    /** Stops reading and keeps the connection open. */
    public synchronized void stopReading() {
        stalled = true;
    }

    /** Ends {@link #stopReading}. */
    public synchronized void continueReading() {
        stalled = false;
        notifyAll();
    }

    /** Closes the connection and does not reconnect, as {@code EventSource.close()}. */
    @Override
    public synchronized void close() {
        closed = true;
        connection.ifPresent(Sockets::close);
        notifyAll();
    }

    /** The reader's state and what it has received, for the failure of a test. */
    @Override
    public synchronized String toString() {
        int from = Math.max(0, events.size() - SHOWN_EVENTS);
        var text = new StringBuilder("SseReader: ");
        text.append(closed ? "closed" : connected ? "connected" : "not connected");
        text.append(stalled ? " and stalled, " : ", ");
        text.append("%d connections in %d attempts, ".formatted(connections, attempts));
        text.append("last end: %s%n".formatted(lastEnd));
        text.append("status %d, headers %s%n".formatted(status, headers));
        text.append("last event id \"%s\", comments %s%n".formatted(lastEventId, comments));
        text.append("%d events%s%n".formatted(events.size(), from > 0 ? ", the last:" : ":"));
        events.subList(from, events.size()).forEach(event -> text.append(event).append('\n'));
        return text.append(raw()).toString();
    }

    // The reader's thread.

    private void run() {
        try {
            do {
                connectOnce();
            } while (options.reconnecting && awaitReconnectionTime());
        } catch (RuntimeException e) {
            onEnd(e.toString());
        } finally {
            close();
        }
    }

    /** Makes one connection and reads it to its end. */
    private void connectOnce() {
        try (Socket socket = options.sockets.createSocket()) {
            if (onAttempt(socket)) {
                URI uri = options.uri.get();
                connect(socket, uri);
                socket.getOutputStream().write(request(uri));
                read(
                        HttpAnswer.read(
                                new BufferedInputStream(new StallableInput(socket), READ_BYTES)));
            }
        } catch (IOException e) {
            onEnd(e.toString());
        }
    }

    private void connect(Socket socket, URI uri) throws IOException {
        if (options.receiveBuffer > 0) {
            socket.setReceiveBufferSize(options.receiveBuffer);
        }
        if (options.from.isPresent()) {
            socket.bind(new InetSocketAddress(options.from.get(), 0));
        }
        int port = uri.getPort() < 0 ? 80 : uri.getPort();
        socket.connect(new InetSocketAddress(uri.getHost(), port), Timeouts.millis());
    }

    private byte[] request(URI uri) {
        String path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
        Map<String, String> lines = new LinkedHashMap<>();
        lines.put("Host", uri.getRawAuthority());
        lines.putAll(options.headers);
        if (!lastEventId().isEmpty()) {
            lines.put("Last-Event-ID", lastEventId());
        }
        String method = options.form.isPresent() ? "POST " : "GET ";
        var request = new StringBuilder(method + path + query + " HTTP/1.1\r\n");
        lines.forEach((name, value) -> request.append(name + ": " + value + "\r\n"));
        request.append("\r\n").append(options.form.orElse(""));
        return request.toString().getBytes(StandardCharsets.UTF_8);
    }

    private void read(HttpAnswer answer) throws IOException {
        onAnswer(answer);
        String type = answer.header("Content-Type");
        if (answer.status() == 200 && type.matches("(?i)text/event-stream\\s*(;.*)?")) {
            onOpen();
            readStream(answer.body());
            onCleanEnd();
        } else {
            readRefusal(answer.body());
        }
    }

    private void readStream(InputStream body) throws IOException {
        var parser = new EventStreamParser(lastEventId(), new Recorder());
        byte[] buffer = new byte[READ_BYTES];
        for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) {
            synchronized (this) {
                onBody(buffer, n, options.rawLimit);
                parser.feed(buffer, 0, n);
            }
        }
    }

    /** Such an answer is final by the HTML standard, so the reader closes. */
    private void readRefusal(InputStream body) throws IOException {
        try {
            byte[] text = body.readNBytes(REFUSAL_BYTES);
            onBody(text, text.length, text.length);
            onEnd("refused");
        } finally {
            close();
        }
    }

    /** Waits for the reconnection time; returns false if the reader is closed by then. */
    private synchronized boolean awaitReconnectionTime() {
        long millis =
                options.reconnectionTime
                        .map(Duration::toMillis)
                        .orElseGet(() -> retry.orElse(INITIAL_RETRY_MILLIS));
        long begin = System.nanoTime();
        long left = millis;
        while (!closed && left > 0) {
            awaitChange(left);
            left = millis - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
        }
        return !closed;
    }

    /** Waits for the next change, at most for this time; 0 means without a limit. */
    @SuppressWarnings("WaitNotInLoop") // The callers are the loops.
    private synchronized void awaitChange(long millis) {
        try {
            wait(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted\n" + this, e);
        }
    }

    // The reader's thread reports what happens to a connection.

    /** Registers the socket for faults and close; returns false if the reader is closed already. */
    private synchronized boolean onAttempt(Socket socket) {
        if (!closed) {
            connection = Optional.of(socket);
            attempts++;
            notifyAll();
        }
        return !closed;
    }

    private synchronized void onAnswer(HttpAnswer answer) {
        status = answer.status();
        headers = answer.headers();
        raw.reset();
        notifyAll();
    }

    private synchronized void onOpen() {
        connected = true;
        connections++;
        notifyAll();
    }

    private synchronized void onBody(byte[] bytes, int length, int limit) {
        raw.write(bytes, 0, Math.max(0, Math.min(length, limit - raw.size())));
        notifyAll();
    }

    private synchronized void onCleanEnd() {
        cleanEnds++;
        onEnd("the server ended the stream");
    }

    private synchronized void onEnd(String how) {
        lastEnd = how;
        connected = false;
        notifyAll();
    }

    /** Records what the parser finds. It is called with the monitor held, see readStream. */
    private final class Recorder implements EventStreamParser.Sink {

        @Override
        public void event(String id, String type, String data) {
            (type.equals("position") ? positions : events).add(new Event(id, type, data));
        }

        @Override
        public void comment(String text) {
            comments.add(text);
        }

        @Override
        public void retry(long millis) {
            retry = OptionalLong.of(millis);
        }

        @Override
        public void lastEventId(String id) {
            lastEventId = id;
        }
    }

    /** The socket's input, which waits while the reader is stalled; see the class comment. */
    private final class StallableInput extends HttpAnswer.ByteStream {

        private final Socket socket;
        private final InputStream in;

        StallableInput(Socket socket) throws IOException {
            this.socket = socket;
            this.in = socket.getInputStream();
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            awaitContinue();
            int count = in.read(buffer, offset, length);
            awaitContinue();
            return count;
        }

        /** Returns also when the connection is closed or reset meanwhile; a read then fails. */
        private void awaitContinue() {
            synchronized (SseReader.this) {
                while (stalled && !socket.isClosed()) {
                    awaitChange(0);
                }
            }
        }

        @Override
        public int available() throws IOException {
            return in.available();
        }
    }
}
