package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.tuple;

import dev.parley.http.UnansweredConnections.Unanswered;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The kernel's tables of connections, as a processor of the usual byte order writes them. */
class UnansweredConnectionsTest {

    private static final String HEADER =
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid "
                    + " timeout inode                                                     \n";

    /** 127.0.0.1:8080 and 198.18.0.2:50000; the oldest bytes were sent again six times. */
    private static final String RETRANSMITTING =
            "   7: 0100007F:1F90 020012C6:C350 01 000000A0:00000000 01:00000A2B 00000006  1000 "
                    + "       0 16737142 2 0000000021dd82f8 1280 4 26 1 7                       \n";

    private static final String RETRANSMITTING_IPV6 =
            "   7: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF0000020012C6:C350 01"
                    + " 000000A0:00000000 01:00000A2B 00000006  1000        0 16737142 2"
                    + " 0000000021dd82f8 1280 4 26 1 7\n";

    @TempDir private Path net;

    @Test
    void connectionThatRetransmits_isFound() throws IOException {
        assertThat(read(HEADER + RETRANSMITTING, HEADER))
                .containsExactly(
                        new Unanswered(
                                new UnansweredConnections.Ends(
                                        address(8080, 127, 0, 0, 1),
                                        address(50_000, 198, 18, 0, 2)),
                                1,
                                6,
                                160,
                                26_030));
    }

    @Test
    void ipv4Address_isTheSameInTheTableOfIpv6() throws IOException {
        assertThat(read(HEADER, HEADER + RETRANSMITTING_IPV6))
                .isEqualTo(read(HEADER + RETRANSMITTING, HEADER));
    }

    @Test
    void ipv6Address_isRead() throws IOException {
        String line =
                RETRANSMITTING_IPV6.replace(
                        "0000000000000000FFFF0000020012C6", "B80D012000000000000000000A000000");

        assertThat(read(HEADER, HEADER + line))
                .extracting(found -> found.ends().remote())
                .containsExactly(
                        address(50_000, 0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10));
    }

    @Test
    void probesOfAFullWindow_countIfTheyAreNotAnswered() throws IOException {
        String unanswered =
                RETRANSMITTING
                        .replace(" 01:00000A2B 00000006", " 04:00000A2B 00000000")
                        .replace("       0 16737142", "       3 16737142");

        assertThat(read(HEADER + unanswered, HEADER))
                .extracting(Unanswered::timer, Unanswered::attempts)
                .containsExactly(tuple(4, 3L));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // Sent and not yet acknowledged.
                "01:00000014 00000000",
                // A slow client: its window is full, and it has answered every probe.
                "04:00000014 00000000",
                // Keep-alive, and a connection that has been closed.
                "02:00000014 00000000",
                "03:00000014 00000000",
                "00:00000000 00000000"
            })
    void connectionThatIsAnswered_isNotFound(String timer) throws IOException {
        String line = RETRANSMITTING.replace("01:00000A2B 00000006", timer);

        assertThat(read(HEADER + line, HEADER)).isEmpty();
    }

    @Test
    void longTable_isReadToItsEnd() throws IOException {
        String quiet = RETRANSMITTING.replace("01:00000A2B 00000006", "00:00000000 00000000");

        assertThat(read(HEADER + quiet.repeat(20_000) + RETRANSMITTING, HEADER)).hasSize(1);
    }

    @Test
    void linesOfAnotherForm_arePassedOver() throws IOException {
        assertThat(read("\n:\nx: y\n   0: 00:0 00:0\n" + "z".repeat(5000) + "\n", HEADER))
                .isEmpty();
    }

    @Test
    void systemWithoutTables_isAnError() {
        assertThatIOException().isThrownBy(() -> UnansweredConnections.in(net));
    }

    @Test
    void systemWithoutIpv6_hasOneTable() throws IOException {
        Files.writeString(net.resolve("tcp"), HEADER + RETRANSMITTING);

        assertThat(UnansweredConnections.in(net).read()).hasSize(1);
    }

    private static InetSocketAddress address(int port, int... octets) throws IOException {
        byte[] address = new byte[octets.length];
        for (int i = 0; i < octets.length; i++) {
            address[i] = (byte) octets[i];
        }
        return new InetSocketAddress(InetAddress.getByAddress(address), port);
    }

    private List<Unanswered> read(String tcp, String tcp6) throws IOException {
        Files.writeString(net.resolve("tcp"), tcp);
        Files.writeString(net.resolve("tcp6"), tcp6);
        return UnansweredConnections.in(net).read();
    }
}
