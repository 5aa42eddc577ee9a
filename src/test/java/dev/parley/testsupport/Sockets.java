package dev.parley.testsupport;

import java.io.Closeable;
import java.io.IOException;
import java.net.Socket;

/** The two ways to end a connection, neither of which fails. */
final class Sockets {

    private Sockets() {}

    /** Ends it with RST, as a crash or a broken network does. */
    static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
        } catch (IOException e) {
            // Not connected any more: closing is all that is left to do.
        }
        close(socket);
    }

    static void close(Closeable socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // It is as closed as it will ever be.
        }
    }
}
