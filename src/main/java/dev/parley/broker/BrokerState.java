package dev.parley.broker;

import java.util.Optional;

/** Whether a broker delivers. */
public sealed interface BrokerState {

    /**
     * Messages flow.
     *
     * @param publishing why publishing fails although messages flow, one sentence for an operator;
     *     empty if publishing works
     */
    record Up(Optional<String> publishing) implements BrokerState {

        /** Makes the state in which messages flow and publishing works. */
        public Up() {
            this(Optional.empty());
        }
    }

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
