package dev.parley.http;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads from Linux's tables of TCP connections, {@code /proc/self/net/tcp} and {@code tcp6}, those
 * whose other end has not answered what was sent to it.
 *
 * <p>A line of the table (proc_net_tcp.txt of the kernel's documentation), of which the fields with
 * a number are read:
 *
 * <pre>
 *   1: 0100007F:1F90 0100007F:C350 01 000000A0:00000000 01:00000A2B 00000006     0        0 16737142 …
 *      (1) local     (2) remote    st (3)      rx_queue (4)(5)      (6)        uid      (7)
 *
 *   (1) (2) address and port; the address in groups of 32 bits, each as the host's processor stores it
 *   (3) bytes that were written and not acknowledged
 *   (4) the timer: 01 retransmits; 04 probes whether a client whose window is full takes bytes again
 *   (5) until the timer expires, in hundredths of a second
 *   (6) how often the oldest bytes were retransmitted; 0 again with the next acknowledgement
 *   (7) probes without an answer; 0 again with the next answer
 * </pre>
 *
 * <p>A client that is merely slow answers the probes of its full window: it is not among them.
 */
final class UnansweredConnections {

    /** Length of what one read returns at most: the kernel fills a page. */
    private static final int PAGE = 4096;

    /** Longer than any line. */
    private static final int LONGEST_LINE = 1024;

    private static final int IPV4_DIGITS = 8;
    private static final int IPV6_DIGITS = 32;
    private static final int RETRANSMITS = 1;
    private static final int PROBES = 4;

    private final List<Path> tables;

    private UnansweredConnections(List<Path> tables) {
        this.tables = tables;
    }

    /**
     * The two ends of a connection.
     *
     * @param local this program's
     */
    record Ends(InetSocketAddress local, InetSocketAddress remote) {

        // Written out, since a native executable interprets what the compiler
        // generates for a record.
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Ends ends
                    && remote.equals(ends.remote)
                    && local.equals(ends.local);
        }

        @Override
        public int hashCode() {
            return 31 * remote.hashCode() + local.hashCode();
        }
    }

    /**
     * A connection that has sent something again, without an answer.
     *
     * @param timer what it does: retransmits, or probes a full window
     * @param attempts how often in a row
     * @param queuedBytes that are not acknowledged
     * @param nextAttemptMillis until it tries again
     */
    record Unanswered(
            Ends ends, int timer, long attempts, long queuedBytes, long nextAttemptMillis) {}

    /**
     * Opens the tables in a directory.
     *
     * @param directory {@code /proc/self/net}
     * @throws IOException if there are none that can be read
     */
    static UnansweredConnections in(Path directory) throws IOException {
        List<Path> tables = new ArrayList<>(List.of(directory.resolve("tcp")));
        Path ipv6 = directory.resolve("tcp6");
        if (Files.exists(ipv6)) {
            tables.add(ipv6);
        }
        var connections = new UnansweredConnections(List.copyOf(tables));
        connections.read();
        return connections;
    }

    /** Reads the tables. */
    List<Unanswered> read() throws IOException {
        List<Unanswered> found = new ArrayList<>();
        for (Path table : tables) {
            try (InputStream in = Files.newInputStream(table)) {
                read(in, found);
            }
        }
        return found;
    }

    private static void read(InputStream in, List<Unanswered> found) throws IOException {
        byte[] page = new byte[PAGE];
        byte[] line = new byte[LONGEST_LINE];
        int length = 0;
        for (int read = in.read(page); read >= 0; read = in.read(page)) {
            for (int i = 0; i < read; i++) {
                if (page[i] == '\n') {
                    new Line(line, length).addTo(found);
                    length = 0;
                } else if (length < LONGEST_LINE) {
                    line[length++] = page[i];
                }
            }
        }
    }

    /**
     * A line of the table. Nearly all are of connections that have nothing to retransmit, so the
     * timer is read first, at its place counted from the colon after the line's number.
     */
    private static final class Line {

        private final byte[] text;
        private final int length;

        /**
         * @param text the line, and whatever follows it in the buffer
         */
        Line(byte[] text, int length) {
            this.text = text;
            this.length = length;
        }

        void addTo(List<Unanswered> found) throws UnknownHostException {
            int local = indexOf(':', 0) + 2;
            int colon = indexOf(':', local);
            int digits = colon - local;
            if (digits != IPV4_DIGITS && digits != IPV6_DIGITS) {
                return;
            }
            int remote = local + digits + 6;
            int state = remote + digits + 6;
            int retransmitted = state + 33;
            if (length < retransmitted + 8 || text[state + 23] != ':') {
                return;
            }
            int timer = (int) hex(state + 21, 2);
            long attempts = 0;
            if (timer == RETRANSMITS) {
                attempts = hex(retransmitted, 8);
            } else if (timer == PROBES) {
                attempts = secondNumberFrom(retransmitted + 8);
            }
            if (attempts > 0) {
                var ends = new Ends(address(local, digits), address(remote, digits));
                long hundredths = hex(state + 24, 8);
                found.add(
                        new Unanswered(ends, timer, attempts, hex(state + 3, 8), 10 * hundredths));
            }
        }

        private InetSocketAddress address(int from, int digits) throws UnknownHostException {
            byte[] address = new byte[digits / 2];
            boolean swapped = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
            for (int i = 0; i < address.length; i++) {
                int group = i / 4 * 4;
                int place = swapped ? group + 3 - i % 4 : i;
                address[place] = (byte) hex(from + 2 * i, 2);
            }
            // An IPv4 address that is written as IPv6 comes back as the IPv4 address.
            return new InetSocketAddress(
                    InetAddress.getByAddress(address), (int) hex(from + digits + 1, 4));
        }

        /** Reads the second of the decimal numbers after a place: the first is the user's id. */
        private long secondNumberFrom(int from) {
            int at = skipNumber(skipSpaces(from));
            long number = 0;
            for (at = skipSpaces(at); at < length && text[at] != ' '; at++) {
                number = 10 * number + Character.digit(text[at], 10);
            }
            return number;
        }

        private int skipSpaces(int from) {
            int at = from;
            while (at < length && text[at] == ' ') {
                at++;
            }
            return at;
        }

        private int skipNumber(int from) {
            int at = from;
            while (at < length && text[at] != ' ') {
                at++;
            }
            return at;
        }

        private int indexOf(char wanted, int from) {
            int at = from;
            while (at < length && text[at] != wanted) {
                at++;
            }
            return at;
        }

        private long hex(int from, int digits) {
            long number = 0;
            for (int i = from; i < from + digits; i++) {
                number = number << 4 | Character.digit(text[i], 16);
            }
            return number;
        }
    }
}
