package dev.parley.broker;

/** The broker did not answer in time, or at all. It may or may not have done what was asked. */
public final class BrokerUnavailable extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public BrokerUnavailable(String reason) {
        super(reason);
    }

    public BrokerUnavailable(String reason, Throwable cause) {
        super(reason, cause);
    }
}
