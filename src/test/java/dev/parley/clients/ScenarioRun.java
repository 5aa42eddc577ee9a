package dev.parley.clients;

import dev.parley.clients.ClientHost.ShownEvent;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.TcpProxy;
import dev.parley.testsupport.Timeouts;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;

/**
 * The pods of one scenario and a client of every library, all going through the steps together.
 *
 * <p>The clients are connected to a pod that the scenario may end. Messages are published at
 * another one, which stays. A client that does not do what a step waits for has failed; the others
 * go on.
 */
final class ScenarioRun implements Closeable {

    private final ParleyProcess otherPod;
    private final Http publisher;
    private final List<Client> clients;
    private ParleyProcess pod;
    private boolean fromTheFirst;

    /**
     * Starts the pods and the clients.
     *
     * @param hosts where the clients of each library run
     */
    ScenarioRun(
            Scenario scenario,
            RedisServer redis,
            List<ClientLibrary> libraries,
            Function<ClientLibrary.Host, ClientHost> hosts) {
        otherPod = podOn(redis).start().awaitReady();
        pod = podOn(redis).fixedPort().start().awaitReady();
        publisher = new Http(otherPod.uri());
        clients =
                libraries.stream()
                        .map(
                                library ->
                                        new Client(
                                                library,
                                                hosts.apply(library.host()),
                                                room(scenario, library),
                                                pod.port()))
                        .toList();
    }

    private static ParleyProcess.Builder podOn(RedisServer redis) {
        return ParleyProcess.builder()
                .redis(redis.uri())
                .quickReconnect()
                .config("parley.drain.window", "1S");
    }

    private static String room(Scenario scenario, ClientLibrary library) {
        return (scenario + "." + library).toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** A text of 60 KB in three lines. */
    static String longText() {
        String line =
                IntStream.range(0, 2_000)
                        .mapToObj("%010d"::formatted)
                        .reduce(new StringBuilder(), StringBuilder::append, StringBuilder::append)
                        .toString();
        return String.join("\n", line, line, line);
    }

    /**
     * Publishes until each client has shown a message, so that it is known to be connected: most
     * libraries tell their user nothing else about it.
     */
    void awaitConnected() {
        await("show a message", client -> client.isShowingWhatIsPublished(publisher));
    }

    /** Waits until each client has received its position in the room. */
    void awaitPosition() {
        await("pass on the event `position`", client -> client.hasShown("position"));
    }

    /** Publishes texts in each client's room. */
    void publish(String... texts) {
        for (String text : texts) {
            clients.forEach(client -> client.publish(publisher, text));
        }
    }

    /** Waits until each client has shown the newest message of its room. */
    void awaitUpToDate() {
        await("show the newest message", Client::isUpToDate);
    }

    void killPod() {
        pod.kill();
    }

    void restartPod() {
        pod = pod.replacement().awaitReady();
    }

    /** Open connections stay at the pod that the clients are connected to. */
    void leadNewConnectionsToTheOtherPod() {
        clients.forEach(client -> client.proxy().retarget(otherPod.port()));
    }

    void terminatePod() {
        pod.terminate();
    }

    void awaitPodEnd() {
        pod.awaitExit();
    }

    /** Resets all connections and refuses new ones. */
    void loseConnections() {
        for (Client client : clients) {
            client.proxy().refuse();
            client.proxy().cut();
        }
    }

    /** Resets connections, each when it has passed this many bytes to its client. */
    void cutConnectionsAfter(long bytes) {
        clients.forEach(client -> client.proxy().cutAfter(bytes));
    }

    /** Waits until each client has opened another connection. */
    void awaitReconnected() {
        await("connect again", client -> client.proxy().accepted() > 1);
    }

    /** Ends {@link #loseConnections} and {@link #cutConnectionsAfter}. */
    void allowConnections() {
        clients.forEach(client -> client.proxy().heal());
    }

    /** Publishes nothing for this long. */
    void beSilentFor(Duration silence) {
        long start = System.nanoTime();
        Timeouts.await(silence + " of silence")
                .until(() -> System.nanoTime() - start >= silence.toNanos());
    }

    /** Fails the clients that have opened more than one connection. */
    void expectNoReconnect() {
        for (Client client : clients) {
            int connections = client.proxy().accepted();
            if (connections > 1) {
                client.fail("opened " + connections + " connections");
            }
        }
    }

    /** Requires that clients show every message of their room, the first one included. */
    void expectFromTheFirst() {
        fromTheFirst = true;
    }

    private void await(String what, Predicate<Client> condition) {
        try {
            Timeouts.await(what).until(() -> waitingFor(condition.negate()).findAny().isEmpty());
        } catch (ConditionTimeoutException e) {
            waitingFor(condition.negate())
                    .toList()
                    .forEach(client -> client.fail("did not " + what));
        }
    }

    private Stream<Client> waitingFor(Predicate<Client> condition) {
        return clients.stream().filter(client -> !client.hasFailed()).filter(condition);
    }

    /** What is wrong with each library's client; empty if nothing is. */
    Map<ClientLibrary, Optional<String>> verdicts() {
        Map<ClientLibrary, Optional<String>> verdicts = new EnumMap<>(ClientLibrary.class);
        clients.forEach(client -> verdicts.put(client.library(), client.verdict(fromTheFirst)));
        return verdicts;
    }

    @Override
    public void close() {
        clients.forEach(Client::close);
        pod.close();
        otherPod.close();
    }

    /**
     * One client in one scenario, with a room and a TCP proxy that it shares with no other client.
     *
     * <p>It records what is published in its room and what the client shows, and compares the two.
     */
    private static final class Client implements Closeable {

        private static final int SHORT = 40;

        private final ClientLibrary library;
        private final String room;
        private final TcpProxy proxy;
        private final Closeable running;

        // Both are guarded by this.
        private final List<String> published = new ArrayList<>();
        private final List<ShownEvent> shown = new ArrayList<>();

        private Optional<String> failure = Optional.empty();

        /** Starts a client that reads a room through a proxy to this port. */
        Client(ClientLibrary library, ClientHost host, String room, int port) {
            this.library = library;
            this.room = room;
            proxy = TcpProxy.to(port);
            running =
                    host.start(
                            library.driver(), proxy.uri("http") + "/events?room=" + room, this::on);
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
                    && messages.get(messages.size() - 1)
                            .equals(published.get(published.size() - 1));
        }

        /** Records what went wrong; the first failure counts. */
        void fail(String reason) {
            failure = failure.or(() -> Optional.of(reason));
        }

        boolean hasFailed() {
            return failure.isPresent();
        }

        /**
         * What is wrong with the events that the client has shown, if anything is: a message that
         * is missing, changed, repeated or empty, or a gap.
         *
         * @param fromTheFirst whether the first message that was published has to be there;
         *     otherwise the client may have been connected after some of them
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
                running.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } finally {
                proxy.close();
            }
        }
    }
}
