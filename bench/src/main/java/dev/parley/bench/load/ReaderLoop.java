package dev.parley.bench.load;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** All readers. They share one thread and one selector. */
final class ReaderLoop implements AutoCloseable {

    private static final int BUFFER = 256 * 1024;

    /**
     * Receive buffer of a reader that never reads; small, so that the server's writes soon block.
     */
    private static final int SLOW_RECEIVE_BUFFER = 4096;

    private static final int SLOW_OPENING_MILLIS = 20_000;

    /** The beginning of a response that is a stream. */
    private static final String ACCEPTED = "HTTP/1.1 200";

    /** How many times the visitors that are kept may wait for their first id. */
    private static final int MAX_WAITING = 20;

    final ReaderStats stats = new ReaderStats();

    private final LoadOptions options;
    private final Selector selector;
    private final LoopbackAddresses addresses = new LoopbackAddresses();
    private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
    private final byte[] bytes = new byte[BUFFER];
    private final List<Reader> readers = new ArrayList<>();
    private final List<SocketChannel> slow = new ArrayList<>();
    private final ArrayDeque<Reader> visitors = new ArrayDeque<>();
    private final Thread thread = new Thread(this::run, "readers");
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();
    private volatile @Nullable String failure;
    private volatile boolean closed;

    ReaderLoop(LoadOptions options) throws IOException {
        this.options = options;
        selector = Selector.open();
        thread.setDaemon(true);
        thread.start();
    }

    /** Number of streams whose response has begun. */
    int open() {
        return open.get();
    }

    /** Number of connections that were refused or failed before their response. */
    int failed() {
        return failed.get();
    }

    /** The last failure. */
    @Nullable String failure() {
        return failure;
    }

    /** Starts opening this many more streams at once. */
    void connect(int count) {
        call(
                () -> {
                    for (int i = 0; i < count; i++) {
                        connectOne();
                    }
                    return count;
                });
    }

