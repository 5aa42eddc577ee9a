package dev.parley.broker;

import java.util.Map;
import java.util.Optional;

/** Tells whether a broker delivers. */
public sealed interface BrokerState {

    /**
     * Messages flow.
     *
     * @param publishingProblem why publishing fails although messages flow, one sentence for an
     *     operator; empty if publishing works
     * @param silent the servers that messages do not flow from: their names, each with one sentence
     *     for an operator
     */
    record Up(Optional<String> publishingProblem, Map<String, String> silent)
            implements BrokerState {

        /** Makes the state in which messages flow and publishing works. */
        public Up() {
            this(Optional.empty());
        }

        /** Makes the state in which messages flow from every server. */
        public Up(Optional<String> publishingProblem) {
            this(publishingProblem, Map.of());
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
