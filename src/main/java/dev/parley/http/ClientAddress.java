package dev.parley.http;

import io.netty.util.NetUtil;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/**
 * Finds the address by which a client is limited. An IPv6 client is its /64, since it can use any
 * address in there.
 *
 * <p>A proxy adds the address of its client at the right of the header {@code X-Forwarded-For} (or
 * {@code Forwarded}, RFC 7239). What is left of it was in the request already, and a client may
 * have invented it. So the header is read from the right, beginning with the address of the
 * connection, up to the first address that is not a trusted proxy: {@code 6.6.6.6, 203.0.113.9,
 * 10.0.0.2} from the proxy 10.0.0.3, with 10.0.0.0/8 trusted, is the client 203.0.113.9. What is
 * not an address ends the search at the last proxy that was found.
 *
 * <p>The settings are those of the framework, {@code quarkus.http.proxy.*}. Its own parser takes
 * the leftmost address, leaves a request unanswered whose header is empty, and logs an error for
 * each malformed port, so {@link ForwardingSwitch} keeps it off.
 */
@Singleton
public final class ClientAddress {

    private static final String FORWARDED = "Forwarded";
    private static final String X_FORWARDED_FOR = "X-Forwarded-For";

    /** Longest form of an address with a port and brackets; longer text is not parsed. */
    private static final int MAX_NODE = 64;

    private static final Pattern PORT = Pattern.compile("(:[0-9]{1,5})?");

    private final boolean forwarding;
    private final List<String> headers;

    /** Empty if none are listed: the other end of each connection then counts as a proxy. */
    private final Optional<TrustedProxies> trusted;

    ClientAddress(
            @ConfigProperty(name = ForwardingSwitch.PARLEY, defaultValue = "false")
                    boolean forwarding,
            @ConfigProperty(name = "quarkus.http.proxy.allow-forwarded", defaultValue = "false")
                    boolean allowForwarded,
            @ConfigProperty(name = "quarkus.http.proxy.allow-x-forwarded")
                    Optional<Boolean> allowXForwarded,
            @ConfigProperty(name = "quarkus.http.proxy.trusted-proxies")
                    Optional<List<String>> trustedProxies,
            Vertx vertx) {
        this.forwarding = forwarding;
        List<String> read = new ArrayList<>();
        if (allowForwarded) {
            read.add(FORWARDED);
        }
        if (allowXForwarded.orElse(!allowForwarded)) {
            read.add(X_FORWARDED_FOR);
        }
        this.headers = List.copyOf(read);
        // Without forwarding too, so that a wrong list does not wait for it to be switched on.
        this.trusted = trustedProxies.map(TrustedProxies::new).filter(list -> forwarding);
        trusted.ifPresent(proxies -> proxies.keepResolved(vertx));
    }

    /** Returns the address of the client: an IPv4 address, or the /64 of an IPv6 address. */
    public String of(HttpServerRequest request) {
        byte[] address = peer(request);
        if (address == null) {
            // A Unix domain socket: all its clients are one.
            return "local";
        }
        return isProxy(address) ? text(forwarded(request, address)) : text(address);
    }

    /** Tells whether the headers of a request were written by a trusted proxy. */
    boolean isForwarded(HttpServerRequest request) {
        byte[] address = peer(request);
        return address != null && isProxy(address);
    }

    /**
     * Returns the other end of a request's connection; null if that has no address. Asks the
     * connection, because the request would look for the headers of a proxy first.
     */
    static byte @Nullable [] peer(HttpServerRequest request) {
        SocketAddress peer = request.connection().remoteAddress();
        String host = peer == null ? null : peer.hostAddress();
        return host == null ? null : address(host);
    }

    /** Tells whether the address is a proxy whose headers are believed. */
    boolean isProxy(byte[] address) {
        return forwarding && (trusted.isEmpty() || trusted.get().contains(address));
    }

    /**
     * Finds the client of a request that came from a proxy, in the first of the headers that the
     * request has.
     */
    private byte[] forwarded(HttpServerRequest request, byte[] proxy) {
        byte[] found = proxy;
        for (String header : headers) {
            List<String> lines = request.headers().getAll(header);
            for (int i = lines.size() - 1; i >= 0; i--) {
                String line = lines.get(i);
                int end = line.length();
                while (end >= 0) {
                    int comma = line.lastIndexOf(',', end - 1);
                    byte[] next = node(header, line.substring(comma + 1, end).strip());
                    if (next == null) {
                        return found;
                    }
                    found = next;
                    if (trusted.isEmpty() || !trusted.get().contains(found)) {
                        return found;
                    }
                    end = comma;
                }
            }
            if (!lines.isEmpty()) {
                return found;
            }
        }
        return found;
    }

    private static byte @Nullable [] node(String header, String element) {
        if (!header.equals(FORWARDED)) {
            return address(element);
        }
        for (String pair : element.split(";", -1)) {
            String parameter = pair.strip();
            if (parameter.toLowerCase(Locale.ROOT).startsWith("for=")) {
                return address(parameter.substring("for=".length()).replace("\"", ""));
            }
        }
        return null;
    }

    /** Parses an address, which may have brackets and a port; null if it is anything else. */
    static byte @Nullable [] address(String node) {
        if (node.isEmpty() || node.length() > MAX_NODE) {
            return null;
        }
        String host = node;
        int bracket = node.indexOf(']');
        if (node.startsWith("[") && bracket > 0) {
            if (!PORT.matcher(node.substring(bracket + 1)).matches()) {
                return null;
            }
            host = node.substring(1, bracket);
        } else if (node.indexOf('.') > 0 && node.indexOf(':') == node.lastIndexOf(':')) {
            int colon = node.indexOf(':');
            if (colon >= 0) {
                if (!PORT.matcher(node.substring(colon)).matches()) {
                    return null;
                }
                host = node.substring(0, colon);
            }
        }
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(host);
        return bytes == null ? null : withoutMapping(bytes);
    }

    /** Makes the IPv4 address of one that is written as IPv6 (RFC 4291 §2.5.5.2). */
    static byte[] withoutMapping(byte[] address) {
        if (address.length != 16 || address[10] != -1 || address[11] != -1) {
            return address;
        }
        for (int i = 0; i < 10; i++) {
            if (address[i] != 0) {
                return address;
            }
        }
        return Arrays.copyOfRange(address, 12, 16);
    }

    /** Writes an address as the limits count it. */
    static String text(byte[] address) {
        if (address.length == 4) {
            return NetUtil.bytesToIpAddress(address);
        }
        return NetUtil.bytesToIpAddress(Arrays.copyOf(Arrays.copyOf(address, 8), 16)) + "/64";
    }
}