    /** Opens streams of which no more than the beginning of the response is read. */
    void connectSlow(int count) {
        try {
            for (int i = 0; i < count; i++) {
                SocketChannel channel = SocketChannel.open();
                channel.setOption(StandardSocketOptions.SO_RCVBUF, SLOW_RECEIVE_BUFFER);
                channel.bind(addresses.next());
                channel.connect(server(i));
                channel.write(request(options.eventsPath(i, i)));
                slow.add(channel);
                requireAccepted(channel.socket());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void requireAccepted(Socket socket) throws IOException {
        socket.setSoTimeout(SLOW_OPENING_MILLIS);
        byte[] start = socket.getInputStream().readNBytes(ACCEPTED.length());
        String text = new String(start, StandardCharsets.US_ASCII);
        if (!text.equals(ACCEPTED)) {
            throw new IOException("the stream of a slow reader begins with: " + text);
        }
    }

    /** Sets all counts to 0 and starts checking, with each publisher's next number. */
    void startCounting(int[] numbers) {
        call(
                () -> {
                    stats.reset();
                    readers.forEach(reader -> reader.checker().expect(numbers));
                    return 0;
                });
    }

    /**
     * Number of messages that did not arrive.
     *
     * @param ends for each publisher, the number after that of its last message
     */
    long lost(int[] ends) {
        return call(
                () -> stats.missing + readers.stream().mapToLong(r -> missingAtEnd(r, ends)).sum());
    }

    /** Number of last messages that a reader did not get from the publishers of its rooms. */
    private long missingAtEnd(Reader reader, int[] ends) {
        return IntStream.range(0, ends.length)
                .filter(publisher -> options.reads(reader.room(), publisher))
                .mapToLong(publisher -> reader.checker().missingAtEnd(publisher, ends[publisher]))
                .sum();
    }

    /** Closes all connections. */
    void leave() {
        call(
                () -> {
                    readers.forEach(reader -> close(reader.channel));
                    readers.clear();
                    visitors.forEach(visitor -> close(visitor.channel));
                    visitors.clear();
                    slow.forEach(ReaderLoop::close);
                    slow.clear();
                    open.set(0);
                    return 0;
                });
    }

    private void connectOne() {
        try {
            SocketChannel channel = SocketChannel.open();
            channel.configureBlocking(false);
            channel.bind(addresses.next());
            int room = readers.size() % options.rooms();
            Reader reader =
                    new Reader(
                            channel,
                            room,
                            options.eventsPath(room, readers.size()),
                            new EventStreamChecker(stats, options.window()));
            readers.add(reader);
            start(reader);
        } catch (IOException e) {
            onFailure(e);
        }
    }

    private void start(Reader reader) throws IOException {
        SocketChannel channel = reader.channel;
        boolean connected = channel.connect(server(reader.room()));
        SelectionKey key = channel.register(selector, SelectionKey.OP_CONNECT, reader);
        if (connected) {
            sendRequest(key, reader);
        }
    }

    private InetSocketAddress server(int room) {
        return LoopbackAddresses.loopback(options.readingPort(room));
    }

    /**
     * Opens a stream of a room that no other stream reads, and closes the oldest such stream if
     * more are open than are kept.
     *
     * @param number of the room; a number that was not used before is a new room
     */
    void visit(int number, int kept) {
        call(
                () -> {
                    try {
                        SocketChannel channel = SocketChannel.open();
                        channel.configureBlocking(false);
                        channel.bind(addresses.next());
                        var checker = new EventStreamChecker(stats, 0);
                        checker.timeFirstId(MessageText.now());
                        String path = options.eventsPath() + "?room=v" + number;
                        Reader visitor = new Reader(channel, number, path, checker);
                        visitors.addLast(visitor);
                        start(visitor);
                    } catch (IOException e) {
                        onFailure(e);
                    }
                    if (visitors.size() > kept) {
                        leave(kept);
                    }
                    return number;
                });
    }

    /**
     * Closes the oldest visitors that have their first id. Those without wait for it, so that the
     * time that a slow server takes is counted, until there are too many: they are lost then.
     */
    private void leave(int kept) {
        Iterator<Reader> oldest = visitors.iterator();
        while (oldest.hasNext() && visitors.size() > kept) {
            Reader visitor = oldest.next();
            if (!visitor.checker().awaitsFirstId()) {
                oldest.remove();
                close(visitor.channel);
            }
        }
        if (visitors.size() > MAX_WAITING * kept) {
            stats.openingsLost++;
            close(visitors.removeFirst().channel);
        }
    }

    /** Number of visitors that have not received their first id. */
    long visitorsWithoutId() {
        return call(
                () ->
                        visitors.stream()
                                .filter(visitor -> visitor.checker().awaitsFirstId())
                                .count());
    }

    /** Runs a task on the readers' thread and returns its result. */
    private <T> T call(Supplier<T> task) {
        CompletableFuture<T> result = new CompletableFuture<>();
        tasks.add(
                () -> {
                    try {
                        result.complete(task.get());
                    } catch (RuntimeException e) {
                        result.completeExceptionally(e);
                    }
                });
        selector.wakeup();
        return result.join();
    }

    private void run() {
        try {
            while (!closed) {
                selector.select(this::onReady);
                stats.exposeDeliveries();
                for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
                    task.run();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void onReady(SelectionKey key) {
        Reader reader = (Reader) key.attachment();
        try {
            if (key.isConnectable()) {
                reader.channel.finishConnect();
                sendRequest(key, reader);
            } else {
                read(reader);
            }
        } catch (IOException | RuntimeException e) {
            onEnd(reader, e);
        }
    }

    private void sendRequest(SelectionKey key, Reader reader) throws IOException {
        reader.channel.write(request(reader.path()));
        key.interestOps(SelectionKey.OP_READ);
    }

    private static ByteBuffer request(String path) {
        String request =
                "GET " + path + " HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n";
        return ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII));
    }

    private void read(Reader reader) throws IOException {
        buffer.clear();
        int count = reader.channel.read(buffer);
        if (count < 0) {
            onEnd(reader, new IOException("end of stream"));
            return;
        }
        boolean wasOpen = reader.isOpen();
        buffer.flip().get(bytes, 0, count);
        stats.reads++;
        stats.bytes += count;
        reader.onBytes(bytes, count, MessageText.now());
        if (!wasOpen && reader.isOpen()) {
            open.incrementAndGet();
        }
        if (reader.isEnded()) {
            onEnd(reader, new IOException("end of response"));
        }
    }

    private void onEnd(Reader reader, Exception why) {
        close(reader.channel);
        if (reader.isOpen()) {
            stats.disconnected++;
        } else {
            onFailure(why);
        }
    }

    private void onFailure(Exception why) {
        failure = why.toString();
        failed.incrementAndGet();
    }

    private static void close(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        leave();
        closed = true;
        selector.wakeup();
    }
}
