package dev.parley.http;

import io.quarkus.runtime.configuration.ConfigurationException;
import io.vertx.core.Vertx;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jboss.logging.Logger;

/**
 * The configured proxies: addresses, networks, and names, which are resolved at the start and
 * regularly again. A port behind an address or a name is ignored, and so are the bits of a network
 * behind its prefix and the zone of an IPv6 address. Refuses at the start what is none of these.
 *
 * <p>Each name has a thread of its own while it is looked up. When DNS does not answer, the system
 * waits for ten seconds or longer: one name after the other, a pod would not have started when
 * Kubernetes gives it up.
 */
final class TrustedProxies {

    private static final String SETTING = "quarkus.http.proxy.trusted-proxies";

    private static final Logger LOG = Logger.getLogger(TrustedProxies.class);

    /** Pause between two look-ups of names, in milliseconds. */
    private static final long RESOLVE_INTERVAL = 30_000;

    /** How long the start waits for the names: most are found within milliseconds. */
    private static final Duration START_WAIT = Duration.ofSeconds(5);

    /** Length of what precedes the IPv4 address in one that is written as IPv6, in bits. */
    private static final int MAPPED_BITS = 96;

    /** A host name (RFC 952, RFC 1123), with underscores, as container networks use them. */
    private static final Pattern NAME = Pattern.compile("(?=.*[A-Za-z])[A-Za-z0-9_.-]{1,253}");

    private static final Pattern PORT = Pattern.compile(":[0-9]{1,5}$");

    /** Finds the addresses of a name. */
    interface Resolver {

        InetAddress[] resolve(String name) throws UnknownHostException;
    }

    /** The addresses whose first bits are these. */
    private static final class Network {

        private final byte[] address;
        private final int bits;

        Network(byte[] address, int bits) {
            this.address = address;
            this.bits = bits;
        }

        static Network of(byte[] address) {
            return new Network(address, address.length * 8);
        }

        boolean contains(byte[] other) {
            if (other.length != address.length) {
                return false;
            }
            for (int i = 0; i < bits; i++) {
                int mask = 0x80 >> (i % 8);
                if (((address[i / 8] ^ other[i / 8]) & mask) != 0) {
                    return false;
                }
            }
            return true;
        }
    }

    private final Resolver resolver;
    private final Consumer<String> warn;
    private final List<Network> networks = new ArrayList<>();

    /** The addresses of each name; none while it cannot be resolved. Guarded by this. */
    private final Map<String, List<Network>> names = new LinkedHashMap<>();

    /** The look-ups that have not ended, by name. Guarded by this. */
    private final Map<String, CompletableFuture<Void>> lookups = new HashMap<>();

    /** Names that could not be resolved, which the log has said. Guarded by this. */
    private final Set<String> unresolved = new HashSet<>();

    private volatile List<Network> resolved = List.of();

    /**
     * Resolves the names, and waits for that, but not for long.
     *
     * @throws ConfigurationException if an element is neither an address, a network nor a name
     */
    TrustedProxies(List<String> configured) {
        this(configured, InetAddress::getAllByName, LOG::warn, START_WAIT);
    }

