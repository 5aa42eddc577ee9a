package dev.parley.access;

import com.sun.net.httpserver.HttpServer;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/** An issuer's server that publishes its keys, and that a test changes or takes away. */
final class JwksServer implements Closeable {

    private final HttpServer server;
    private final AtomicInteger requests = new AtomicInteger();
    private final Semaphore mayAnswer = new Semaphore(1);
    private volatile int status = 200;
    private volatile String body;

    JwksServer(String jwks) {
        body = jwks;
        try {
            server =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext(
                "/",
                exchange -> {
                    requests.incrementAndGet();
                    mayAnswer.acquireUninterruptibly();
                    mayAnswer.release();
                    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(status, bytes.length);
                    exchange.getResponseBody().write(bytes);
                    exchange.close();
                });
        server.start();
    }

    String uri() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/keys";
    }

    /** Answers with this from now on. */
    void answer(int status, String body) {
        this.status = status;
        this.body = body;
    }

    /** Lets requests wait from now on. */
    void hold() {
        mayAnswer.acquireUninterruptibly();
    }

    /** Answers the requests that wait, and further ones. */
    void release() {
        mayAnswer.release();
    }

    /** The number of requests so far. */
    int requests() {
        return requests.get();
    }

    /** Lets the requests that wait go on first, for which it would wait in turn. */
    @Override
    public void close() {
        mayAnswer.release();
        server.stop(0);
    }
}
