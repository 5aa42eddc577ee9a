package dev.parley.clients;

import java.io.Closeable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Where client libraries run: Node, a browser, this JVM, or a shell. */
interface ClientHost extends Closeable {

    /**
     * Starts a client.
     *
     * @param driver the name of the script or class that uses the library
     * @param url the stream
     * @param shown receives the events, one at a time, in the order in which the library passes
     *     them on
     * @return what ends the client
     */
    Closeable start(String driver, String url, Consumer<ShownEvent> shown);

    /** Ends all clients that still run. */
    @Override
    void close();

    /**
     * An event as a client library passed it to its user.
     *
     * @param type the event type; the constructor takes null or an empty one for {@code message}
     * @param id the id that the library gave with it, or the empty string
     */
    record ShownEvent(@Nullable String type, String id, String data) {

        /** Turns a missing type into {@code message}. */
        public ShownEvent {
            type = type == null || type.isEmpty() ? "message" : type;
        }

        boolean isMessage() {
            return "message".equals(type);
        }
    }
}
