package dev.parley.clients;

import com.microsoft.playwright.Page;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.parley.testsupport.Browser;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Runs clients in one page of a real browser. The page has another origin than the streams, so the
 * requests of the libraries also have to pass CORS.
 */
final class BrowserClients implements ClientHost {

    private static final long POLL_MILLIS = 50;

    private final Path directory;
    private final HttpServer site;

    /** The only thread that may use the browser. */
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();

    private final Browser browser;
    private final Page page;

    /** By the number of the client; used by the browser's thread only. */
    private final List<Consumer<ShownEvent>> clients = new ArrayList<>();

    /** Starts a browser with a page that serves the drivers of this directory. */
    BrowserClients(Path directory) {
        this.directory = directory;
        site = serve();
        browser = inBrowser(Browser::start);
        page = inBrowser(browser::tab);
        inBrowser(() -> page.navigate("http://localhost:" + site.getAddress().getPort() + "/"));
        thread.scheduleWithFixedDelay(
                this::takeEvents, POLL_MILLIS, POLL_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Override
    public Closeable start(String driver, String url, Consumer<ShownEvent> shown) {
        int client =
                inBrowser(
                        () -> {
                            int number = clients.size();
                            clients.add(shown);
                            page.evaluate("startClient", List.of(number, driver, url));
                            return number;
                        });
        return () -> inBrowser(() -> page.evaluate("stopClient", client));
    }

    @Override
    public void close() {
        try {
            inBrowser(
                    () -> {
                        browser.close();
                        return true;
                    });
        } finally {
            thread.shutdownNow();
            site.stop(0);
        }
    }

    private void takeEvents() {
        for (Object event : (List<?>) page.evaluate("takeEvents()")) {
            Map<?, ?> fields = (Map<?, ?>) event;
            clients.get((Integer) fields.get("client"))
                    .accept(
                            new ShownEvent(
                                    (String) fields.get("type"),
                                    (String) fields.get("id"),
                                    (String) fields.get("data")));
        }
    }

    private <T> T inBrowser(Supplier<T> work) {
        return CompletableFuture.supplyAsync(work, thread).join();
    }

    private HttpServer serve() {
        try {
            HttpServer server =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/", this::answer);
            server.start();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        Path file = directory.resolve(path.equals("/") ? "page.html" : path.substring(1));
        if (!Files.exists(file)) {
            // Modules that were written for bundlers import without the extension.
            file = file.resolveSibling(file.getFileName() + ".js");
        }
        try (exchange) {
            if (!Files.exists(file)) {
                exchange.sendResponseHeaders(404, -1);
                return;
            }
            String type = file.toString().endsWith(".html") ? "text/html" : "text/javascript";
            exchange.getResponseHeaders().set("Content-Type", type);
            byte[] content = Files.readAllBytes(file);
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content);
        }
    }
}
