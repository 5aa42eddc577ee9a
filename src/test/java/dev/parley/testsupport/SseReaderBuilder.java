package dev.parley.testsupport;

import java.net.InetAddress;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** How a reader behaves; one builder can open any number of them. */
public final class SseReaderBuilder {

    // What the reader looks up.
    final Supplier<URI> uri;
    final Map<String, String> headers = new LinkedHashMap<>();
    boolean reconnecting;
    Optional<Duration> reconnectionTime = Optional.empty();
    String lastEventId = "";
    Optional<InetAddress> from = Optional.empty();
    int receiveBuffer;
    int rawLimit;
    boolean stalled;

    SseReaderBuilder(Supplier<URI> uri) {
        this.uri = uri;
        header("Accept", "text/event-stream");
        header("Cache-Control", "no-cache");
    }

    private SseReaderBuilder(SseReaderBuilder other) {
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
    public SseReaderBuilder header(String name, String value) {
        headers.keySet().removeIf(name::equalsIgnoreCase);
        headers.put(name, value);
        return this;
    }

    /** Comes back, as browsers do. */
    public SseReaderBuilder reconnecting() {
        reconnecting = true;
        return this;
    }

    /** Comes back after this time, whatever the server's {@code retry:} says. */
    SseReaderBuilder reconnecting(Duration after) {
        reconnectionTime = Optional.of(after);
        return reconnecting();
    }

    /** Starts with this id, as if it had been connected before. */
    public SseReaderBuilder lastEventId(String id) {
        lastEventId = id;
        return this;
    }

    /** Connects from this address of the machine, such as 127.0.0.2. */
    public SseReaderBuilder from(InetAddress address) {
        from = Optional.of(address);
        return this;
    }

    /** Asks the kernel to take so few bytes (SO_RCVBUF) while nobody reads. */
    public SseReaderBuilder receiveBuffer(int bytes) {
        receiveBuffer = bytes;
        return this;
    }

    /** Keeps the first bytes of each body for {@link SseReader#raw}. */
    public SseReaderBuilder recordRaw(int maxBytes) {
        rawLimit = maxBytes;
        return this;
    }

    /** Begins stalled: it sends its request and reads nothing, not even the answer's head. */
    public SseReaderBuilder stalled() {
        stalled = true;
        return this;
    }

    /** A reader that sets out to connect; does not wait for it. */
    public SseReader open() {
        return new SseReader(new SseReaderBuilder(this));
    }
}
