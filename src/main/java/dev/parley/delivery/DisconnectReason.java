package dev.parley.delivery;

/** Why a stream ended: the closed list that readers and metrics are told. */
public enum DisconnectReason {
    /** The reader went, or its network did. */
    CLIENT("client"),
    /** It took no bytes for too long, or fell behind what is retained. */
    SLOW_CONSUMER("slow-consumer"),
    /** The pod is about to end. */
    DRAIN("drain"),
    /** There are too many streams already, on the pod or from the address. */
    LIMIT("limit"),
    /** The stream has lived long enough: it comes back, perhaps on a pod with fewer. */
    ROTATION("rotation"),
    /** The broker cannot say where in the log the reader is. */
    UNAVAILABLE("unavailable"),
    /** A defect; the log says more. */
    ERROR("error");

    private final String label;

    DisconnectReason(String label) {
        this.label = label;
    }

    /** As written in the stream and in metrics. */
    public String label() {
        return label;
    }
}
