/**
 * The interface to what stores messages and passes them from pod to pod: {@link
 * dev.parley.broker.Broker}, the types of its calls (ranges, pages, receipts), and what its two
 * implementations share. They are in {@code broker.memory} and {@code broker.redis}.
 */
@NullMarked
package dev.parley.broker;

import org.jspecify.annotations.NullMarked;
