package dev.parley.page;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.parley.testsupport.ParleyProcess;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A web site on another origin than Parley's, with one page, {@code demo.html}: a first try of
 * Server-Sent Events, a dozen lines of script that talk to a Parley pod.
 */
final class DemoSite implements Closeable {

    private final HttpServer server;
    private final byte[] page;

    private DemoSite(HttpServer server, byte[] page) {
        this.server = server;
        this.page = page;
    }

    /** Starts a site whose page talks to this pod. */
    static DemoSite about(ParleyProcess pod) {
        try {
            HttpServer server =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            DemoSite site = new DemoSite(server, page(pod).getBytes(StandardCharsets.UTF_8));
            server.createContext("/", site::answer);
            server.start();
            return site;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes the page that talks to this pod to a file. */
    static URI file(Path directory, ParleyProcess pod) {
        try {
            return Files.writeString(directory.resolve("demo.html"), page(pod)).toUri();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.getResponseHeaders().set("Content-Type", "text/html");
            exchange.sendResponseHeaders(200, page.length);
            exchange.getResponseBody().write(page);
        }
    }

    private static String page(ParleyProcess pod) throws IOException {
        try (InputStream in = DemoSite.class.getResourceAsStream("demo.html")) {
            if (in == null) {
                throw new IllegalStateException("demo.html is missing");
            }
            String page = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            return page.replace("127.0.0.1:8080", "127.0.0.1:" + pod.port());
        }
    }
}
