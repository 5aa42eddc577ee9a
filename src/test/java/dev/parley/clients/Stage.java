package dev.parley.clients;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Ports;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.Timeouts;
import java.io.Closeable;
import java.time.Duration;
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
final class Stage implements Closeable {

    private final ParleyProcess otherPod;
    private final Http publisher;
    private final List<ClientReader> readers;
    private ParleyProcess pod;
    private boolean fromTheFirst;

    /**
     * Starts the pods and the clients.
     *
     * @param hosts where the clients of each library run
     */
    Stage(
            Scenario scenario,
            RedisServer redis,
            List<ClientLibrary> libraries,
            Function<ClientLibrary.Host, ClientHost> hosts) {
        otherPod = podOn(redis).start().awaitReady();
        pod = podOn(redis).port(Ports.free()).start().awaitReady();
        publisher = new Http(otherPod.uri());
        readers =
                libraries.stream()
                        .map(
                                library ->
                                        new ClientReader(
                                                library,
                                                hosts.apply(library.host()),
                                                room(scenario, library),
                                                pod.port()))
                        .toList();
    }

    private static ParleyProcess.Builder podOn(RedisServer redis) {
        return ParleyProcess.builder()
                .redis(redis.uri())
                .config("parley.events.min-retry", "0.2S")
                .config("parley.events.max-retry", "0.4S")
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
        await("show a message", reader -> reader.isShowingWhatIsPublished(publisher));
    }

    /** Waits until each client has received its position in the room. */
    void awaitPosition() {
        await("pass on the event `position`", reader -> reader.hasShown("position"));
    }

    /** Publishes texts in each client's room. */
    void publish(String... texts) {
        for (String text : texts) {
            readers.forEach(reader -> reader.publish(publisher, text));
        }
    }

    /** Waits until each client has shown the newest message of its room. */
    void awaitUpToDate() {
        await("show the newest message", ClientReader::isUpToDate);
    }

    void killPod() {
        pod.kill();
    }

    void restartPod() {
        pod = pod.replacement().awaitReady();
    }

    /** Open connections stay at the pod that the clients are connected to. */
    void leadNewConnectionsToTheOtherPod() {
        readers.forEach(reader -> reader.proxy().retarget(otherPod.port()));
    }

    void terminatePod() {
        pod.terminate();
    }

    void awaitPodEnd() {
        pod.awaitExit();
    }

    /** Resets all connections and refuses new ones. */
    void loseConnections() {
        for (ClientReader reader : readers) {
            reader.proxy().refuse();
            reader.proxy().cut();
        }
    }

    /** Resets connections, each when it has passed this many bytes to its client. */
    void cutConnectionsAfter(long bytes) {
        readers.forEach(reader -> reader.proxy().cutAfter(bytes));
    }

    /** Waits until each client has opened another connection. */
    void awaitReconnected() {
        await("connect again", reader -> reader.proxy().accepted() > 1);
    }

    /** Ends {@link #loseConnections} and {@link #cutConnectionsAfter}. */
    void allowConnections() {
        readers.forEach(reader -> reader.proxy().heal());
    }

    /** Publishes nothing for this long. */
    void beSilentFor(Duration silence) {
        long start = System.nanoTime();
        Timeouts.await(silence + " of silence")
                .until(() -> System.nanoTime() - start >= silence.toNanos());
    }

    /** Fails the clients that have opened more than one connection. */
    void expectNoReconnect() {
        for (ClientReader reader : readers) {
            int connections = reader.proxy().accepted();
            if (connections > 1) {
                reader.fail("opened " + connections + " connections");
            }
        }
    }

    /** Requires that clients show every message of their room, the first one included. */
    void expectFromTheFirst() {
        fromTheFirst = true;
    }

    private void await(String what, Predicate<ClientReader> condition) {
        try {
            Timeouts.await(what).until(() -> waitingFor(condition.negate()).findAny().isEmpty());
        } catch (ConditionTimeoutException e) {
            waitingFor(condition.negate())
                    .toList()
                    .forEach(reader -> reader.fail("did not " + what));
        }
    }

    private Stream<ClientReader> waitingFor(Predicate<ClientReader> condition) {
        return readers.stream().filter(reader -> !reader.hasFailed()).filter(condition);
    }

    /** What is wrong with each library's client; empty if nothing is. */
    Map<ClientLibrary, Optional<String>> verdicts() {
        Map<ClientLibrary, Optional<String>> verdicts = new EnumMap<>(ClientLibrary.class);
        readers.forEach(reader -> verdicts.put(reader.library(), reader.verdict(fromTheFirst)));
        return verdicts;
    }

    @Override
    public void close() {
        readers.forEach(ClientReader::close);
        pod.close();
        otherPod.close();
    }
}
