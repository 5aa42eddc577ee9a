package dev.parley.broker;

/** Says whether a broker delivers messages. */
public sealed interface BrokerState {

    /** Messages flow. */
    record Up() implements BrokerState {}

    /**
     * Messages do not flow.
     *
     * @param reason one sentence for an operator
     */
    record Down(String reason) implements BrokerState {}

    /** Tells whether messages flow. */
    default boolean isUp() {
        return this instanceof Up;
    }
}
