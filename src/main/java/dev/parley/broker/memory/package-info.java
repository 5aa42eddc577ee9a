/**
 * The broker of a single pod: rooms are kept in the pod's memory, and lost when the process ends.
 */
@NullMarked
package dev.parley.broker.memory;

import org.jspecify.annotations.NullMarked;
