package dev.parley.bench.load;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** All readers, on one thread and one selector. */
final class ReaderLoop implements AutoCloseable {

    private static final int BUFFER = 256 * 1024;

    /** What a slow reader's kernel takes before the server feels it. */
    private static final int SLOW_RECEIVE_BUFFER = 4096;

    final Tally tally = new Tally();

    private final InetSocketAddress server;
    private final Spec spec;
    private final Selector selector;
    private final Addresses addresses = new Addresses();
    private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
    private final byte[] bytes = new byte[BUFFER];
    private final List<Reader> readers = new ArrayList<>();
    private final List<SocketChannel> slow = new ArrayList<>();
    private final Thread thread = new Thread(this::run, "readers");
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();
    private volatile @Nullable String failure;
    private volatile boolean closed;

    ReaderLoop(Spec spec) throws IOException {
        server = Addresses.loopback(spec.port());
        this.spec = spec;
        selector = Selector.open();
        thread.setDaemon(true);
        thread.start();
    }

    /** Streams whose response has begun. */
    int open() {
        return open.get();
    }

    /** Connections that were refused or failed before their response. */
    int failed() {
        return failed.get();
    }

    @Nullable String failure() {
        return failure;
    }

    /** Begins to open this many more streams at once. */
    void connect(int count) {
        call(
                () -> {
                    for (int i = 0; i < count; i++) {
                        connectOne();
                    }
                    return count;
                });
    }

    /** Opens streams that are never read. */
    void connectSlow(int count) {
        try {
            for (int i = 0; i < count; i++) {
                SocketChannel channel = SocketChannel.open();
                channel.setOption(StandardSocketOptions.SO_RCVBUF, SLOW_RECEIVE_BUFFER);
                channel.bind(addresses.next());
                channel.connect(server);
                channel.write(request(i));
                slow.add(channel);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** From now on counts anew, each lane from this number on. */
    void mark(int[] numbers) {
        call(
                () -> {
                    tally.reset();
                    readers.forEach(reader -> reader.lines().expect(numbers));
                    return 0;
                });
    }

    /** Messages that never came, if each lane ended before these numbers. */
    long lost(int[] ends) {
        return call(() -> tally.missing + readers.stream().mapToLong(r -> tail(r, ends)).sum());
    }

    /** Messages at the end that a reader did not get from the lanes of its room. */
    private long tail(Reader reader, int[] ends) {
        return IntStream.range(0, ends.length)
                .filter(lane -> lane % spec.rooms() == reader.room())
                .mapToLong(lane -> reader.lines().tail(lane, ends[lane]))
                .sum();
    }

    /** All of them leave. */
    void leave() {
        call(
                () -> {
                    readers.forEach(reader -> close(reader.channel));
                    readers.clear();
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
            int room = readers.size() % spec.rooms();
            Reader reader = new Reader(channel, room, new EventLines(tally, spec.window()));
            readers.add(reader);
            boolean connected = channel.connect(server);
            SelectionKey key = channel.register(selector, SelectionKey.OP_CONNECT, reader);
            if (connected) {
                ask(key, reader);
            }
        } catch (IOException e) {
            failed(e);
        }
    }

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
                selector.select(this::ready);
                tally.publish();
                for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
                    task.run();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void ready(SelectionKey key) {
        Reader reader = (Reader) key.attachment();
        try {
            if (key.isConnectable()) {
                reader.channel.finishConnect();
                ask(key, reader);
            } else {
                read(reader);
            }
        } catch (IOException | RuntimeException e) {
            ended(reader, e);
        }
    }

    private void ask(SelectionKey key, Reader reader) throws IOException {
        reader.channel.write(request(reader.room()));
        key.interestOps(SelectionKey.OP_READ);
    }

    private ByteBuffer request(int room) {
        String request =
                "GET "
                        + spec.inRoom(spec.eventsPath(), room)
                        + " HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n";
        return ByteBuffer.wrap(request.getBytes(StandardCharsets.US_ASCII));
    }

    private void read(Reader reader) throws IOException {
        buffer.clear();
        int count = reader.channel.read(buffer);
        if (count < 0) {
            ended(reader, new IOException("end of stream"));
            return;
        }
        boolean wasOpen = reader.isOpen();
        buffer.flip().get(bytes, 0, count);
        tally.reads++;
        tally.bytes += count;
        reader.take(bytes, count, Payload.now());
        if (!wasOpen && reader.isOpen()) {
            open.incrementAndGet();
        }
        if (reader.isEnded()) {
            ended(reader, new IOException("end of response"));
        }
    }

    private void ended(Reader reader, Exception why) {
        close(reader.channel);
        if (reader.isOpen()) {
            tally.disconnected++;
        } else {
            failed(why);
        }
    }

    private void failed(Exception why) {
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
