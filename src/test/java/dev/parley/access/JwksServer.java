package dev.parley.access;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.parley.testsupport.Timeouts;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;

/** An issuer's server that publishes its keys, and that a test changes or takes away. */
final class JwksServer implements Closeable {

    private final HttpServer server;
    private final AtomicInteger requests = new AtomicInteger();

    /** Requests wait until it is open. */
    private volatile CountDownLatch gate = new CountDownLatch(0);

    private volatile int status = 200;
    private volatile String body;

    JwksServer(String jwks) {
        this(jwks, HttpServer::create);
    }

    /** A server that speaks TLS, and shows a certificate for {@code localhost}. */
    JwksServer(String jwks, SSLContext tls) {
        this(
                jwks,
                (address, backlog) -> {
                    HttpsServer server = HttpsServer.create(address, backlog);
                    server.setHttpsConfigurator(new HttpsConfigurator(tls));
                    return server;
                });
    }

    private interface Factory {
        HttpServer create(InetSocketAddress address, int backlog) throws IOException;
    }

    private JwksServer(String jwks, Factory factory) {
        body = jwks;
        try {
            server = factory.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext(
                "/",
                exchange -> {
                    requests.incrementAndGet();
                    Timeouts.await("the keys may be answered").until(() -> gate.getCount() == 0);
                    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(status, bytes.length);
                    exchange.getResponseBody().write(bytes);
                    exchange.close();
                });
        server.start();
    }

    String uri() {
        String origin = server instanceof HttpsServer ? "https://localhost:" : "http://127.0.0.1:";
        return origin + server.getAddress().getPort() + "/keys";
    }

    /** Answers with this from now on. */
    void answer(int status, String body) {
        this.status = status;
        this.body = body;
    }

    /** Lets requests wait from now on. */
    void hold() {
        gate = new CountDownLatch(1);
    }

    /** Answers the requests that wait, and further ones; does nothing if none has to wait. */
    void release() {
        gate.countDown();
    }

    /** The number of requests so far. */
    int requests() {
        return requests.get();
    }

    /** Lets the requests that wait go on first, for which it would wait in turn. */
    @Override
    public void close() {
        release();
        server.stop(0);
    }
}
