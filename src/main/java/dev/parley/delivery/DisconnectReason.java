package dev.parley.delivery;

/** Why a stream ended: the closed list that clients and metrics are told. */
public enum DisconnectReason {
    /** The client closed the connection, or its network failed. */
    CLIENT("client"),
    /** The client took no bytes for too long, or fell behind what is retained. */
    SLOW_CONSUMER("slow-consumer"),
    /** The pod is about to end. */
    DRAIN("drain"),
    /** There are too many streams already, on the pod or from the address. */
    LIMIT("limit"),
    /** The stream reached its greatest age; the client comes back, perhaps on another pod. */
    ROTATION("rotation"),
    /** The broker could not say where in the log the reader is. */
    UNAVAILABLE("unavailable"),
    /** A defect of Parley's, with a stack trace in the log. */
    ERROR("error");

    private final String label;

    DisconnectReason(String label) {
        this.label = label;
    }

    /** The reason as written in the stream and in metrics. */
    public String label() {
        return label;
    }
}