    /**
     * @param warn logs a line; called on any thread
     */
    TrustedProxies(
            List<String> configured, Resolver resolver, Consumer<String> warn, Duration wait) {
        this.resolver = resolver;
        this.warn = warn;
        configured.forEach(element -> add(element.strip()));
        try {
            resolve().get(wait.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException late) {
            warnOfLate(wait);
        } catch (InterruptedException e) {
            // The program is about to end.
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    private void add(String element) {
        int slash = element.indexOf('/');
        byte[] address = ClientAddress.address(slash < 0 ? element : element.substring(0, slash));
        if (address != null) {
            networks.add(
                    slash < 0
                            ? Network.of(address)
                            : network(element, address, element.substring(slash + 1)));
            return;
        }
        String name = PORT.matcher(element).replaceFirst("");
        if (!NAME.matcher(name).matches()) {
            throw refused(
                    element,
                    "is neither an address, such as 10.0.0.7, nor a network, such as 10.0.0.0/24,"
                            + " nor a host name");
        }
        names.put(name, List.of());
    }

    private static Network network(String element, byte[] address, String prefix) {
        // An IPv4 address that is written as IPv6 was shortened.
        boolean mapped = address.length == 4 && element.indexOf(':') < element.lastIndexOf(':');
        int max = mapped ? 128 : address.length * 8;
        int bits = prefix.matches("[0-9]{1,3}") ? Integer.parseInt(prefix) : -1;
        if (bits < 0 || bits > max) {
            throw refused(element, "has no prefix length from 0 to " + max + " after the slash");
        }
        if (mapped && bits < MAPPED_BITS) {
            throw refused(
                    element,
                    "has more addresses than IPv4 has; write an IPv4 network, such as 10.0.0.0/8,"
                            + " or an IPv6 one");
        }
        return new Network(address, mapped ? bits - MAPPED_BITS : bits);
    }

    private static ConfigurationException refused(String element, String fault) {
        return new ConfigurationException(SETTING + ": " + element + " " + fault);
    }

    /** Resolves the names again from time to time. */
    void keepResolved(Vertx vertx) {
        if (!names.isEmpty()) {
            vertx.setPeriodic(RESOLVE_INTERVAL, id -> resolve());
        }
    }

    /**
     * Resolves the names; does not block. One that cannot be resolved keeps its former addresses,
     * and one whose last look-up has not ended is not looked up again.
     *
     * @return completes when all look-ups have ended
     */
    synchronized CompletableFuture<Void> resolve() {
        // A look-up that ends at once waits for this lock, so it is in the map before it is
        // removed.
        names.keySet().forEach(name -> lookups.computeIfAbsent(name, this::start));
        return CompletableFuture.allOf(lookups.values().toArray(CompletableFuture<?>[]::new));
    }

    private CompletableFuture<Void> start(String name) {
        return CompletableFuture.runAsync(() -> lookUp(name), TrustedProxies::startThread);
    }

    private static void startThread(Runnable lookup) {
        var thread = new Thread(lookup, "proxy-lookup");
        // The process may end while a look-up hangs.
        thread.setDaemon(true);
        thread.start();
    }

    private void lookUp(String name) {
        List<Network> found;
        try {
            found =
                    Arrays.stream(resolver.resolve(name))
                            .map(each -> Network.of(each.getAddress()))
                            .toList();
        } catch (UnknownHostException | RuntimeException unknown) {
            onUnknown(name);
            return;
        }
        onFound(name, found);
    }

    private synchronized void onFound(String name, List<Network> found) {
        lookups.remove(name);
        unresolved.remove(name);
        names.put(name, found);
        resolved = names.values().stream().flatMap(List::stream).toList();
    }

    private synchronized void onUnknown(String name) {
        lookups.remove(name);
        warnOnce(
                name,
                "cannot be resolved; it is tried again every " + RESOLVE_INTERVAL / 1_000 + " s");
    }

    private synchronized void warnOfLate(Duration wait) {
        lookups.keySet()
                .forEach(
                        name ->
                                warnOnce(
                                        name,
                                        "was not resolved within "
                                                + wait.toSeconds()
                                                + " s: check DNS; the pod goes on trying"));
    }

    /** Warns of a name, once until it has been resolved. */
    private void warnOnce(String name, String fault) {
        if (unresolved.add(name)) {
            warn.accept(
                    SETTING
                            + ": the name "
                            + name
                            + " "
                            + fault
                            + ", and "
                            + (names.getOrDefault(name, List.of()).isEmpty()
                                    ? "until then a proxy of that name is not trusted: all its"
                                            + " clients count as one address"
                                    : "until then its former addresses are trusted"));
        }
    }

    boolean contains(byte[] address) {
        return networks.stream().anyMatch(network -> network.contains(address))
                || resolved.stream().anyMatch(network -> network.contains(address));
    }
}
