package dev.parley.broker;

/**
 * Thrown when the broker refused a call, or did not answer in time or at all. Without an answer it
 * may or may not have done what was asked.
 */
public final class BrokerUnavailable extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /**
     * @param reason one sentence for an operator
     */
    public BrokerUnavailable(String reason) {
        super(reason);
    }

    /**
     * @param reason one sentence for an operator
     */
    public BrokerUnavailable(String reason, Throwable cause) {
        super(reason, cause);
    }
}
