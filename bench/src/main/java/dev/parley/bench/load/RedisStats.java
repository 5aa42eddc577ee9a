package dev.parley.bench.load;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;

/** Reads what the Redis of the measured server has used and sent; all is 0 if there is none. */
final class RedisStats {

    private static final String OUTPUT = "total_net_output_bytes:";

    private final ProcessStats process;
    private final int port;

    RedisStats(LoadOptions options) {
        process = new ProcessStats(List.of(options.redisPid()), false);
        port = options.redisPort();
    }

    long cpuMicros() {
        return process.cpuMicros();
    }

    /** Bytes that it has sent to all its clients since its start. */
    long outputBytes() {
        return port == 0
                ? 0
                : info().lines()
                        .filter(line -> line.startsWith(OUTPUT))
                        .mapToLong(line -> Long.parseLong(line.substring(OUTPUT.length())))
                        .findFirst()
                        .orElseThrow();
    }

    /** Asks for the statistics and closes the connection. */
    private String info() {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write("INFO stats\r\nQUIT\r\n".getBytes(US_ASCII));
            InputStream in = socket.getInputStream();
            return new String(in.readAllBytes(), US_ASCII);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
