/**
 * The heart of a pod: every room with readers is a log of frames, and every reader is a cursor into
 * it.
 *
 * <p>The broker's messages enter at {@link dev.parley.delivery.Hub}, which keeps each room's log
 * without holes; one {@link dev.parley.delivery.Pump} an event loop moves the cursors of that
 * loop's readers towards the head. Knows neither Redis nor HTTP.
 */
@NullMarked
package dev.parley.delivery;

import org.jspecify.annotations.NullMarked;
