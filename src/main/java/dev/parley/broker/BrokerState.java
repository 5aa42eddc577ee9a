package dev.parley.broker;

/** Whether a broker delivers. */
public sealed interface BrokerState {

    /** Messages flow. */
    record Up() implements BrokerState {}

    /**
     * They don't.
     *
     * @param reason one sentence for an operator
     */
    record Down(String reason) implements BrokerState {}

    /** Whether messages flow. */
    default boolean isUp() {
        return this instanceof Up;
    }
}
