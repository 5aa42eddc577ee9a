/**
 * The interface to what stores messages and carries them between pods: {@link
 * dev.parley.broker.Broker}, and the types of its calls (ranges, pages, receipts). Its two
 * implementations are in {@code broker.memory} and {@code broker.redis}.
 */
@NullMarked
package dev.parley.broker;

import org.jspecify.annotations.NullMarked;
