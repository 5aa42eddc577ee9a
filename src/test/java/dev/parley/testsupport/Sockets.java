package dev.parley.testsupport;

import java.io.Closeable;
import java.io.IOException;
import java.net.Socket;

/** Ends connections in two ways, and ignores errors of the ending itself. */
public final class Sockets {

    private Sockets() {}

    /** Ends it with RST, as a crash or a broken network does. */
    public static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
        } catch (IOException e) {
            // The socket is no longer connected; it still has to be closed.
        }
        close(socket);
    }

    /** Closes it; a socket with unread data sends RST instead of FIN. */
    public static void close(Closeable socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // Nothing more can be done to close it.
        }
    }
}
