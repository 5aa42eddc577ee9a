package dev.parley.http;

import io.vertx.core.http.HttpServerRequest;
import jakarta.inject.Singleton;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Tells the operator that a proxy is not trusted, and that all its clients are therefore one
 * address to the limits. A pod cannot know that by itself: any client may send the headers of a
 * proxy. But a client in a private network that sends them is mostly a proxy.
 *
 * <p>A line is logged when such a proxy is seen first, and a warning when it meets a limit of an
 * address, at most one in ten minutes. Thread-safe.
 */
@Singleton
public final class ProxyAdvice {

    private static final Logger LOG = Logger.getLogger(ProxyAdvice.class);

    private static final long PERIOD = TimeUnit.MINUTES.toNanos(10);
    private static final List<String> HEADERS = List.of("X-Forwarded-For", "Forwarded");

    private static final String ADVICE =
            "all its clients count as one address. If it is your proxy, name it in"
                    + " quarkus.http.proxy.trusted-proxies and set"
                    + " quarkus.http.proxy.proxy-address-forwarding=true";

    private final ClientAddress clients;

    private boolean seen;
    private boolean warned;
    private long warnedNanos;
    private long unlogged;

    ProxyAdvice(ClientAddress clients) {
        this.clients = clients;
    }

    /** Notes a request. */
    void onRequest(HttpServerRequest request) {
        if (!seen) {
            untrusted(request).ifPresent(this::onSeen);
        }
    }

    private synchronized void onSeen(Untrusted proxy) {
        if (!seen) {
            seen = true;
            LOG.infof(
                    "%s sends %s but is not a trusted proxy, so %s",
                    proxy.address(), proxy.header(), ADVICE);
        }
    }

    /**
     * Notes that a request met a limit of its address.
     *
     * @param setting of the limit
     */
    public void onLimitMet(HttpServerRequest request, String setting) {
        untrusted(request)
                .ifPresent(
                        proxy ->
                                warn(
                                        "%s was met by %s, which sends %s but is not a trusted"
                                                + " proxy, so %s%s",
                                        setting, proxy.address(), proxy.header()));
    }

    /**
     * Notes that a connection met a limit of its address, before it sent a request.
     *
     * @param setting of the limit
     */
    void onLimitMet(ServerBounds.Peer peer, String setting) {
        if (peer.isPrivate()) {
            warn("%s was met by %s%s: %s%s", setting, peer.address(), "");
        }
    }

    private synchronized void warn(String format, String setting, String address, String header) {
        long now = System.nanoTime();
        if (warned && now - warnedNanos < PERIOD) {
            unlogged++;
            return;
        }
        String times = unlogged == 0 ? "" : " (" + unlogged + " times more since the last line)";
        warned = true;
        warnedNanos = now;
        unlogged = 0;
        LOG.warnf(format, setting, address, header, ADVICE, times);
    }

    /** A client in a private network that sends the header of a proxy. */
    private record Untrusted(String address, String header) {}

    private Optional<Untrusted> untrusted(HttpServerRequest request) {
        for (String header : HEADERS) {
            if (request.headers().contains(header)) {
                return untrusted(request, header);
            }
        }
        return Optional.empty();
    }

    private Optional<Untrusted> untrusted(HttpServerRequest request, String header) {
        byte[] address = ClientAddress.peer(request);
        if (address == null || clients.isProxy(address) || !isPrivate(address)) {
            return Optional.empty();
        }
        return Optional.of(new Untrusted(ClientAddress.text(address), header));
    }

    /**
     * Tells whether an address is this machine's or a private network's (RFC 1918, RFC 4193, RFC
     * 6598, and link-local ones).
     */
    static boolean isPrivate(byte[] address) {
        try {
            InetAddress known = InetAddress.getByAddress(address);
            boolean uniqueLocal = address.length == 16 && (address[0] & 0xFE) == 0xFC;
            boolean shared = address.length == 4 && address[0] == 100 && (address[1] & 0xC0) == 64;
            return known.isLoopbackAddress()
                    || known.isSiteLocalAddress()
                    || known.isLinkLocalAddress()
                    || uniqueLocal
                    || shared;
        } catch (UnknownHostException e) {
            return false;
        }
    }
}
