/**
 * The one seam between Parley and whatever carries messages between pods: {@link
 * dev.parley.broker.Broker} and its vocabulary. It says what a position, a page of history and a
 * receipt are; it knows no transport.
 */
@NullMarked
package dev.parley.broker;

import org.jspecify.annotations.NullMarked;
