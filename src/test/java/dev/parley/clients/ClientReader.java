package dev.parley.clients;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.TcpProxy;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One client in one scenario, with a room and a TCP proxy that it shares with no other client.
 *
 * <p>It records what is published in its room and what the client shows, and compares the two.
 */
final class ClientReader implements Closeable {

    private static final int SHORT = 40;

    private final ClientLibrary library;
    private final String room;
    private final TcpProxy proxy;
    private final Closeable client;

    // Both are guarded by this.
    private final List<String> published = new ArrayList<>();
    private final List<ShownEvent> shown = new ArrayList<>();

    private Optional<String> failure = Optional.empty();

    /** Starts a client that reads a room through a proxy to this port. */
    ClientReader(ClientLibrary library, ClientHost host, String room, int port) {
        this.library = library;
        this.room = room;
        proxy = TcpProxy.to(port);
        client = host.start(library.driver(), proxy.uri("http") + "/events?room=" + room, this::on);
    }

    private synchronized void on(ShownEvent event) {
        shown.add(event);
    }

    ClientLibrary library() {
        return library;
    }

    /** The proxy between the client and the pod. */
    TcpProxy proxy() {
        return proxy;
    }

    /** Publishes a text in the client's room. */
    void publish(Http pod, String text) {
        synchronized (this) {
            published.add(text);
        }
        Http.Answer answer = pod.sendForm(text, "room", room);
        if (answer.status() != 200) {
            throw new IllegalStateException(answer.status() + " " + answer.body());
        }
    }

    /** Publishes another text if the client has not shown any message yet. */
    synchronized boolean isShowingWhatIsPublished(Http pod) {
        boolean showing = !messages().isEmpty();
        if (!showing) {
            publish(pod, "is it connected? " + published.size());
        }
        return showing;
    }

    /** Whether the client has passed on an event of this type. */
    synchronized boolean hasShown(String type) {
        return shown.stream().anyMatch(event -> type.equals(event.type()));
    }

    /** Whether the client has shown the newest message. */
    synchronized boolean isUpToDate() {
        List<String> messages = messages();
        return !messages.isEmpty()
                && messages.get(messages.size() - 1).equals(published.get(published.size() - 1));
    }

    /** Records what went wrong; the first failure counts. */
    void fail(String reason) {
        failure = failure.or(() -> Optional.of(reason));
    }

    boolean hasFailed() {
        return failure.isPresent();
    }

    /**
     * What is wrong with the events that the client has shown, if anything is: a message that is
     * missing, changed, repeated or empty, or a gap.
     *
     * @param fromTheFirst whether the first message that was published has to be there; otherwise
     *     the client may have been connected after some of them
     */
    synchronized Optional<String> verdict(boolean fromTheFirst) {
        List<String> messages = messages();
        if (messages.contains("")) {
            fail("showed an empty message");
        }
        if (hasShown("gap")) {
            fail("was sent a gap");
        }
        List<String> expected = published;
        if (!fromTheFirst && !messages.isEmpty()) {
            int first = Math.max(0, published.indexOf(messages.get(0)));
            expected = published.subList(first, published.size());
        }
        if (!messages.equals(expected)) {
            fail("published " + brief(expected) + ", showed " + brief(messages));
        }
        return failure;
    }

    private synchronized List<String> messages() {
        return shown.stream()
                .filter(ShownEvent::isMessage)
                .map(event -> library.text(event.data()))
                .toList();
    }

    private static List<String> brief(List<String> texts) {
        return texts.stream()
                .map(
                        text ->
                                text.length() <= SHORT
                                        ? text
                                        : text.substring(0, SHORT) + "… " + text.length())
                .toList();
    }

    @Override
    public void close() {
        try {
            client.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            proxy.close();
        }
    }
}
