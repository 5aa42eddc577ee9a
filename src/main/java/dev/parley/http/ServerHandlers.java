package dev.parley.http;

/** The names that the server (Vert.x) gives to its handlers in the pipeline of a connection. */
public final class ServerHandlers {

    /** The decoder of HTTP/1. */
    public static final String DECODER = "httpDecoder";

    /** The encoder of HTTP/1. */
    public static final String ENCODER = "httpEncoder";

    /** What closes a connection that is silent. */
    public static final String IDLE = "idle";

    /** What answers requests, of HTTP/1 or of HTTP/2. */
    static final String SERVER = "handler";

    private ServerHandlers() {}
}
