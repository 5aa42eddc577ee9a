package dev.parley.page;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.parley.testsupport.Timeouts;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * A server of the pages whose event streams are written by the test. The history is empty unless
 * the test says otherwise, and nothing can be sent.
 */
final class ScriptedSite implements Closeable {

    private static final String PAGES = "/META-INF/resources";

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final BlockingQueue<Stream> streams = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> held = new LinkedBlockingQueue<>();
    private final Map<String, String> replaced = new ConcurrentHashMap<>();
    private volatile Predicate<String> missing = path -> false;
    private volatile boolean holding;
    private volatile String history = history("", "e-0");

    private ScriptedSite(HttpServer server) {
        this.server = server;
        server.setExecutor(threads);
        server.createContext("/", this::answerWithFile);
        server.createContext(
                "/rooms/",
                exchange -> answer(exchange, "application/json", history.getBytes(UTF_8)));
        server.createContext("/events", this::openStream);
        server.createContext("/clock", this::openClock);
    }

    static ScriptedSite start() {
        try {
            var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
            var site = new ScriptedSite(HttpServer.create(address, 0));
            site.server.start();
            return site;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
    }

    /** Has one message in the history from now on, by Ada. */
    void retain(String id, String text) {
        history = history("{\"id\":\"" + id + "\",\"from\":\"Ada\",\"text\":\"" + text + "\"}", id);
    }

    /** Answers 404 for these files from now on, and has all others. */
    void lackFiles(Predicate<String> paths) {
        missing = paths;
    }

    /** Has this content in the place of a file from now on. */
    void replaceFile(String path, String content) {
        replaced.put(path, content);
    }

    /** Has all files as they are from now on. */
    void haveAllFiles() {
        missing = path -> false;
        replaced.clear();
    }

    private static String history(String messages, String after) {
        return "{\"messages\":[" + messages + "],\"after\":\"" + after + "\",\"gap\":false}";
    }

    /** Waits for the page to open its next stream. */
    Stream awaitStream() {
        return next(streams);
    }

    private static <T> T next(BlockingQueue<T> queue) {
        try {
            T next = queue.poll(Timeouts.millis(), TimeUnit.MILLISECONDS);
            if (next == null) {
                throw new IllegalStateException("the page has opened no other stream");
            }
            return next;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Returns whether the page has opened a stream that the test has not taken yet. */
    boolean hasAnotherStream() {
        return !streams.isEmpty();
    }

    /** Answers none of the requests for streams from now on. */
    void holdStreams() {
        holding = true;
    }

    /** Waits for the next request for a stream that is not answered, and returns its query. */
    String awaitHeldStream() {
        return next(held);
    }

    /** Returns whether there was another request for a stream that is not answered. */
    boolean hasAnotherHeldStream() {
        return !held.isEmpty();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    /** A context has all paths that begin with its own, the page of the clock too. */
    private void openClock(HttpExchange exchange) throws IOException {
        if (exchange.getRequestURI().getPath().equals("/clock")) {
            openStream(exchange);
        } else {
            answerWithFile(exchange);
        }
    }

    private void openStream(HttpExchange exchange) throws IOException {
        if (holding) {
            held.add(exchange.getRequestURI().getQuery());
            return;
        }
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
        exchange.sendResponseHeaders(200, 0);
        Stream stream = new Stream(exchange);
        stream.write(": connected\n\n");
        streams.add(stream);
    }

    private void answerWithFile(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String file = path.equals("/") ? "/index.html" : path;
        String replacement = replaced.get(file);
        if (replacement != null) {
            answer(exchange, type(file), replacement.getBytes(UTF_8));
            return;
        }
        try (InputStream in = ScriptedSite.class.getResourceAsStream(PAGES + file)) {
            if (in == null || missing.test(file)) {
                exchange.sendResponseHeaders(404, -1);
                exchange.close();
                return;
            }
            answer(exchange, type(file), in.readAllBytes());
        }
    }

    private static String type(String file) {
        return switch (file.substring(file.lastIndexOf('.') + 1)) {
            case "html" -> "text/html";
            case "css" -> "text/css";
            case "svg" -> "image/svg+xml";
            default -> "text/javascript";
        };
    }

    private static void answer(HttpExchange exchange, String type, byte[] body) throws IOException {
        try (exchange) {
            exchange.getResponseHeaders().set("Content-Type", type);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    /** The server's end of one event stream. */
    static final class Stream {

        private final HttpExchange exchange;

        private Stream(HttpExchange exchange) {
            this.exchange = exchange;
        }

        /** The query with which the page opened it. */
        String query() {
            return exchange.getRequestURI().getQuery();
        }

        /** Sends a message with an id. */
        Stream message(String id, String text) {
            return write("id: " + id + "\n" + data(text));
        }

        /** Sends a message with an id and an event type. */
        Stream message(String id, String event, String text) {
            return write("id: " + id + "\nevent: " + event + "\n" + data(text));
        }

        /** Sends a message by Ada, whose name a token proved. */
        Stream verified(String id, String text) {
            String message = "{\"from\":\"Ada\",\"verified\":true,\"text\":\"" + text + "\"}";
            return write("id: " + id + "\ndata: " + message + "\n\n");
        }

        /** Sends a message without an id, as a text that another program published in Redis. */
        Stream plain(String text) {
            return write(data(text));
        }

        /** Sends an event that is not a message. */
        Stream control(String event, String data) {
            return write("event: " + event + "\ndata: " + data + "\n\n");
        }

        /** Sends a position, as when a stream opens and after a gap. */
        Stream position(String id) {
            return write("id: " + id + "\nevent: position\ndata: {}\n\n");
        }

        /** Ends the stream; the browser reconnects by itself. */
        void end() {
            exchange.close();
        }

        /** Returns whether the page has closed its end; a write then fails. */
        boolean isClosed() {
            try {
                exchange.getResponseBody().write(":\n".getBytes(UTF_8));
                exchange.getResponseBody().flush();
                return false;
            } catch (IOException closed) {
                return true;
            }
        }

        private Stream write(String block) {
            try {
                exchange.getResponseBody().write(block.getBytes(UTF_8));
                exchange.getResponseBody().flush();
                return this;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static String data(String text) {
            return "data: {\"room\":\"lobby\",\"from\":\"Ada\",\"text\":\"" + text + "\"}\n\n";
        }
    }
}
