package dev.parley.clients;

import com.launchdarkly.eventsource.MessageEvent;
import com.launchdarkly.eventsource.background.BackgroundEventHandler;
import com.launchdarkly.eventsource.background.BackgroundEventSource;
import jakarta.ws.rs.client.Client;
import jakarta.ws.rs.sse.InboundSseEvent;
import jakarta.ws.rs.sse.SseEventSource;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.sse.EventSource;
import okhttp3.sse.EventSourceListener;
import okhttp3.sse.EventSources;
import org.glassfish.jersey.client.JerseyClientBuilder;
import org.jspecify.annotations.Nullable;

/** Runs the Java libraries, in this JVM. */
final class JavaClients implements ClientHost {

    private final Set<Closeable> running = ConcurrentHashMap.newKeySet();

    @Override
    public Closeable start(String driver, String url, Consumer<ShownEvent> shown) {
        Closeable client =
                switch (driver) {
                    case "okhttp-sse" -> new OkHttpSse(url, shown);
                    case "okhttp-eventsource" -> new LaunchDarkly(url, shown);
                    case "jersey" -> new Jersey(url, shown);
                    default -> throw new IllegalArgumentException(driver);
                };
        running.add(client);
        return () -> end(client);
    }

    @Override
    public void close() {
        running.forEach(this::end);
    }

    private void end(Closeable client) {
        running.remove(client);
        try {
            client.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs tasks later, and drops those that arrive after it has been shut down. */
    private static ScheduledExecutorService timer() {
        return new ScheduledThreadPoolExecutor(1, new ThreadPoolExecutor.DiscardPolicy());
    }

    /**
     * Square's okhttp-sse, which reads one connection; when to open the next is the user's code.
     */
    private static final class OkHttpSse implements Closeable {

        private final OkHttpClient http = new OkHttpClient();
        private final ScheduledExecutorService timer = timer();
        private final Reconnecting listener;

        OkHttpSse(String url, Consumer<ShownEvent> shown) {
            listener =
                    new Reconnecting(url) {
                        @Override
                        void show(String type, String id, String data) {
                            shown.accept(new ShownEvent(type, id, data));
                        }
                    };
            listener.connect();
        }

        @Override
        public void close() {
            timer.shutdownNow();
            http.dispatcher().cancelAll();
            http.dispatcher().executorService().shutdown();
            http.connectionPool().evictAll();
        }

        private abstract class Reconnecting extends EventSourceListener {

            private final String url;

            Reconnecting(String url) {
                this.url = url;
            }

            abstract void show(String type, String id, String data);

            // example
            private volatile String lastEventId = "";

            void connect() {
                var request = new Request.Builder().url(url).header("Last-Event-ID", lastEventId);
                EventSources.createFactory(http).newEventSource(request.build(), this);
            }

            @Override
            public void onEvent(EventSource source, String id, String type, String data) {
                lastEventId = id == null ? lastEventId : id;
                show(type, lastEventId, data);
            }

            @Override
            public void onClosed(EventSource source) {
                timer.schedule(this::connect, 1, TimeUnit.SECONDS);
            }

            @Override
            public void onFailure(
                    EventSource source, @Nullable Throwable failure, @Nullable Response response) {
                timer.schedule(this::connect, 1, TimeUnit.SECONDS);
            }
            // end
        }
    }

    /** LaunchDarkly's okhttp-eventsource. */
    private static final class LaunchDarkly implements Closeable, BackgroundEventHandler {

        private final Consumer<ShownEvent> shown;
        private final BackgroundEventSource source;

        LaunchDarkly(String url, Consumer<ShownEvent> shown) {
            this.shown = shown;
            source = open(this, url);
        }

        private static BackgroundEventSource open(BackgroundEventHandler handler, String url) {
            // example
            var stream = URI.create(url + "&heartbeat=4");
            var events = new com.launchdarkly.eventsource.EventSource.Builder(stream);
            var source = new BackgroundEventSource.Builder(handler, events).build();
            source.start();
            // end
            return source;
        }

        @Override
        public void onMessage(String type, MessageEvent event) {
            String id = event.getLastEventId() == null ? "" : event.getLastEventId();
            shown.accept(new ShownEvent(type, id, event.getData()));
        }

        @Override
        public void onOpen() {}

        @Override
        public void onClosed() {}

        @Override
        public void onComment(String comment) {}

        @Override
        public void onError(Throwable t) {}

        @Override
        public void close() {
            source.close();
        }
    }

    /** Jersey's implementation of the SSE client of Jakarta REST. */
    private static final class Jersey implements Closeable {

        private final Client client = JerseyClientBuilder.createClient();
        private final ScheduledExecutorService timer = timer();
        private final String url;
        private final Consumer<ShownEvent> shown;

        Jersey(String url, Consumer<ShownEvent> shown) {
            this.url = url;
            this.shown = shown;
            timer.execute(this::connect);
        }

        private void show(String type, String id, String data) {
            shown.accept(new ShownEvent(type, id, data));
        }

        // example
        private volatile String lastEventId = "";

        private void connect() {
            var target = client.target(url + "&format=json").queryParam("lastEventId", lastEventId);
            var source = SseEventSource.target(target).build();
            source.register(this::onEvent, this::onFailure);
            source.open();
        }

        private void onEvent(InboundSseEvent event) {
            lastEventId = event.getId() == null ? lastEventId : event.getId();
            show(event.getName(), lastEventId, event.readData());
        }

        private void onFailure(Throwable failure) {
            timer.schedule(this::connect, 1, TimeUnit.SECONDS);
        }

        // end

        @Override
        public void close() {
            timer.shutdownNow();
            client.close();
        }
    }
}
