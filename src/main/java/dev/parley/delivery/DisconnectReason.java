package dev.parley.delivery;

/**
 * Why a stream ended: the complete list of reasons in metrics and, as far as the client can still
 * be reached, in {@code event: goodbye}.
 */
public enum DisconnectReason {
    /** The client closed the connection, or its network failed. */
    CLIENT("client"),
    /** The client accepted no bytes for too long, or fell behind what is retained. */
    SLOW_CONSUMER("slow-consumer"),
    /** The pod is about to end. */
    DRAIN("drain"),
    /** There are too many streams or rooms already, on the pod or from the client's address. */
    LIMIT("limit"),
    /** The stream reached its greatest age; the client comes back, perhaps on another pod. */
    ROTATION("rotation"),
    /**
     * The client's position could be found in none of its rooms: the broker did not answer, or the
     * log changed during every attempt. Or the pod cannot determine now who the caller is.
     */
    UNAVAILABLE("unavailable"),
    /** The time of the client's right is over; with a new one it comes back and loses nothing. */
    EXPIRED("expired"),
    /** The client's right was taken from it. */
    REVOKED("revoked"),
    /** A defect in Parley; the log has a stack trace. */
    ERROR("error");

    private final String label;

    DisconnectReason(String label) {
        this.label = label;
    }

    /** Returns the reason as written in the stream and in metrics. */
    public String label() {
        return label;
    }
}
