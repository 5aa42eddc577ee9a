package dev.parley.testsupport;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The connections of an {@link SseReader}, one after the other, on a thread of their own. What they
 * bring is recorded.
 */
final class SseSession implements Closeable {

    private static final long INITIAL_RETRY_MILLIS = 1_000;
    private static final long STACK_BYTES = 128 * 1024;
    private static final int READ_BYTES = 4 * 1024;
    private static final int REFUSAL_BYTES = 64 * 1024;
    private static final AtomicLong NUMBER = new AtomicLong();

    private final SseReaderBuilder options;
    private final SseRecord record;

    // Guarded by the record's monitor, like the record.
    private Optional<SseConnection> connection = Optional.empty();
    private boolean stalled;
    private boolean closed;

    private SseSession(SseReaderBuilder options, SseRecord record) {
        this.options = options;
        this.record = record;
        this.stalled = options.stalled;
    }

    static SseSession start(SseReaderBuilder options, SseRecord record) {
        var session = new SseSession(options, record);
        String name = "sse-reader-" + NUMBER.incrementAndGet();
        Thread thread = new Thread(null, session::run, name, STACK_BYTES);
        thread.setDaemon(true);
        thread.start();
        return session;
    }

    /** Whether there will be no further connection, and this one is over. */
    boolean closed() {
        synchronized (record) {
            return closed;
        }
    }

    void dropConnection() {
        synchronized (record) {
            connection.ifPresent(SseConnection::reset);
            record.notifyAll();
        }
    }

    void stopReading() {
        synchronized (record) {
            stalled = true;
        }
    }

    void continueReading() {
        synchronized (record) {
            stalled = false;
            record.notifyAll();
        }
    }

    @Override
    public void close() {
        synchronized (record) {
            closed = true;
            connection.ifPresent(SseConnection::close);
            record.notifyAll();
        }
    }

    @Override
    public String toString() {
        synchronized (record) {
            String state = closed ? "closed" : record.connected() ? "connected" : "not connected";
            return stalled ? state + " and stalled" : state;
        }
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
        String id = record.lastEventId();
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
        EventStreamParser parser = new EventStreamParser(record.lastEventId(), record);
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
                record.awaitChange(0);
            }
        }
    }

    /** Waits for the reconnection time; false if the reader is closed by then. */
    private boolean pause() {
        synchronized (record) {
            long millis =
                    options.reconnectionTime
                            .map(Duration::toMillis)
                            .orElseGet(() -> record.retry().orElse(INITIAL_RETRY_MILLIS));
            long begin = System.nanoTime();
            long left = millis;
            while (!closed && left > 0) {
                record.awaitChange(left);
                left = millis - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
            }
            return !closed;
        }
    }
}
