package dev.parley.clients;

import java.io.Closeable;
import java.util.function.Consumer;

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
}
